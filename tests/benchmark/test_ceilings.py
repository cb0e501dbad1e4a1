"""ceilings.py: the fastest usable path is the ceiling; what is emulated is none."""

import pytest
import torch

from bertsquad.benchmark import ceilings
from bertsquad.benchmark.ceilings import (
    measure_ceilings,
    measure_precision,
    measure_shape,
    sample,
    usable_paths,
)
from bertsquad.benchmark.gemm_paths import PATHS, Shape


class Clock:
    """Stands still but while a call "takes" its seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def call(self, *seconds: float):
        """Takes these seconds in turn, the last ones for ever."""
        left = list(seconds)

        def run() -> None:
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return run

    def path(self, *seconds: float):
        return lambda shape: self.call(*seconds)


def test_a_product_counts_multiplications_and_additions():
    assert Shape(2, 3, 5).flops == 60


def test_the_first_call_is_not_counted_and_calls_take_turns():
    clock = Clock()
    taken = sample({"a": clock.call(4.0, 1.0), "b": clock.call(2.0)}, 0.0, clock)
    assert taken == {"a": [1.0, 1.0, 1.0], "b": [2.0, 2.0, 2.0]}


def test_sampling_goes_on_until_its_time_is_up():
    clock = Clock()
    assert len(sample({"a": clock.call(1.0)}, 7.0, clock)["a"]) == 7


def test_a_hopeless_path_is_called_once():
    clock = Clock()
    taken = sample({"fast": clock.call(1.0), "slow": clock.call(9.0)}, 0.0, clock)
    assert taken == {"fast": [1.0, 1.0, 1.0], "slow": [9.0]}


def test_a_clearly_slower_path_is_not_sampled_on():
    clock = Clock()
    calls = {"fast": clock.call(1.0), "near": clock.call(1.2), "slow": clock.call(2.0)}
    taken = sample(calls, 30.0, clock)
    assert len(taken["slow"]) == 3
    assert len(taken["near"]) == len(taken["fast"]) > 10


def test_the_fastest_path_by_its_best_sample_is_that_of_a_shape():
    clock = Clock()
    paths = {"steady": clock.path(2.0), "best": clock.path(3.0, 3.0, 1.0, 4.0)}
    point = measure_shape(paths, Shape(10, 10**4, 10**4), 0.0, clock)
    assert (point["path"], point["best_s"], point["median_s"]) == ("best", 1.0, 3.0)
    assert point["paths"]["best"] == {
        "gflops": 2.0,
        "gflops_median": pytest.approx(2 / 3),
        "gflops_worst": 0.5,
        "samples": 3,
    }


def test_the_rate_of_a_precision_weighs_shapes_by_their_work(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(ceilings, "LAYER", ((1, 10**6), (1, 4 * 10**6)))
    monkeypatch.setattr(ceilings, "ROWS", 100)
    per_flop = lambda shape: clock.call(0.1 if shape.outputs == 10**6 else 0.9)  # noqa: E731
    entry = measure_precision({"only": per_flop}, {}, True, 0.0, clock)
    assert entry["gflops"] == pytest.approx(1.0)  # 0.2 in 0.1 s and 0.8 in 0.9 s
    assert list(entry["shapes"]) == ["1x1000000", "1x4000000"]


def test_a_reference_kernel_and_a_path_that_is_missing_are_left_out_with_the_reason():
    clock = Clock()

    def missing(shape):
        raise RuntimeError("needs avx512\nand more")

    # 2.1 million operations in a millisecond, and in a second.
    paths = {"good": clock.path(1e-3), "reference": clock.path(1.0), "missing": missing}
    usable, left_out = usable_paths(paths, clock)
    assert list(usable) == ["good"]
    assert left_out == {
        "reference": "a reference kernel: 0.0021 GFLOP/s",
        "missing": "needs avx512",
    }


def test_without_a_path_there_is_no_rate():
    entry = measure_precision({}, {"only": "why"}, True, 0.0, Clock())
    assert (entry["gflops"], entry["left_out"]) == (None, {"only": "why"})


def test_this_machine_has_a_ceiling_in_fp32_and_bandwidth(monkeypatch):
    monkeypatch.setattr(ceilings, "ROWS", 32)
    monkeypatch.setattr(ceilings, "EMULATED_ROWS", 32)
    monkeypatch.setattr(ceilings, "LAYER", ((64, 192), (64, 256)))
    monkeypatch.setattr(ceilings, "ARRAY_MIB", 1)
    measured = measure_ceilings(1, 0.0)
    assert torch.get_num_threads() == 1
    assert set(measured["gemm"]) == {"fp32", "bf16", "int8"}
    assert measured["gemm"]["fp32"]["gflops"] > 0
    assert set(measured["gemm"]["fp32"]["shapes"]) == {"64x192", "64x256"}
    assert measured["memory"]["read"]["gb_per_s"] > 0
    assert measured["memory"]["copy"]["samples"] >= 3


@pytest.mark.parametrize("path", PATHS["fp32"].values(), ids=PATHS["fp32"])
def test_a_path_multiplies(path):
    assert path(Shape(3, 16, 32))().shape == (3, 32)
