"""What only all cells together tell of one."""

import pytest

from bertsquad.console.errors import UserError
from bertsquad.reporting.summary import tables
from bertsquad.reporting.summary.summary import Summary, records
from fake_results import Results, add_cell, add_comparison, add_metrics, cell


def with_product(rate, after=None, product="numpy fp32", **changes):
    calibration = {
        "product": product,
        "before_gflops": rate,
        "after_gflops": rate if after is None else after,
    }
    return cell("torch", "fp32", "padded", 8, 10.0, **changes) | {"calibration": calibration}


def rows_of(results):
    table = tables.summarize(
        results.metrics, results.cells, results.logs, comparisons=results.comparisons
    )
    return records(Summary(table).cells)


def test_a_cell_whose_product_was_slower_than_the_best_cells_is_disturbed(tmp_path):
    results = Results(tmp_path)
    for repeat, rate in enumerate((200.0, 196.0, 170.0), 1):
        add_cell(results, "run", with_product(rate, repeat=repeat))
    found = rows_of(results)
    assert [row["validity"] for row in found] == ["valid", "valid", "disturbed"]
    assert found[2]["validity_reasons"] == "slow_clock 0.15 below the best cell"
    rates = [row["features_per_second_at_reference_clock"] for row in found]
    assert rates == pytest.approx([10.0, 10.0 * 200 / 196, 10.0 * 200 / 170])
    assert [row["features_per_second"] for row in found] == [10.0] * 3  # as measured


def test_only_the_same_product_on_as_many_threads_compares(tmp_path):
    results = Results(tmp_path)
    add_cell(results, "run", with_product(200.0, repeat=1))
    add_cell(results, "run", with_product(90.0, repeat=2, threads=1))
    add_cell(results, "run", with_product(400.0, repeat=3, product="torch bf16 F.linear"))
    assert {row["validity"] for row in rows_of(results)} == {"valid"}


def test_a_precision_that_failed_is_invalid_and_says_why(tmp_path):
    results = Results(tmp_path)
    add_metrics(results, "run", "torch-int8", 80.0, 87.0)
    add_comparison(results, "run", "torch-int8", 0.97, gate="failed")
    add_cell(results, "run", cell("torch", "int8", "padded", 8, 10.0))
    [row] = rows_of(results)
    assert (row["validity"], row["validity_reasons"]) == (
        *("invalid", "failed_f1 0.03 of FP32's F1 lost"),
    )


def test_a_reason_without_a_level_is_refused_in_one_line(tmp_path):
    results = Results(tmp_path)
    data = cell("torch", "fp32", "padded", 8, 10.0)
    data["validity"] = {
        "verdict": "disturbed",
        "reasons": [{"code": "busy", "found": 1.2, "unit": "CPUs"}],
    }
    add_cell(results, "run", data)
    with pytest.raises(UserError, match="`validity` is not as a cell holds it"):
        rows_of(results)


def test_a_cell_that_tells_nothing_of_its_validity_stays_unknown(tmp_path):
    results = Results(tmp_path)
    data = cell("torch", "fp32", "padded", 8, 10.0)
    del data["validity"]
    add_cell(results, "run", data)
    assert rows_of(results)[0]["validity"] == ""
