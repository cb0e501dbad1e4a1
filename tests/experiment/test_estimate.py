"""What a run says of its time before it starts, and afterwards."""

import json
import subprocess
import sys

import pytest

from bertsquad.experiment.durations import Job, Span
from bertsquad.experiment.estimate import (
    Estimate,
    Kind,
    estimate,
    rates_of,
    span,
    words,
)
from bertsquad.machine.rates import Rates
from experiment.test_files import experiment
from project import ROOT

ZEN4 = Rates({"fp32": 211.0, "bf16": 426.0}, 2, measured=True)


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.0, 0.0, "0 s"),
        (3.2, 47.0, "3.2 to 47 s"),
        (200.0, 700.0, "3.3 to 12 min"),
        (0.0, 90.0, "up to 90 s"),
        (163_000.0, 250_000.0, "1.9 to 2.9 days"),
        (40_000.0, 70_000.0, "11 to 19 h"),
        (7200.0, 7200.0, "2 h"),
        (86400.0 * 118, 86400.0 * 123, "120 days"),
    ],
)
def test_a_span_has_one_unit_and_two_digits(low, high, text):
    assert span(Span(low, high)) == text


def test_the_guide_in_words():
    guide = experiment("guide.yaml")
    runs = ("guide-bf16", "guide-fp32", "guide-as-run")
    found = estimate(guide, ZEN4, [Job("finetune", {"run": run}) for run in runs])
    lines = found.lines("results/speed/ceilings.json")
    assert lines[0].startswith("3 steps to do, about ")
    assert lines[1].startswith("- finetune in bf16: 2, each about ")
    assert lines[2].startswith("- finetune in fp32: about ")
    assert lines[3] == "- 2 cores, measured here: 426 GFLOP/s in bf16, 211 in fp32"


def test_an_assumption_says_how_it_is_measured():
    guide = experiment("guide.yaml")
    rates = Rates({"fp32": 210.0}, 1, measured=False)
    found = estimate(guide, rates, [Job("finetune", {"run": "guide-fp32"})])
    assert found.lines("results/speed/ceilings.json")[-1] == (
        "- 1 core, assumed: 210 GFLOP/s in fp32; to measure that: "
        "snakemake --cores all results/speed/ceilings.json"
    )


def test_jobs_that_differ_are_told_together():
    short, long = Span(60.0, 100.0), Span(600.0, 1000.0)
    alike = Kind("finetune in bf16", 2, long, long + long)
    unlike = Kind("finetune in bf16", 2, long, long + short)
    assert words(alike) == "finetune in bf16: 2, each about 10 to 17 min"
    assert words(unlike) == "finetune in bf16: 2, together about 11 to 18 min"
    assert words(Kind("noise", 1, short, short)) == "noise: about 60 to 100 s"


def test_only_what_is_planned_counts():
    demo = experiment()
    job = Job("finetune", {"run": "demo-fp32"})
    one, two = estimate(demo, ZEN4, [job]), estimate(demo, ZEN4, [job, job])
    assert one.jobs == 1
    assert two.total.high > one.total.high
    assert estimate(demo, ZEN4, []).lines("x") == []
    assert estimate(demo, ZEN4, [Job("all", {})]).lines("x") == []


def test_little_work_is_one_line():
    found = estimate(experiment(), ZEN4, [Job("plot", {"figure": "accuracy"})])
    assert found.lines("x") == ["1 step to do, about 1.5 to 4 s on this machine"]


def test_measurements_may_wait_for_a_quiet_machine():
    demo = experiment()
    names = {"run": "demo-fp32", "engine": "torch", "precision": "fp32", "threads": "all"}
    job = Job("benchmark_inference", names | {"scenario": "offline", "batch": "auto"})
    assert estimate(demo, ZEN4, [job]).total == Span(4.5, 10.9 + 20.0)


def test_what_is_not_known_is_named():
    found = estimate(experiment(), ZEN4, [Job("modelzoo_train", {}), Job("report", {})])
    assert found.lines("x")[0].endswith("without modelzoo_train, of which nothing can be said yet")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (90.0, "this took 90 s, as estimated (60 to 120 s)"),
        (150.0, "this took 2.5 min, longer than estimated (60 to 120 s)"),
        (30.0, "this took 30 s, shorter than estimated (60 to 120 s)"),
    ],
)
def test_afterwards_it_says_how_good_it_was(seconds, text):
    assert Estimate(Span(60.0, 119.9), 1, (), (), ZEN4).verdict(seconds) == text


def test_a_measured_ceiling_replaces_the_assumption(tmp_path):
    flags, path = frozenset({"avx2"}), tmp_path / "ceilings.json"
    assert rates_of(path, flags, 2) == Rates({"fp32": 164.0, "int8": 300.0}, 2, measured=False)
    ceilings = {"threads": 2, "gemm": {"fp32": {"native": True, "gflops": 100.0}}}
    path.write_text(json.dumps(ceilings))
    assert rates_of(path, flags, 2) == Rates({"fp32": 100.0}, 2, measured=True)
    assert rates_of(path, flags, 1) == Rates({"fp32": 50.0}, 1, measured=True)
    path.write_text("[]")
    assert not rates_of(path, flags, 2).measured


def test_it_is_found_without_heavy_imports():
    code = (
        "import sys; import bertsquad.experiment.estimate as e; "
        "print(sorted({'torch', 'numpy', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "scripts",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
