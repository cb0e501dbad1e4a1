"""Several kinds of machines on one page."""

from bertsquad.reporting.page.deployment import deployments
from bertsquad.reporting.page.machines import (
    answers_table,
    described,
    kinds_table,
    names,
    warnings,
)
from bertsquad.reporting.page.render import render
from bertsquad.reporting.summary import tables
from bertsquad.reporting.summary.comparisons import Change, read_change
from bertsquad.reporting.summary.standing import left_out
from bertsquad.reporting.summary.summary import Summary, records
from fake_report import Page
from fake_results import MACHINE, Results, add_cell, add_comparison, add_metrics, cell, config

HALF = MACHINE | {"allowed_cpus": [0], "warnings": ["half of its processors may be used"]}
KINDS = {"half": HALF, "whole": MACHINE}


def summary(root, **half) -> Summary:
    """Two precisions on two kinds of machines, of which one is twice as fast."""
    results = Results(root)
    add_metrics(results, "demo", "torch-fp32", 80.0, 88.0)
    for machine, rate, host in (("half", 10.0, "n4"), ("whole", 20.0, "n1")):
        for precision, gain in (("fp32", 1.0), ("bf16", 2.0)):
            data = cell("torch", precision, "real-lengths", 1, rate * gain) | {"host": host}
            add_cell(results, "demo", data | (half if machine == "half" else {}), machine)
    return Summary(tables.summarize(results.metrics, results.cells, []))


def test_a_run_on_each_kind_is_a_line_of_its_own_in_figures(tmp_path):
    found = summary(tmp_path)
    assert found.machines == ["half", "whole"]
    assert sorted(set(found.medians()["run"])) == ["demo on half", "demo on whole"]
    assert {row["run"] for row in records(found.cells)} == {"demo"}
    assert {row["run"] for row in records(found.of_machine("half").medians())} == {"demo"}


def test_each_kind_has_a_row_with_what_it_does_best(tmp_path):
    table = kinds_table(summary(tmp_path), KINDS)
    heads = [label for label, _ in table.heads]
    rows = [dict(zip(heads, (each.text for each in row), strict=True)) for row in table.rows]
    assert rows[0] | {"machine": "half", "processors": "1", "measured on": "n4"} == rows[0]
    assert rows[1] | {"machine": "whole", "processors": "2", "measured on": "n1"} == rows[1]
    assert [row["fastest"] for row in rows] == ["20.0", "40.0"]
    assert [row["of them"] for row in rows] == ["2", "2"]


def test_one_kind_without_a_name_has_no_table(tmp_path):
    assert kinds_table(summary(tmp_path), {"": MACHINE}) is None
    assert names({"": MACHINE}) == "Example Processor 9000 (2 cores, 24.0 GiB)"
    assert warnings({"": MACHINE}) == MACHINE["warnings"]
    assert [each.name for each in described({"": MACHINE})] == [""]


def scored(root) -> tuple[Summary, list[Change]]:
    """Kind `half` answered by itself, too: 3 of 500 answers differ in BF16, none in FP32."""
    results = Results(root)
    for precision, once, there, changed in (("fp32", 88.0, 88.0, 0), ("bf16", 87.9, 87.75, 3)):
        model = f"torch-{precision}"
        add_metrics(results, "demo", model, 80.0, once)
        add_metrics(results, "demo", model, 80.0, there, machine="half")
        told = {"changed": changed, "logits": 0.5 * changed, "machine": "half"}
        add_comparison(results, "demo", model, 1.0, **told)
        for machine in KINDS:
            add_cell(results, "demo", cell("torch", precision, "real-lengths", 1, 9.0), machine)
    changes = [read_change(path) for path in results.comparisons]
    return Summary(tables.summarize(results.metrics, results.cells, [])), changes


def test_the_answers_of_a_kind_stand_beside_those_that_are_computed_once(tmp_path):
    table = answers_table(*scored(tmp_path))
    assert [" ".join(filter(None, head)) for head in table.heads] == [
        *("machine", "run", "engine", "precision", "F1 % on this kind", "F1 % computed once"),
        *("difference points", "answers that differ", "logits by up to"),
    ]
    assert [[each.text for each in row] for row in table.rows] == [
        ["half", "demo", "torch", "fp32", "88.00", "88.00", "0.00", "0", "0"],
        ["half", "demo", "torch", "bf16", "87.75", "87.90", "−0.15", "3", "1.50"],
    ]
    assert table.common == [("questions", "500")]


def test_where_no_kind_was_asked_there_is_no_such_table(tmp_path):
    assert answers_table(summary(tmp_path), []) is None


def test_the_page_shows_the_answers_of_kinds_apart_from_what_changes_against_fp32(tmp_path):
    found, changes = scored(tmp_path)
    given = {"figures": {}, "config": config(runs=("demo",)), "inputs": {}}
    page = Page(render(found, machine=HALF, machines=KINDS, changes=changes, **given))
    assert page.broken == []
    assert "The answers of each kind beside those that are computed once" in page.text
    assert "What changes against FP32" not in page.text
    silent = Page(render(summary(tmp_path / "b"), machine=HALF, machines=KINDS, **given))
    assert "The answers of each kind" not in silent.text


def test_what_to_deploy_is_said_of_each_kind(tmp_path):
    said = deployments(summary(tmp_path))
    assert said.startswith("Deploy torch bf16 on machine half, layout 1x1x2: it answers 20.0 ")
    assert " Deploy torch bf16 on machine whole, layout 1x1x2: it answers 40.0 " in said


def test_a_precision_that_one_kind_emulates_is_left_out_there_alone(tmp_path):
    found = left_out(summary(tmp_path, native=False))
    assert {(each.precision, each.reason) for each in found} == {
        (name, f"the processor of machine half has no instructions for {name}")
        for name in ("fp32", "bf16")
    }


def test_the_page_describes_each_kind_and_says_whose_numbers_it_shows(tmp_path):
    html = render(
        summary(tmp_path),
        figures={},
        machine=HALF,
        machines=KINDS,
        config=config(runs=("demo",)),
        inputs={},
    )
    page = Page(html)
    assert page.broken == []
    assert len(page.ids) == len(set(page.ids))
    assert (
        "On half (Example Processor 9000, 1 processor) and whole (Example Processor 9000, 2 "
        "processors)," in page.text
    )
    assert "Kinds of machines" in page.text
    assert "Machine half" in page.text
    assert "Every key of machine.json of whole" in page.text
    assert "Half: half of its processors may be used" in page.text
    assert "torch bf16, real-lengths, batch 1, 2 threads, on whole" in page.text
