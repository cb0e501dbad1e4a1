"""The page on the twin says what its runs were, and no more."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs/results/trust"
sys.path.insert(0, str(ROOT / "tests/fixtures"))

import twin_page  # noqa: E402


def row(**changes):
    return {
        **{"side": "torch-fp32", "layout": "2x1x1", "seed": 1, "share": 0.7, "rate": 20.0},
        **{"requests": 400, "validity": "valid", "inflation": 0.95, "late_p99_ms": 0.2},
        **{"difference_p99_ms": 0.5, "p99_ms": 100.0, "own_p99_ms": 100.2},
        **{"saturated_p99_ms": 110.0, "inflation_of_others": 0.96, "predicted_p99_ms": 103.0},
        **{"predicted_low_ms": 95.0, "predicted_high_ms": 112.0, "verdict": "fits"},
        **{"reasons": "", "cpu": "Example Processor 9000", "slowest_phase": 1.1},
    } | changes


@pytest.mark.skipif(not (FOLDER / "twin.csv").exists(), reason="no page of `make twin` here")
def test_the_page_is_that_of_its_csv():
    rows = twin_page.read_csv((FOLDER / "twin.csv").read_text(encoding="utf-8"))
    assert (FOLDER / "twin.md").read_text(encoding="utf-8") == twin_page.page(rows)


def test_medians_and_the_worst_seed_are_told():
    rows = [row(), row(seed=2, p99_ms=120.0, difference_p99_ms=2.5), row(seed=3, p99_ms=104.0)]
    line = (
        "| torch fp32, 2x1x1 | 0.7 | 104.0 | 0.50 (2.50) | -5.5 % (-9.1) | +1.0 % (+16.5) | "
        "0.950 | 3 | 2 |"
    )
    assert line in twin_page.table(rows)
    told = twin_page.found(rows)
    assert "In 2 of 3 runs the lanes are exact to within 2 ms (the worst: 2.50 ms)." in told
    assert "by 2.9 % and 16.5 %." in told
    assert "2 of 3 lie within the interval" in told


def test_what_was_disturbed_is_told_apart():
    told = twin_page.found([row(), row(seed=2, p99_ms=150.0, validity="disturbed")])
    assert "Of the 1 runs that nothing disturbed it is 2.9 % and 2.9 %." in told


def test_runs_with_a_slow_phase_are_told_from_the_others():
    rows = [row(), row(seed=2, p99_ms=206.0, slowest_phase=1.6), row(seed=3, p99_ms=104.03)]
    told = twin_page.phases(rows)
    assert "**In 1 of 3 runs the machine was slower for a while**" in told
    assert "1.25 times what their lengths explain (up to 1.60 times), of which 1 passed" in told
    assert "The limit of 1.25 was set after a look at runs like these." in told
    assert "In the 2 other runs p99, corrected for the load, is off by 2.0 % in the" in told
    assert "in those, by 100.0 % in the median and 100.0 %." in told
    assert twin_page.phases([row()]) == ""


def test_every_refuted_run_has_its_reason():
    rows = [row(), row(seed=2, verdict="refuted", reasons="p99 is 1.20 times the predicted one")]
    told = twin_page.refuted(rows)
    assert "| torch fp32 | 0.7 | 2 | valid | 0.950 | p99 is 1.20 times the predicted one |" in told
    assert "| 0.7 | 1 |" not in told
    assert twin_page.refuted([row()]) == ""


def test_the_csv_is_read_as_it_was_written():
    rows = [row(reasons='a, "b"')]
    assert twin_page.read_csv(twin_page.as_csv(rows)) == rows


def test_other_columns_are_refused():
    with pytest.raises(KeyError):
        twin_page.read_csv("side,seed\ntorch,1\n")
