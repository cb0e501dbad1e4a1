"""A product before and after a measurement says how fast the machine was."""

import sys
import time

import pytest

from bertsquad.benchmark.calibration import Calibration, Product, gflops, product
from bertsquad.machine.clock import megahertz
from machine.trees import write


class Machine:
    """Takes so many ms for each product, one after the other."""

    def __init__(self, *milliseconds):
        self.now = 0.0
        self.milliseconds = list(milliseconds)
        self.runs = 0

    def run(self):
        self.runs += 1
        ms = self.milliseconds
        self.now += (ms.pop(0) if len(ms) > 1 else ms[0]) / 1000


def test_the_best_of_a_tenth_of_a_second_counts_and_the_first_does_not():
    machine = Machine(1.0, 25.0, 20.0, 30.0)
    rate = gflops(machine.run, lambda: machine.now)
    assert rate == pytest.approx(2 * 512 * 1024 * 1024 / 1e9 / 0.020)
    assert machine.runs == 1 + 5  # 25, 20 and three of 30 ms


def test_a_fast_product_runs_until_the_time_is_over():
    machine = Machine(4.0)
    gflops(machine.run, lambda: machine.now)
    assert machine.runs == 1 + 25


def test_the_first_runs_when_the_model_is_loaded_and_the_second_at_the_end():
    told, made = [], []

    def make(precision, native):
        made.append((precision, native, list(told)))
        return Product("a product", lambda: time.sleep(0.01))

    calibration = Calibration("bf16", True, [0], lambda *step: told.append(step[0]), make)
    assert calibration.result() == {}
    for phase in ("load", "warm-up of all shapes", "warm-up", "timing"):
        calibration.progress(phase, 0, 1)
    found = calibration.result()
    assert told == ["load", "warm-up of all shapes", "warm-up", "timing"]
    assert made == [("bf16", True, ["load"]), ("bf16", True, told)]
    assert found["product"] == "a product"
    assert found["before_gflops"] > 0
    assert found["after_gflops"] > 0
    assert "before_mhz" in found
    assert "after_mhz" in found


def test_without_torch_in_the_process_it_is_numpys_in_fp32(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    made = product("bf16", True)
    made.run()
    assert made.name == "numpy fp32"


def test_with_torch_it_is_a_product_of_the_precision_unless_it_would_be_emulated():
    pytest.importorskip("torch")
    made = product("fp32", True)
    made.run()
    assert made.name == "torch fp32 F.linear"
    assert product("bf16", False).name == "numpy fp32"


def test_the_clock_is_the_mean_of_the_processors_that_compute(tmp_path):
    path = "sys/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq"
    root = write(tmp_path, {path.format(0): "3000000\n", path.format(2): "2000000\n"})
    assert megahertz([0, 2], root) == 2500.0
    assert "unavailable" in megahertz([0, 1], root)
    assert "unavailable" in megahertz([], root)
