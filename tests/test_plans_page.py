"""The page on checked plans says what its checks were, and no more."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs/results/plan"
sys.path.insert(0, str(ROOT / "tests/fixtures"))

import measure_plans  # noqa: E402
import plans_page  # noqa: E402


def row(**changes):
    return {
        **{"run": "minilm", "engine": "torch", "precision": "bf16", "layout": "1x2x1"},
        **{"objective": "rate", "slo_ms": 120.0, "rate": 31.25, "utilisation": 0.71},
        **{"requests": 1250, "predicted_ms": {"low": 90.0, "value": 110.0, "high": 140.0}},
        **{"measured_ms": 115.0, "within_slo": True, "verdict": "confirmed", "cell": "valid"},
        **{"validity": "valid", "twin": "fits", "inflation": 0.98, "cpu": "Example 9000"},
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
