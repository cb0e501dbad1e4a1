"""report.py writes one HTML file; show_results.py prints the figures that matter."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bertsquad.reporting.summary.tables import summarize
from fake_results import (
    CHECKSUMS,
    MACHINE,
    Results,
    add_cell,
    add_comparison,
    add_metrics,
    cell,
    config,
    demo,
    engines,
    large,
    write,
)
from show_results import SUMMARY

ROOT = Path(__file__).resolve().parent.parent.parent
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><title>x</title></svg>'


def run(script, *options):
    command = [sys.executable, f"scripts/{script}.py", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def write_summary(results):
    summary = results.root / "summary.csv"
    table = summarize(results.metrics, results.cells, results.logs, comparisons=results.comparisons)
    table.to_csv(summary, index=False)
    return summary


@pytest.fixture
def folder(tmp_path):
    write_summary(demo(tmp_path))
    (tmp_path / "accuracy.svg").write_text(SVG)
    write(tmp_path / "machine.json", MACHINE)
    write(tmp_path / "config.json", config())
    write(tmp_path / "inputs.json", CHECKSUMS)
    question = {"id": "q", "question": "Who?", "answers": [{"text": "Ada", "answer_start": 3}]}
    paragraph = {"context": "By Ada.", "qas": [question]}
    data = [{"title": "T", "paragraphs": [paragraph]}]
    write(tmp_path / "dev.json", {"version": "1.1", "data": data})
    write(tmp_path / "demo-fp32" / "torch-bf16" / "predictions.json", {"q": "Ada"})
    return tmp_path


def report(folder, *options):
    return run(
        "report",
        *("--summary", folder / "summary.csv", "--figures", folder / "accuracy.svg"),
        *("--machine", folder / "machine.json", "--config", folder / "config.json"),
        *("--checksums", folder / "inputs.json", "--output", folder / "report.html"),
        *options,
    )


def test_the_report_holds_numbers_examples_and_the_command(folder):
    predictions = folder / "demo-fp32" / "torch-bf16" / "predictions.json"
    examples = ("--dataset", folder / "dev.json", "--predictions", predictions)
    done = report(folder, *examples, "--command", "make run")
    assert done.returncode == 0, done.stderr
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert "<b>F1 of 91.40&nbsp;%</b>" in html
    assert "answered by run demo-fp32 with torch bf16" in html
    assert "make run</pre>" in html
    assert "Version 0.1.0. " in html
    assert str(folder) not in html


CERTIFICATE = ROOT / "tests/fixtures/certificate.json"


def test_the_report_shows_the_certificate_on_a_screen_of_its_own(folder):
    done = report(folder, "--certificate", CERTIFICATE)
    assert done.returncode == 0, done.stderr
    html = (folder / "report.html").read_text(encoding="utf-8")
    chain = json.loads(CERTIFICATE.read_text())["chain_sha256"]
    assert '<section id="certificate">' in html
    assert f"{chain[:4]} {chain[4:8]}" in html
    assert chain in html
    assert "Other programs or the machine disturbed 1 of 1 measurement" in html
    assert '<a href="#certificate">Certificate</a>' in html


def test_a_damaged_certificate_is_one_line_and_leaves_the_old_report(folder):
    (folder / "report.html").write_text("old")
    (folder / "certificate.json").write_text('{"format": "bertsquad-certificate/9"}')
    done = report(folder, "--certificate", folder / "certificate.json")
    assert done.returncode == 2
    assert "expected 'bertsquad-certificate/1'" in done.stderr
    assert (folder / "report.html").read_text() == "old"


def test_show_results_ends_with_the_number(folder):
    (folder / "report.html").write_text("")
    options = ("--summary", folder / "summary.csv", "--report", folder / "report.html")
    done = run("show_results", *options, "--certificate", CERTIFICATE)
    chain = json.loads(CERTIFICATE.read_text())["chain_sha256"]
    last = f"  chain:   {chain} (doubts: 1 disturbed measurement)"
    assert done.stdout.splitlines()[-1] == last


def a_plan(**changes):
    option = "here: demo torch fp32 1x1x2"
    row = {
        "option": option, "machine": "here", "machines": 2, "engine": "torch",
        "precision": "fp32", "layout": "1x1x2", "f1": 88.0,
    }  # fmt: skip
    settings = {
        "percentile": 99, "slo_ms": 500.0, "rate": 150.0, "budget": None, "currency": "EUR <b>",
        "prices_as_of": "2026-11-01", "classes": {"all": 1.0},
    }  # fmt: skip
    plan = {"status": "optimal", "settings": settings, "fleet": [row], "disturbed": []}
    return {**plan, "rate": 150.0, "cost": 4.4, "dropped": [], "relaxations": [], **changes}


def first_sentence(folder, *options):
    done = report(folder, *options)
    assert done.returncode == 0, done.stderr
    html = (folder / "report.html").read_text(encoding="utf-8")
    return html.partition('<p class="deployment"><strong>')[2].partition("</strong>")[0]


def test_the_report_opens_with_the_plan_where_there_is_one(folder):
    plan = write(folder / "plan.json", a_plan())
    without = first_sentence(folder)
    assert "The plan" not in without
    bytes_without = (folder / "report.html").read_bytes()
    assert first_sentence(folder, "--plan", plan) == (
        "The plan: 2 x here (torch fp32, layout 1x1x2, F1 88.0) carry 150 questions/s with p99 "
        "within 500 ms, for 4.4 EUR &lt;b&gt; an hour (prices of 2026-11-01)."
    )
    # The rule gives the option without a file where there is no plan.
    assert first_sentence(folder, "--plan") == without
    assert (folder / "report.html").read_bytes() == bytes_without


def test_a_plan_that_is_impossible_or_rests_on_disturbed_cells_is_said_as_such(folder):
    budget = [{"limit": "budget", "to": None}]
    plan = a_plan(status="infeasible", fleet=[], relaxations=budget, bottleneck=None)
    assert first_sentence(folder, "--plan", write(folder / "plan.json", plan)) == (
        "No plan carries 150 questions/s with p99 within 500 ms: the machines that can be had are "
        "too few or too slow."
    )
    plan = a_plan(disturbed=["here: demo torch fp32 1x1x2"])
    assert first_sentence(folder, "--plan", write(folder / "plan.json", plan)) == (
        "What to deploy cannot be said yet: the plan takes here: demo torch fp32 1x1x2, which was "
        "disturbed while it was measured; measure again on a quiet machine and run "
        "<code>snakemake plan</code>."
    )


@pytest.mark.parametrize(
    "plan", [{}, [], {"status": "optimal"}, a_plan(rate="many"), a_plan(fleet=3)]
)
def test_what_is_no_plan_is_refused_in_one_line(folder, plan):
    done = report(folder, "--plan", write(folder / "plan.json", plan))
    assert done.returncode == 2
    assert "plan.json: " in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (folder / "report.html").exists()


def test_examples_are_not_needed(folder):
    assert report(folder).returncode == 0
    assert 'id="examples"' not in (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["machine.json", "config.json", "inputs.json", "summary.csv"])
def test_a_missing_input_is_named(folder, name):
    (folder / name).unlink()
    done = report(folder)
    assert done.returncode == 2
    assert f"{name}: no such file" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (folder / "report.html").exists()


def test_all_questions_are_written_beside_the_page(folder):
    predictions = folder / "demo-fp32" / "torch-bf16" / "predictions.json"
    done = report(folder, "--explore", folder / "dev.json", predictions)
    assert done.returncode == 0, done.stderr
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert '<div id="explorer" data-folder="questions" data-count="1">' in html
    names = sorted(path.name for path in (folder / "questions").iterdir())
    assert names == ["block-0.js", "index.js"]
    index = (folder / "questions" / "index.js").read_text(encoding="utf-8")
    assert '"id":["q"]' in index
    assert "demo-fp32, torch bf16" in index


def test_questions_need_somebody_who_answered_them(folder):
    done = report(folder, "--explore", folder / "dev.json")
    assert done.returncode == 2
    assert "--explore needs a dataset and at least one predictions.json" in done.stderr


def test_predictions_need_their_dataset(folder):
    done = report(folder, "--dataset", folder / "dev.json")
    assert done.returncode == 2
    assert "--dataset and --predictions go together" in done.stderr


def test_show_results_prints_scores_and_the_fastest_cell(folder):
    (folder / "report.html").write_text("x")
    paths = ("--summary", folder / "summary.csv", "--report", folder / "report.html")
    assert run("show_results", *paths).stdout.splitlines() == [
        "  Deploy torch bf16 on this machine, layout 1x1x2: it answers 279 requests a second, one "
        "after another, with p99 4.30 ms, F1 91.30 %; `snakemake --cores all plan` tells which "
        "rate keeps a limit of p99.",
        "  demo-fp32  torch  fp32  exact match  86.00 %  F1  91.40 %",
        "  demo-fp32  torch  bf16  exact match  85.80 %  F1  91.30 %",
        "  demo-bf16  torch  fp32  exact match  85.20 %  F1  90.90 %",
        "  demo-bf16  torch  bf16  exact match  85.00 %  F1  90.80 %",
        "  untrained  torch  fp32  exact match   0.40 %  F1   6.30 %",
        "  fastest: 439 features/s (torch bf16, real-lengths, batch 32, 2 threads)",
        f"  report:  {(folder / 'report.html').resolve()}",
    ]


def test_show_results_opens_with_the_plan_where_there_is_one(folder):
    (folder / "report.html").write_text("x")
    (folder / "plan").mkdir()
    plan = write(folder / "plan/plan.json", a_plan())
    paths = ("--summary", folder / "summary.csv", "--report", folder / "report.html")
    first = run("show_results", *paths).stdout.splitlines()[0]
    assert first.startswith("  The plan: 2 x here (torch fp32, layout 1x1x2, F1 88.0) carry")
    write(plan, [])
    done = run("show_results", *paths)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "plan.json: not as this version writes it" in line
    assert line.endswith("`snakemake plan --forcerun make_plan` makes it again")


def test_show_results_keeps_a_large_experiment_short(tmp_path):
    summary = write_summary(large(tmp_path))
    (tmp_path / "report.html").write_text("x")
    paths = ("--summary", summary, "--report", tmp_path / "report.html")
    lines = run("show_results", *paths).stdout.splitlines()
    assert len(lines) == 16
    assert lines[13] == "  and 8 more: see summary.csv"
    assert lines[14].startswith("  fastest: 6.09 features/s (openvino int8, real-lengths,")


def test_show_results_names_what_cannot_be_told(tmp_path):
    results = large(tmp_path)
    add_metrics(results, "zzz", "torch-int8", 1.0, 2.0)
    add_comparison(results, "zzz", "torch-int8", 0.985, gate="cannot tell")
    summary = write_summary(results)
    (tmp_path / "report.html").write_text("x")
    lines = run("show_results", "--summary", summary, "--report", tmp_path / "report.html")
    more = "  and 9 more, 1 of them cannot be told: see summary.csv"
    assert lines.stdout.splitlines()[13] == more

    results = Results(tmp_path / "few")
    add_metrics(results, "few", "torch-int8", 88.0, 89.0)
    add_comparison(results, "few", "torch-int8", 0.985, gate="cannot tell")
    lines = run("show_results", "--summary", write_summary(results), "--report", summary)
    assert lines.stdout.splitlines()[1] == (
        "  few  torch  int8  exact match  88.00 %  F1  89.00 %"
        "  cannot tell whether it keeps 99 % of the F1 of torch-fp32"
    )


def test_show_results_names_what_failed_and_what_does_not_count(tmp_path):
    summary = write_summary(engines(tmp_path, bf16=False))
    (tmp_path / "report.html").write_text("x")
    lines = run("show_results", "--summary", summary, "--report", tmp_path / "report.html")
    assert lines.stdout.splitlines()[6:-1] == [
        "  guide  openvino     int8  exact match  83.76 %  F1  90.84 %",
        "  guide  onnxruntime  int8  exact match  81.75 %  F1  88.65 %"
        "  FAILED: 97.20 % of the F1 of torch-fp32, less than 99 %",
        "  fastest: 6.27 questions/s, texts in, answers out (openvino int8, end-to-end, 2 threads)",
        "  fastest: 6.40 features/s (openvino int8, offline, 2 threads)",
        "  torch bf16: emulated here, so its times say nothing",
        "  openvino bf16: not timed: this processor emulates bf16",
    ]


def test_the_report_shows_what_changed_against_fp32(folder):
    results = Results(folder)
    add_comparison(results, "demo-fp32", "torch-bf16", 0.97, changed=12)
    done = report(folder, "--comparisons", *results.comparisons)
    assert done.returncode == 0, done.stderr
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert "demo-fp32, torch bf16: 12 of 500 answers" in html


def test_a_comparison_in_the_wrong_folder_is_named(folder):
    results = Results(folder)
    add_comparison(results, "demo-fp32", "torch-bf16", 0.97)
    moved = folder / "demo-fp32" / "torch-fp32" / "comparison.json"
    moved.parent.mkdir(exist_ok=True)
    results.comparisons[0].rename(moved)
    done = report(folder, "--comparisons", moved)
    assert done.returncode == 2
    assert "`precision` is 'bf16' in the file but 'fp32' in its path" in done.stderr


def test_show_results_without_scores_or_times(tmp_path):
    results = Results(tmp_path)
    (tmp_path / "report.html").write_text("x")
    options = ("--summary", write_summary(results), "--report", tmp_path / "report.html")
    assert len(run("show_results", *options).stdout.splitlines()) == 2
    add_cell(results, "run", cell("torch", "fp32", "padded", 1, 1234.5, threads=1))
    write_summary(results)
    lines = run("show_results", *options).stdout.splitlines()
    assert lines[1] == "  fastest: 1,234 features/s (torch fp32, padded, batch 1, 1 thread)"


def test_show_results_without_options_shows_the_run_of_this_folder(folder):
    given = ("--summary", folder / "summary.csv", "--report", folder / "report.html")
    shown = run("show_results", "--summary", folder / "summary.csv").stdout
    assert shown == run("show_results", *given).stdout
    assert Path("results/summary.csv") == SUMMARY


def test_show_results_says_what_is_missing(tmp_path):
    done = run("show_results", "--summary", tmp_path / "none.csv", "--report", tmp_path / "x")
    assert done.returncode == 2
    assert "none.csv: no such file; run the workflow first" in done.stderr
