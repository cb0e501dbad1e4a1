"""F1 against speed: a point a cell, its intervals, the gate."""

import numpy as np
import pytest

from bertsquad.reporting import style
from bertsquad.reporting.figures import tradeoff
from bertsquad.reporting.summary import tables
from bertsquad.reporting.summary.summary import Summary, records
from fake_results import Results, add_cell, add_comparison, add_metrics, cell, engines


def summary_of(results):
    return Summary(
        tables.summarize(
            results.metrics, results.cells, results.logs, comparisons=results.comparisons
        )
    )


def drawn(results):
    with style.styled():
        return tradeoff.draw(summary_of(results))


@pytest.fixture
def two(tmp_path):
    """FP32 of F1 90 at 10 features a second, INT8 of 85.5 (too little) at 40."""
    results = Results(tmp_path)
    add_metrics(results, "run", "torch-fp32", 80.0, 90.0)
    add_metrics(results, "run", "torch-int8", 76.0, 85.5)
    add_comparison(results, "run", "torch-int8", 0.95)
    add_cell(results, "run", cell("torch", "fp32", "padded", 8, 10.0))
    add_cell(results, "run", cell("torch", "int8", "padded", 8, 40.0))
    return results


def points(axes):
    """Where the marks of cells are."""
    return sorted(
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
        for line in axes.lines
        if line.get_marker() in "os^D"
    )


def test_a_point_is_a_cell_and_the_gate_is_a_share_of_fp32(two):
    (axes,) = drawn(two).axes
    assert points(axes) == [(10.0, 90.0), (40.0, 85.5)]
    gates = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert [line.get_ydata()[0] for line in gates] == [pytest.approx(0.99 * 90.0)]
    low, high = axes.get_ylim()
    assert low < 82.5  # the lower end of INT8's interval
    assert high > 93.0


def test_the_upright_bar_is_the_interval_of_f1_and_the_level_one_of_the_time(two):
    (axes,) = drawn(two).axes
    bars = [(line.get_xdata(), line.get_ydata()) for line in axes.lines]
    upright = [(x[0], *y) for x, y in bars if len(x) == 2 and x[0] == x[1]]
    assert (10.0, 87.0, 93.0) in upright
    level = [x for x, y in bars if len(x) == 2 and y[0] == y[1] == 90.0]
    assert np.allclose(level, [[10.0 / 1.02, 10.0 / 0.98]])


def test_of_several_repeats_the_level_bar_is_their_range(two):
    for repeat, rate in ((2, 9.0), (3, 13.0)):
        add_cell(two, "run", cell("torch", "fp32", "padded", 8, rate, repeat=repeat))
    (axes,) = drawn(two).axes
    assert (10.0, 90.0) in points(axes)
    level = [list(line.get_xdata()) for line in axes.lines if list(line.get_ydata()) == [90.0] * 2]
    assert level == [[9.0, 13.0]]


def test_a_cell_without_percentiles_has_no_interval_of_speed(two):
    row = records(summary_of(two).medians())[0]
    assert tradeoff.speed_ends(row) == pytest.approx((10.0 / 1.02, 10.0 / 0.98))
    assert tradeoff.speed_ends(row | {"latency_p50_high_ms": None}) is None


def test_engines_stand_side_by_side_and_wide_ranges_have_powers(tmp_path):
    figure = drawn(engines(tmp_path, bf16=False))
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "torch",
        "onnxruntime",
        "openvino",
    ]
    assert figure.axes[0].get_xscale() == "log"


def test_what_was_timed_and_not_scored_is_no_point(tmp_path):
    results = Results(tmp_path)
    assert drawn(results) == "Nothing that was timed was scored."
    add_cell(results, "run", cell("torch", "fp32", "padded", 8, 10.0))
    assert drawn(results) == "Nothing that was timed was scored."
