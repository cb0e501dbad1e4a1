"""The configuration's `comparisons`: sides, files, options, mistakes."""

import shlex

import pytest

from bertsquad.console.errors import UserError
from bertsquad.experiment.comparisons import Comparisons, noise_options, pace_options
from experiment.test_files import experiment


def demo(**comparisons) -> Comparisons:
    return Comparisons(experiment("config.yaml", {"comparisons": comparisons}))


BF16 = {"a": {"precision": "bf16"}, "b": {"precision": "fp32"}}


def test_a_side_is_the_first_of_all_that_it_leaves_out():
    assert demo(x=BF16).side("x", "a") == {
        "run": "demo-fp32",
        "engine": "torch",
        "precision": "bf16",
        "scenario": "offline",
        "batch": "auto",
        "threads": "all",
    }
    padded = {"a": {"scenario": "padded"}, "b": {"scenario": "real-lengths", "batch": 8}}
    assert demo(x=padded).side("x", "a")["batch"] == 1
    assert demo(x=padded).side("x", "b")["batch"] == 8


def test_each_has_a_file_and_nothing_is_measured_without_any():
    assert demo(x=BF16).files() == ["r/comparisons/x.json"]
    assert demo(x=BF16).noise() == ["r/noise.json"]
    assert (demo().files(), demo().noise()) == ([], [])


def test_both_sides_files_are_inputs_once():
    int8 = {"a": {"engine": "openvino", "precision": "int8"}, "b": {"scenario": "end-to-end"}}
    inputs = demo(x=BF16).inputs("x")
    assert inputs[:3] == [
        f"r/demo-fp32/model/{name}" for name in ("model.safetensors", "config.json", "vocab.txt")
    ]
    assert len(inputs) == 4
    assert "r/demo-fp32/openvino-int8/quantized" in demo(x=int8).inputs("x")
    assert any(path.endswith("dev.json") for path in demo(x=int8).inputs("x"))


def test_the_options_of_a_side_are_one_word():
    words = shlex.split(demo(x=BF16).options("x"))
    a = shlex.split(words[words.index("--a") + 1])
    assert a[: a.index("--model")] == [
        *("--engine", "torch", "--precision", "bf16", "--scenario", "offline", "--threads", "all"),
        *("--mode", "offline", "--padding", "none", "--batch-size", "auto", "--count", "128"),
    ]
    assert words[words.index("--metric") :] == [
        *("--metric", "rate", "--turn-seconds", "2", "--same-within", "0.01", "--seed", "0"),
        *("--looks", "8", "16", "32"),
    ]


def test_requests_are_compared_by_their_median_unless_asked_otherwise():
    padded = {"a": {"scenario": "padded"}, "b": {"scenario": "real-lengths"}}
    assert demo(x=padded).settings("x")["metric"] == "p50"
    assert demo(x=padded | {"metric": "p99"}).settings("x")["metric"] == "p99"
    assert demo(x=BF16).settings("x")["metric"] == "rate"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"a": {"run": "other"}, "b": {}},
            "c: comparisons.x.a.run: found 'other', expected",
        ),
        ({"a": {}, "b": {"engine": "tensorrt"}}, "c: comparisons.x.b.engine: found 'tensorrt'"),
        ({"a": {"precision": "int8"}, "b": {}}, "c: comparisons.x.a.precision: found 'int8'"),
        ({"a": {"scenario": "offlin"}, "b": {}}, "did you mean offline"),
        ({"a": {"batch": 8}, "b": {}}, "comparisons.x.a.batch: found 8, but in mode offline"),
        ({"a": {}, "b": {}, "metric": "p99"}, "comparisons.x.metric: found p99, but only mode"),
        ({"a": {"scenario": "end-to-end"}, "b": {}}, "one side starts from texts and the other"),
    ],
)
def test_what_is_no_cell_of_the_configuration_is_refused_with_its_place(given, message):
    with pytest.raises(UserError) as refused:
        demo(x=given).check("c")
    assert message in str(refused.value)


def test_valid_pairs_pass():
    demo(x=BF16, y={"a": {}, "b": {"engine": "onnxruntime"}}).check("c")


def test_noise_is_that_of_the_first_engine_without_an_int8_model():
    assert noise_options(experiment()) == "--engine torch --precision fp32"
    int8 = experiment("config.yaml", {"engines": {"onnxruntime": ["int8", "fp32"]}})
    assert noise_options(int8) == "--engine onnxruntime --precision fp32"
    bf16 = experiment("config.yaml", {"engines": {"torch": ["bf16"]}})
    assert noise_options(bf16) == "--engine torch --precision fp32"  # which nothing emulates


def test_comparisons_wait_for_quiet_as_long_as_the_configuration_says():
    patient = experiment("config.yaml", {"benchmark": {"quiet_seconds": 7}})
    assert pace_options(patient) == "--quiet-seconds 7"
