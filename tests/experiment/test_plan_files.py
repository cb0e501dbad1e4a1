"""Which files a plan reads, and which of it the report shows."""

import json

import yaml

from bertsquad.experiment.config import resolve
from bertsquad.experiment.files import Experiment
from bertsquad.experiment.plan_files import PlanFiles
from project import ROOT

SCHEMA = ROOT / "config/schemas/config.schema.yaml"


def plan_files(results, **plan):
    config = {"checkpoint": "a", "dataset": "b", "runs": {"one": {}}, **plan}
    found = resolve(config, SCHEMA, "my.yaml")
    return PlanFiles(Experiment(found, None, lambda path: path.replace("<results>", str(results))))


def test_the_shares_of_lengths_keep_their_places():
    lengths = {"short": 0.7, "long": 0.3}
    files = plan_files("results", plan={"lengths": lengths, "length_classes": [192, 512]})
    text = files.settings_text(yaml.safe_load(SCHEMA.read_text(encoding="utf-8")))
    assert list(json.loads(text)["lengths"].items()) == [("short", 0.7), ("long", 0.3)]


def test_the_report_has_the_plan_that_is_asked_for_and_was_made(tmp_path):
    assert plan_files(tmp_path, plan={"rate": 80}).made() == []
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan/plan.json").write_text("{}")
    assert plan_files(tmp_path, plan={"rate": 80}).made() == [f"{tmp_path}/plan/plan.json"]
    assert plan_files(tmp_path).made() == []


def test_of_layouts_cells_with_all_lanes_busy_and_those_of_servers_are_read():
    scenarios = {
        "busy": {"mode": "saturated", "layouts": ["2x1x1"]},
        "users": {"mode": "server", "layouts": ["2x1x1"], "shares": [0.7]},
    }
    benchmark = {"scenarios": scenarios, "repeats": 1}
    assert plan_files("r", engines={"torch": ["fp32"]}, benchmark=benchmark).cells() == [
        "r/one/torch-fp32/benchmark/busy/layout2x1x1-saturated-repeat1.json",
        "r/one/torch-fp32/benchmark/users/layout2x1x1-share0.7-repeat1.json",
    ]
