"""How a call is shown to a reader."""

from bertsquad.modelzoo.display import explain
from modelzoo.checks.test_machine import SMALL
from modelzoo.guide import INFERENCE_FILES
from modelzoo.test_run import TRAINING, call


def test_what_is_shown_can_be_read_and_holds_every_word():
    benchmark = call(
        {"mode": "benchmark", "precision": "bfloat16", "numactl": "-C 0-27"}, INFERENCE_FILES
    )
    findings = benchmark.findings(SMALL, {}, files=False)
    text = explain("benchmark", benchmark.line, SMALL.machine, findings, image="dlrs:v0.7.0")
    assert text.startswith("# benchmark, in the image dlrs:v0.7.0\n")
    assert 'export PYTHONPATH="$PYTHONPATH:/tmp/models/benchmarks"' in text
    assert "OMP_NUM_THREADS=0 \\\n" in text
    assert "--mode=benchmark" in text
    assert "# error: --physcpubind names 2-27" in text
    assert all(line.startswith("# ") for line in text.split("\n\n")[-1].splitlines())


def test_a_command_line_that_is_not_modelled_is_shown_with_the_reason():
    wrong = call(TRAINING | {"arguments": {"train_option": "Classifier"}})
    text = explain("train", wrong.line, SMALL.machine, [])
    assert "# nothing: train_option: found Classifier" in text
