"""The launcher's log in the formats of v1.6.1, v2.4.0 and v2.7.0."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.modelzoo.log import corrected, messages, progress, read_log, summed_speed

BENCHMARK = """\
INFO:tensorflow:Processed #examples: 950
I0424 21:14:28.002666 140184442087232 run_squad.py:1365] Processed #examples: 950
INFO:tensorflow:Processed #examples: 960
I0424 21:14:28.002666 140184442087232 run_squad.py:1365] Processed #examples: 960
INFO:tensorflow:prediction_loop marked as finished
Elapsed time: 985.123456 num processed examples: 960 threshod_examples: 160
throughput((num_processed_examples-threshod_examples)/Elapsedtime): 0.81
"""
ABSL = "I0609 07:53:35.833359 140422000000 tpu_estimator.py:2351] "


def both(*lines: str) -> list[str]:
    """Lines as TensorFlow prints them: its own form, and absl's."""
    return [form + line for line in lines for form in ("INFO:tensorflow:", ABSL)]


TRAINING = both(
    "***** Running training *****",
    "  Num orig examples = 87599",
    "  Num split examples = 88641",
    "  Batch size = 24",
    "  Num steps = 1824",
    "global_step/sec: 0.051789",
    "examples/sec: 1.24294",
    "\t Loss  = 1.6558864 (58.297 sec)",
    "loss = 1.65, step = 100 (1930.9 sec)",
    "Loss for final step: 0.7215.",
)


def test_the_benchmark_of_v1_6_1():
    log = read_log(BENCHMARK.splitlines())
    assert (log.elapsed_s, log.processed, log.warmup) == (985.123456, 960, 160)
    assert log.throughput == 0.81
    assert log.clock_is_late


def test_its_clock_gives_25_24ths_too_much():
    log = read_log(BENCHMARK.splitlines())
    assert corrected(log, 32) == pytest.approx(768 / 985.123456)
    assert (800 / 985.123456) / corrected(log, 32) == pytest.approx(25 / 24)


@given(st.integers(1, 64), st.integers(0, 20), st.integers(2, 200), st.floats(0.01, 1e5))
def test_n_batches_less_w_of_warm_up_are_one_too_many(size, warmup, more, seconds):
    batches = warmup + more
    lines = [
        f"Elapsed time: {seconds:f} num processed examples: {batches * size} "
        f"threshod_examples: {warmup * size}"
    ]
    log = read_log(lines)
    counted = (batches - warmup) * size / log.elapsed_s
    assert counted / corrected(log, size) == pytest.approx((batches - warmup) / (more - 1))


def test_a_run_of_one_timed_batch_has_no_speed():
    lines = ["Elapsed time: 1.0 num processed examples: 12 threshod_examples: 10"]
    assert corrected(read_log(lines), 2) is None


def test_the_benchmark_of_v2_4_0_needs_no_correction():
    log = read_log(
        [
            "Total examples: 1280, Warmup examples: 320, Benchmark examples: 960, "
            "Benchmark time: 480.000000 secs",
            "Throughput: 2.00",
        ]
    )
    assert (log.processed, log.warmup, log.elapsed_s) == (1280, 320, 480.0)
    assert corrected(log, 32) == log.throughput == 2.0
    assert log.clock_is_late is False


def test_a_log_without_a_line_of_a_clock_has_no_late_one():
    assert read_log([]).clock_is_late is False


def test_of_two_benchmarks_in_a_log_the_clock_is_that_of_the_last():
    late = "Elapsed time: 10.0 num processed examples: 100 threshod_examples: 20"
    right = "Total examples: 100, Warmup examples: 20, Benchmark examples: 80, Benchmark time: "
    assert read_log([late, f"{right}8.0 secs"]).clock_is_late is False
    assert read_log([f"{right}8.0 secs", late]).clock_is_late is True


def test_the_benchmark_of_v2_7_0():
    log = read_log(["Thread 0 has throughput 1.5", "Total throughput (examples/sec): 3.25"])
    assert corrected(log, 32) == 3.25


def test_training_is_read_once_although_it_is_printed_twice():
    log = read_log(TRAINING)
    assert (log.steps, log.batch_size, log.examples) == (1824, 24, 87599)
    assert log.speeds == [1.24294]
    assert log.losses == [1.6558864]
    assert log.final_losses == [0.7215]


def test_a_log_with_absls_lines_alone_is_read_as_well():
    assert read_log(line for line in TRAINING if line.startswith("I0")).speeds == [1.24294]


def test_a_log_with_tensorflows_lines_alone_is_read_as_well():
    assert read_log(line for line in TRAINING if line.startswith("INFO")).speeds == [1.24294]


def test_lines_that_are_not_tensorflows_are_kept_as_they_are():
    assert messages(["a", "INFO:tensorflow:b", ABSL + "b", "a"]) == ["a", "b", "a"]


# Forms of run_squad.py's line: TensorFlow's, absl's (the Model Zoo's tutorial), and the bare text.
PROGRESS = {
    "INFO:tensorflow:Processed #examples: 128\n": 128,
    "I1129 22:10:31.123456 140213 run_squad.py:1365] Processed #examples: 128\n": 128,
    "I0424 21:14:28.002666 140184442087232 run_squad.py:1365] Processed #examples: 960\r\n": 960,
    "Processed #examples: 128\n": 128,
    "INFO:tensorflow:Processing example: 128\n": None,
    "INFO:tensorflow:Processed #examples: many\n": None,
    "W1129 22:10:31.123456 140213 run_squad.py:1365] Processed #examples: 128\n": None,
    "INFO:tensorflow:Processed #examples: " + 5000 * "9": None,
    "\n": None,
}


@pytest.mark.parametrize(("line", "examples"), PROGRESS.items(), ids=range(len(PROGRESS)))
def test_progress_is_read_in_every_form_in_which_tensorflow_prints_it(line, examples):
    assert progress(line) == examples


def test_the_sizes_of_training_are_kept_when_it_predicts_afterwards():
    predictions = both("***** Running predictions *****", "  Num orig examples = 10570")
    log = read_log([*TRAINING, *predictions, *both("  Batch size = 8")])
    assert (log.batch_size, log.examples) == (24, 87599)


@pytest.mark.parametrize(
    "line",
    [
        "Elapsed time: 1.2.3 num processed examples: 960 threshod_examples: 160",
        "Elapsed time: 1.0 num processed examples: " + 5000 * "9" + " threshod_examples: 160",
        "throughput((num_processed_examples-threshod_examples)/Elapsedtime): 1..2",
        '{"exact_match": NaN, "f1": 1.0}',
        '{"exact_match": 1.0, "exact_match": 1.0}',
        '{"f1":' + 100000 * "[",
    ],
    ids=["decimal", "digits", "throughput", "nan", "twice", "nested"],
)
def test_damaged_lines_are_not_read(line):
    log = read_log([line])
    assert (log.elapsed_s, log.processed, log.throughput, log.scores) == (None, None, None, {})


def test_speeds_of_all_processes_are_added_and_the_start_left_out():
    assert summed_speed([1.0, 1.0, 2.0, 2.5, 2.25, 2.25], 2) == 4.5
    assert summed_speed([1.0, 1.5], 2) == 2.5
    assert summed_speed([1.0], 2) is None
    assert summed_speed([], 1) is None


@given(st.integers(1, 8), st.integers(2, 20), st.floats(0.1, 100))
def test_equal_processes_are_as_many_times_as_fast(processes, rounds, speed):
    assert summed_speed([speed] * processes * rounds, processes) == pytest.approx(processes * speed)


def test_scores_in_either_order():
    expected = {"exact_match": 86.77388836329234, "f1": 92.98642358746287}
    line = '{"f1": 92.98642358746287, "exact_match": 86.77388836329234}'
    assert read_log([line]).scores == expected
    assert read_log(['{"exact_match": 86.77388836329234}', "{not json"]).scores == {}


@pytest.mark.parametrize("loss", ["nan", "inf"])
def test_a_loss_that_is_not_finite(loss):
    log = read_log([f"INFO:tensorflow:Loss for final step: {loss}."])
    assert str(log.final_losses) == f"[{loss}]"


def test_an_empty_log_says_nothing():
    log = read_log([])
    assert log.throughput is None
    assert corrected(log, 32) is None
