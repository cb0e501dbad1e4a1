"""The benchmark's command for one cell: what it runs, and where an INT8 model is."""

import sys
from pathlib import Path

from bertsquad.planner.benchmarking import Target, command, quantized_of


def words(target, **more):
    found = command(
        *(Path("scripts"), Path("results"), target, Path("made.json")),
        **({"scenario": "check", "seconds": 60} | more),
    )
    assert found[0] == sys.executable
    return " ".join(found[1:])


def test_a_server_runs_in_its_layout():
    target = Target("demo", "dev", "demo/model", "torch", "bf16", "1x2x1")
    assert words(target, more=("--load", "rate8", "--seed", 3)) == (
        "scripts/benchmark_serving.py --mode server --scenario check --engine torch "
        "--precision bf16 --model demo/model --features dev --seconds 60 --repeat 1 "
        "--output made.json --layout 1x2x1 --load rate8 --seed 3"
    )


def test_single_requests_have_threads_in_place_of_a_layout():
    target = Target("demo", "dev", "demo/model", "torch", "fp32", "1x1x4", "batches")
    assert words(target, seconds=2.5, repeat=2) == (
        "scripts/benchmark_inference.py --mode batches --scenario check --engine torch "
        "--precision fp32 --model demo/model --features dev --seconds 2.5 --repeat 2 "
        "--output made.json --padding none --batch-size 1 --warmup 5 --threads 4"
    )


def test_an_int8_model_is_beside_its_run():
    assert quantized_of(Path("results"), "demo", "openvino") == Path(
        "results/demo/openvino-int8/quantized"
    )
    target = Target("demo", "dev", "demo/model", "openvino", "int8", "2x1x1", "saturated")
    assert words(target).endswith(
        " --layout 2x1x1 --quantized results/demo/openvino-int8/quantized"
    )
