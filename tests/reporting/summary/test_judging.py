"""What only all cells together tell of one."""

import json

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


def measured_on(host="n1", **identity):
    same = {"model": "Example Processor 9000", "flags_sha256": "f" * 64, "cores": 2}
    return {"host": host, "node": None, "cpu_identity": same | identity}


def judged(results, machines):
    table = tables.summarize([], results.cells, [], machines=machines)
    return records(Summary(table).cells)


def test_a_cell_of_another_machine_than_machine_json_is_disturbed_and_names_both(tmp_path):
    results = Results(tmp_path)
    data = cell("torch", "fp32", "padded", 8, 10.0)
    add_cell(results, "run", data | measured_on())
    other = measured_on("n7", model="AMD EPYC 9755") | {"cpu": "AMD EPYC 9755", "repeat": 2}
    add_cell(results, "run", data | other)
    found = judged(results, {"": measured_on("n2")})
    assert [row["validity"] for row in found] == ["valid", "disturbed"]
    assert found[1]["validity_reasons"] == (
        "other_machine measured on host n7, AMD EPYC 9755; machine.json is of n2, "
        "Example Processor 9000"
    )
    assert [row["host"] for row in found] == ["n1", "n7"]


def test_it_is_so_for_a_cell_that_tells_nothing_else_of_its_validity(tmp_path):
    results = Results(tmp_path)
    data = cell("torch", "fp32", "padded", 8, 10.0)
    del data["validity"]
    add_cell(results, "run", data)
    [row] = judged(results, {"": measured_on(model="Another")})
    assert row["validity"] == "disturbed"


def test_half_the_processors_are_another_machine(tmp_path):
    results = Results(tmp_path)
    add_cell(results, "run", cell("torch", "fp32", "padded", 8, 10.0) | measured_on(cores=1))
    [row] = judged(results, {"": measured_on()})
    assert row["validity_reasons"] == (
        "other_machine measured on host n1, Example Processor 9000, 1 processor; machine.json is "
        "of n1, Example Processor 9000, 2 processors"
    )


def test_each_kind_of_machine_is_held_against_its_own_machine_json(tmp_path):
    results = Results(tmp_path)
    for machine, cores in (("half", 1), ("whole", 2)):
        add_cell(results, "run", cell("torch", "fp32", "padded", 8, 10.0 * cores), machine)
        data = json.loads(results.cells[-1].read_text())
        results.cells[-1].write_text(json.dumps(data | measured_on(cores=cores)))
    machines = {"half": measured_on(cores=1), "whole": measured_on()}
    found = judged(results, machines)
    assert [(row["machine"], row["validity"]) for row in found] == [
        ("half", "valid"),
        ("whole", "valid"),
    ]
    swapped = judged(results, {"half": machines["whole"], "whole": machines["half"]})
    assert [row["validity"] for row in swapped] == ["disturbed", "disturbed"]


def test_products_compare_within_a_kind_of_machine(tmp_path):
    results = Results(tmp_path)
    for machine, rate in (("half", 100.0), ("whole", 200.0)):
        add_cell(results, "run", with_product(rate), machine)
    assert {row["validity"] for row in rows_of(results)} == {"valid"}
