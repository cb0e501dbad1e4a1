"""What is raced, how it is scored, and what is remembered of it."""

import json

import pytest

from bertsquad.console.errors import UserError
from bertsquad.planner.cells import parsed
from bertsquad.planner.exploring import Candidate, Record, Scorer, gated, layouts
from bertsquad.planner.race import Score
from bertsquad.planner.wanted import wanted
from bertsquad.schema import with_defaults
from made_cells import cell, cells_data
from project import ROOT


def asked(**plan):
    from bertsquad.experiment.config import read_schema

    schema = read_schema(ROOT / "config/schemas/config.schema.yaml")
    return wanted(with_defaults(plan, schema["properties"]["plan"], schema), "my.yaml")


def test_layouts_keep_every_core_busy():
    assert layouts(1) == ["1x1x1"]
    assert layouts(2) == ["1x1x2", "1x2x1", "2x1x1"]
    assert layouts(6) == ["1x1x6", "1x2x3", "2x1x3", "1x3x2", "3x1x2", "1x6x1", "6x1x1"]
    assert layouts(4, nodes=2) == ["1x1x4", "1x2x2", "2x1x2", "1x4x1", "2x2x1", "4x1x1"]


def test_what_is_emulated_or_fails_in_f1_is_not_raced():
    candidates = [
        Candidate("torch", "fp32", "1x1x2", f1=88.0),
        Candidate("torch", "bf16", "1x1x2", f1=88.0, f1_share=0.999, passed=True),
        Candidate("openvino", "int8", "1x1x2", f1=80.0, f1_share=0.91, passed=False),
    ]
    raced, out = gated(candidates, asked(), lambda precision: precision != "bf16")
    assert [each.name for each in raced] == ["torch fp32 1x1x2"]
    assert out == {
        "torch bf16 1x1x2": "the processor has no bf16",
        "openvino int8 1x1x2": "keeps 91.0% of the reference's F1: failed",
    }
    raced, out = gated(candidates[2:], asked(minimum_f1_share=0.9), lambda precision: True)
    assert (len(raced), out) == (1, {})


def scorer(*cells, **plan):
    data = cells_data(cells=list(cells))
    return Scorer("demo", asked(**plan), lambda names: parsed(data, "made up"))


def test_a_score_is_what_the_planner_would_plan_with():
    found = scorer(cell(), cell("openvino", factor=0.5), slo={"ms": 200})
    scores = found(["torch fp32 1x1x2", "openvino fp32 1x1x2"])
    torch, openvino = scores.values()
    assert isinstance(torch, Score)
    # 30 ms on average at the questions' lengths, 1.25 windows a question: 26.7/s with no waiting.
    assert 15 < torch.value < 26.7
    assert openvino.value > 2 * torch.value
    assert torch.low <= torch.value <= torch.high


def test_a_service_beyond_the_slo_is_out_with_its_own_p99():
    found = scorer(cell(), slo={"ms": 30})(["torch fp32 1x1x2"])
    (why,) = found.values()
    assert why.startswith("the service alone of the class up to 512 takes p99 = 4")
    assert why.endswith("ms, the SLO is 30 ms")


def test_what_takes_too_much_memory_is_out():
    found = scorer(cell(peak_mib=8000.0), slo={"ms": 200})(["torch fp32 1x1x2"])
    assert list(found.values()) == ["takes 8,000 MiB, more than 7,373"]


def test_without_an_slo_it_is_five_times_the_quickest_median():
    found = scorer(cell(), cell("openvino", factor=0.5))
    found(["torch fp32 1x1x2", "openvino fp32 1x1x2"])
    assert found.slo_s == pytest.approx(5 * 0.010, rel=0.05)  # 60 of 100 questions have 100 pieces


def test_what_is_short_of_requests_is_told_in_seconds():
    found = scorer(cell(requests=200), cell("openvino", requests=400), slo={"ms": 200})
    found(["torch fp32 1x1x2", "openvino fp32 1x1x2"])
    # 168 of 368 are missing, about 30 ms each, and a tenth more.
    assert found.short("torch fp32 1x1x2") == pytest.approx(168 * 0.030 * 1.1, rel=0.1)
    assert found.short("openvino fp32 1x1x2") == 0.0


def test_a_record_remembers_measurements_of_the_same_key(tmp_path):
    path = tmp_path / "race/race.jsonl"
    Record(path, "key").add("torch fp32 1x1x2", 1, 20.0, 24.5)
    again = Record(path, "key")
    assert again.rounds("torch fp32 1x1x2") == [1]
    assert again.took("torch fp32 1x1x2", 1, 20.0) == 24.5
    assert again.took("torch fp32 1x1x2", 1, 24.0) == 24.5
    assert again.took("torch fp32 1x1x2", 1, 40.0) is None
    assert again.took("torch fp32 1x1x2", 0, 10.0) is None
    assert Record(path, "another").rows == []


def test_a_damaged_record_is_one_line(tmp_path):
    path = tmp_path / "race.jsonl"
    for text in ("nothing\n", json.dumps({"no": "key"}) + "\n", "[]\n"):
        path.write_text(text)
        with pytest.raises(UserError, match="not a record of a race; delete"):
            Record(path, "key")
