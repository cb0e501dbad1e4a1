"""The modelled launcher against captures of the real one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.console.errors import UserError
from bertsquad.modelzoo.command_line import parse
from bertsquad.modelzoo.launcher import Launched, Machine, launched, max_seq_length
from modelzoo.guide import INFERENCE, TRAINING, here, words

COOPER_LAKE = Machine(sockets=4, cores_per_socket=24)
TWO_SOCKETS = Machine(sockets=2, cores_per_socket=28)


@pytest.fixture(scope="module")
def captured(golden) -> dict:
    return golden["launcher_v1.6.1"]


def run(text: str, machine: Machine = COOPER_LAKE, environment: dict | None = None) -> Launched:
    return launched(parse(words(text)), machine, environment or {})


def test_the_guides_training_is_what_was_captured(captured):
    done = run(TRAINING)
    assert list(done.argv) == here(captured["guide_training_argv"])
    assert done.environment == captured["guide_training_env"]
    assert done.prefix == ()


def test_the_guides_inference_is_what_was_captured(captured):
    key = "guide_inference_argv_after_guide_prefix_numactl_--localalloc_--physcpubind=0-27"
    done = run(INFERENCE)
    assert list(done.argv) == here(captured[key])
    assert done.environment == captured["guide_inference_env"]
    assert done.prefix == ("numactl", "--localalloc", "--physcpubind=0-27")


def test_the_guides_constants_leave_nothing_to_the_machine(captured):
    assert run(TRAINING, TWO_SOCKETS) == run(TRAINING, Machine(1, 2))
    assert run(INFERENCE, TWO_SOCKETS) == run(INFERENCE, Machine(1, 2))


def test_the_guides_training_warms_up_although_it_asks_not_to(captured):
    assert "warmup-steps=0" in TRAINING
    assert not any("warmup" in word for word in run(TRAINING).argv)


def test_training_has_one_rank_for_each_of_the_nodes_0_to_3_whether_there_are_such_or_not():
    argv = run(TRAINING, Machine(sockets=1, cores_per_socket=2)).argv
    nodes = [argv[place + 1] for place, word in enumerate(argv) if word == "-N"]
    assert nodes == ["0", "1", "2", "3"]


def test_accuracy_only_changes_the_mode_alone():
    plain, accurate = run(INFERENCE), run(INFERENCE.replace("benchmark-only", "accuracy-only"))
    changed = [word.replace("--mode=benchmark", "--mode=accuracy") for word in plain.argv]
    assert list(accurate.argv) == changed


def test_both_only_options_benchmark():
    argv = run(INFERENCE + " --accuracy-only").argv
    assert argv.index("--mode=accuracy") + 1 == argv.index("--mode=benchmark")


def test_neither_only_option_benchmarks():
    assert run(INFERENCE.replace("--benchmark-only", "")).argv == run(INFERENCE).argv


def test_a_socket_is_bound_by_numactl():
    argv = run(INFERENCE + " --socket-id 0").argv
    assert argv[:3] == ("numactl", "--cpunodebind=0", "--membind=0")
    assert argv[3:] == run(INFERENCE).argv


# Model arguments and changes of the guide's inference -> the words after `--do_predict=True`, as
# v1.6.1 was seen to order them.
ACCURACY = ("--benchmark-only", "--accuracy-only")
THREADS = ("--inter_op_parallelism_threads=1", "--intra_op_parallelism_threads=28")
TAILS = {
    "nothing": ("", [], ("--mode=benchmark", *THREADS)),
    "a length and a stride": (
        "max-seq-length=128 doc-stride=64",
        [],
        ("--mode=benchmark", "--doc_stride=64", "--max_seq_length=128", *THREADS),
    ),
    "a stride": ("doc_stride=64", [], ("--mode=benchmark", "--doc_stride=64", *THREADS)),
    "a stride of 0": ("doc_stride=0", [], ("--mode=benchmark", *THREADS)),
    "a length of 0": ("max_seq_length=0", [], ("--mode=benchmark", *THREADS)),
    "a stride of 0 and a length": (
        "doc_stride=0 max_seq_length=256",
        [],
        ("--mode=benchmark", "--max_seq_length=256", *THREADS),
    ),
    "accuracy and a length": (
        "max_seq_length=128",
        [ACCURACY],
        ("--mode=accuracy", "--max_seq_length=128", *THREADS),
    ),
    "a profile and a stride": (
        "profile=True doc_stride=64",
        [],
        ("--mode=profile", "--mode=benchmark", "--doc_stride=64", *THREADS),
    ),
    "a length and threads of one kind": (
        "max_seq_length=128",
        [("--num-intra-threads 28", "")],
        ("--mode=benchmark", "--max_seq_length=128", "--inter_op_parallelism_threads=1"),
    ),
    "a length and no threads": (
        "max_seq_length=128",
        [("--num-intra-threads 28", ""), ("--num-inter-threads 1", "")],
        ("--mode=benchmark", "--max_seq_length=128"),
    ),
}


@pytest.mark.parametrize(("arguments", "changes", "tail"), TAILS.values(), ids=TAILS)
def test_words_of_inference_are_in_the_scripts_own_order(arguments, changes, tail):
    text = INFERENCE
    for before, after in changes:
        text = text.replace(before, after)
    argv = run(f"{text} -- {arguments}").argv
    assert argv[argv.index("--do_predict=True") + 1 :] == tail


MPIRUN = ("mpirun", "--allow-run-as-root", "-n")
BOUND = ("numactl", "--cpunodebind=1", "--membind=1")
# Options added to the guide's inference -> the words before run_squad.py on 2 sockets of 28 cores.
HEADS = {
    "": ("python3",),
    "--socket-id=1": (*BOUND, "python3"),
    "--mpi_num_processes=1": (*MPIRUN, "1", "--map-by", "socket", "python3"),
    "--mpi_num_processes=1 --socket-id=1": (
        *BOUND,
        *MPIRUN,
        *("1", "--map-by", "socket", "python3"),
    ),
    "--mpi_num_processes=2 --socket-id=1": (
        *BOUND,
        *MPIRUN,
        *("2", "--map-by", "socket", "python3"),
    ),
    "--mpi_num_processes=4 --mpi_num_processes_per_socket=2 --socket-id=1": (
        *BOUND,
        *MPIRUN,
        *("4", "--map-by", "ppr:2:socket:pe=14", "--cpus-per-proc", "14", "python3"),
    ),
    "--mpi_num_processes_per_socket=2 --socket-id=1": (*BOUND, "python3"),
}


@pytest.mark.parametrize("options", HEADS)
def test_inference_is_bound_to_a_socket_with_and_without_mpi(options):
    argv = run(f"{INFERENCE} {options}", TWO_SOCKETS).argv
    script = next(place for place, word in enumerate(argv) if word.endswith("/run_squad.py"))
    assert argv[:script] == HEADS[options]


def test_training_is_bound_to_a_socket_only_without_mpi():
    alone = TRAINING.replace("--mpi_num_processes=4", "--socket-id=1")
    assert run(alone, TWO_SOCKETS).argv[:3] == BOUND
    both = TRAINING.replace("--mpi_num_processes=4", "--mpi_num_processes=4 --socket-id=1")
    assert run(both, TWO_SOCKETS).argv == run(TRAINING, TWO_SOCKETS).argv


def test_profile_cannot_win_over_benchmark():
    argv = run(INFERENCE + " -- profile=True").argv
    assert argv.index("--mode=profile") + 1 == argv.index("--mode=benchmark")


def test_the_step_between_is_what_was_seen():
    assert list(run(INFERENCE).step) == [
        "python3",
        "common/tensorflow/run_tf_benchmark.py",
        "--framework=tensorflow",
        "--use-case=language_modeling",
        "--model-name=bert_large",
        "--precision=bfloat16",
        "--mode=inference",
        "--benchmark-dir=/tmp/models/benchmarks",
        "--intelai-models=/tmp/models/benchmarks/../models/language_modeling/tensorflow/bert_large",
        "--num-cores=-1",
        "--batch-size=32",
        "--socket-id=-1",
        "--output-dir=/tmp/SQuAD_1.1_inference",
        "--num-train-steps=1",
        "--benchmark-only",
        "--checkpoint=/tmp/bert_large_checkpoints",
        "--data-location=/tmp/wwm_uncased_L-24_H-1024_A-16",
        "--num-inter-threads=1",
        "--num-intra-threads=28",
        "--disable-tcmalloc=True",
    ]


def test_several_processes_per_socket_lose_the_word_mpirun():
    argv = run(TRAINING.replace("per_socket=1", "per_socket=2")).argv
    assert argv[:3] == ("-np", "1", "numactl")


def test_inference_with_processes_starts_whole_copies():
    argv = run(INFERENCE + " --mpi_num_processes=2").argv
    start = ("mpirun", "--allow-run-as-root", "-n", "2", "--map-by", "socket", "python3")
    assert argv[:7] == start
    argv = run(
        INFERENCE + " --mpi_num_processes=8 --mpi_num_processes_per_socket=4", TWO_SOCKETS
    ).argv
    assert argv[4:9] == ("--map-by", "ppr:4:socket:pe=7", "--cpus-per-proc", "7", "python3")


def test_the_number_of_cores_binds_nothing():
    assert run(INFERENCE + " --num-cores 4").argv == run(INFERENCE).argv


# (options of the guide's training left out, options added) -> inter, intra on 2 sockets of 28 cores
DEFAULT_THREADS = {
    "with MPI two cores are left": ((), "", ("1", "26")),
    "without MPI all sockets": (("--mpi_num_processes=4",), "", ("2", "56")),
    "one socket": (("--mpi_num_processes=4",), "--socket-id=0", ("1", "28")),
    "a number of cores": (("--mpi_num_processes=4",), "--num-cores=8", ("2", "8")),
}


@pytest.mark.parametrize(
    ("out", "added", "expected"), DEFAULT_THREADS.values(), ids=DEFAULT_THREADS
)
def test_default_threads_of_training(out, added, expected):
    text = TRAINING.replace("--num-intra-threads=22", added or " ")
    for option in ("--num-inter-threads=1", *out):
        text = text.replace(option, " ")
    argv = run(text, TWO_SOCKETS).argv
    assert f"--inter_op_parallelism_threads={expected[0]}" in argv
    assert f"--intra_op_parallelism_threads={expected[1]}" in argv


def test_inference_on_two_cores_would_have_no_thread():
    text = INFERENCE.replace("--num-intra-threads 28", "").replace("--num-inter-threads 1", "")
    done = run(text, Machine(sockets=1, cores_per_socket=2))
    assert done.environment["OMP_NUM_THREADS"] == "0"
    assert done.environment["TF_NUM_INTEROP_THREADS"] == "1"
    assert not any("parallelism_threads" in word for word in done.argv)


def test_a_variable_that_is_set_stays():
    environment = {"OMP_NUM_THREADS": "3", "KMP_AFFINITY": "granularity=fine"}
    done = run(INFERENCE, environment=environment)
    assert done.environment["OMP_NUM_THREADS"] == "3"
    assert done.environment["KMP_AFFINITY"] == "granularity=fine"
    assert done.environment["KMP_BLOCKTIME"] == "1"


def test_an_empty_variable_counts_as_not_set():
    assert run(INFERENCE, environment={"OMP_NUM_THREADS": ""}) == run(INFERENCE)


def test_a_variable_named_like_a_model_argument_leaks_in():
    assert "--doc_stride=64" in run(INFERENCE, environment={"doc_stride": "64"}).argv


def test_defaults_of_training():
    argv = run(TRAINING.split("-- train_option")[0] + "-- train_option=SQuAD").argv
    expected = {"learning_rate": "3e-05", "max_seq_length": "512", "num_train_epochs": "20"}
    expected |= {"vocab_file": "vocab.txt", "do_train": "True", "init_checkpoint": ""}
    expected |= {"bert_config_file": "bert_config.json", "do_predict": "True", "profile": "False"}
    expected |= {"train_file": "train-v1.1.json", "predict_file": "dev-v1.1.json"}
    expected |= {"do_lower_case": "False", "experimental_gelu": "False", "doc_stride": "128"}
    expected |= {"optimized_softmax": "False", "mpi_workers_sync_gradients": "False"}
    expected |= {"accum_steps": "1", "train_batch_size": "24"}
    assert {f"--{name}={value}" for name, value in expected.items()} - set(argv) == set()


def test_defaults_of_inference():
    argv = run(INFERENCE.split("-- ")[0], COOPER_LAKE).argv
    names = {word.partition("=")[0]: word.partition("=")[2] for word in argv if "=" in word}
    assert names["--init_checkpoint"].endswith("model.ckpt-3649")
    assert names["--vocab_file"].endswith("vocab.txt")
    assert names["--bert_config_file"].endswith("bert_config.json")
    assert names["--predict_file"].endswith("dev-v1.1.json")
    assert "--doc_stride" not in names
    assert "--max_seq_length" not in names


@pytest.mark.parametrize(
    ("mode", "given", "length"),
    [
        ("training", {}, 512),
        ("training", {"max_seq_length": "0"}, 0),
        ("inference", {}, 384),
        ("inference", {"max_seq_length": "0"}, 384),
        ("inference", {"max_seq_length": "128"}, 128),
    ],
)
def test_the_length_that_the_script_uses(mode, given, length):
    assert max_seq_length(mode, given) == length


def test_the_log_goes_to_the_model_zoo_without_an_output_folder():
    argv = run(INFERENCE.replace("--output-dir /tmp/SQuAD_1.1_inference", "")).argv
    assert "--output_dir=/tmp/models/benchmarks/common/tensorflow/logs" in argv


def test_relative_names_need_a_folder():
    with pytest.raises(UserError, match="--data-location: missing"):
        run(INFERENCE.replace("--data-location /tmp/wwm_uncased_L-24_H-1024_A-16", ""))
    argv = run(INFERENCE + " -- vocab_file=/elsewhere/vocab.txt").argv
    assert "--vocab_file=/elsewhere/vocab.txt" in argv


@pytest.mark.parametrize("option", ["train_option=Classifier", "profile=True"])
def test_only_squad_is_known(option):
    with pytest.raises(UserError, match="train_option"):
        run(TRAINING.replace("train_option=SQuAD", option))


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        (INFERENCE + " -- do_lower_case=True", "--do-lower-case=True"),
        (TRAINING.replace("bfloat16", "fp32"), "--optimized-softmax=True"),
    ],
)
def test_arguments_that_a_script_does_not_know_end_it(text, refused):
    with pytest.raises(UserError, match=f"unrecognized arguments: {refused}$"):
        run(text)


def test_fp32_training_has_no_word_of_the_softmax():
    text = TRAINING.replace("bfloat16", "fp32").replace("optimized-softmax=True", "")
    argv = run(text).argv
    assert not any("softmax" in word for word in argv)
    assert any(word.endswith("/training/fp32/run_squad.py") for word in argv)


@given(st.floats(1e-7, 1, allow_subnormal=False), st.integers(1, 10000))
def test_numbers_are_written_as_python_writes_them(rate, epochs):
    text = TRAINING.replace("1.5e-5", repr(rate)).replace("epochs=2", f"epochs={epochs}")
    argv = run(text).argv
    assert f"--learning_rate={rate}" in argv
    assert f"--num_train_epochs={float(epochs)}" in argv


@given(st.integers(1, 16))
def test_every_rank_has_the_same_words(ranks):
    argv = list(run(TRAINING.replace("processes=4", f"processes={ranks}")).argv)
    parts: list[list[str]] = [[]]
    for word in argv[4:]:
        parts.append([]) if word == ":" else parts[-1].append(word)
    assert len(parts) == ranks
    assert len({tuple(part[7:]) for part in parts}) == 1
    assert [part[:7] for part in parts] == [
        ["-np", "1", "numactl", "-N", str(rank), "-m", str(rank)] for rank in range(ranks)
    ]
