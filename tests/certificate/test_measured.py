"""measured.py: scores and speeds, as far as they can be read."""

import json
from pathlib import Path

import pytest

from bertsquad.certificate.measured import read_scores, read_speeds

MODEL = "demo/torch-fp32"


def write(folder: Path, name: str, content) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return name


def test_repeats_of_a_cell_are_entries_of_its_lists(tmp_path):
    names = [
        write(
            tmp_path,
            f"{MODEL}/benchmark/real/batch1-threads2-repeat{repeat}.json",
            {
                "features_per_second": rate,
                "latency_ms": {"p50": {"value": 1000 / rate}, "p99": {"value": None, "needs": 368}},
                "activity": {"other_cpus": 0.1},
                "native": True,
                "threads": 2,
                "validity": {"verdict": "valid", "reasons": []},
                "cpu": "A",
                "host": "n1",
            },
        )
        for repeat, rate in ((2, 50.0), (1, 40.0))
    ]
    assert read_speeds(names, tmp_path) == {
        f"{MODEL}/real/1/2": {
            "repeats": [1, 2],
            "features_per_second": [40.0, 50.0],
            "samples_ms": [25.0, 20.0],
            "latency_p99_ms": [None, None],
            "other_cpus": [0.1, 0.1],
            "codes": [[], []],
            "validity": ["valid", "valid"],
            "threads": [2, 2],
            "cpu": ["A", "A"],
            "host": ["n1", "n1"],
            "native": True,
            "refused": None,
        }
    }


def test_a_cell_under_load_goes_by_its_layout_and_load(tmp_path):
    name = write(tmp_path, f"{MODEL}/benchmark/serve/layout1x2x1-slo-repeat1.json", {})
    samples = name.replace(".json", "-samples.npz")
    assert list(read_speeds([name, samples], tmp_path)) == [f"{MODEL}/serve/1x2x1/slo"]


def test_several_kinds_of_machines_have_cells_of_their_own(tmp_path):
    cell = "real/batch1-threads2-repeat1.json"
    names = [
        write(tmp_path, f"{MODEL}/benchmark/{machine}/{cell}", {}) for machine in ("old", "new")
    ]
    assert list(read_speeds(names, tmp_path)) == [f"{MODEL}/old/real/1/2", f"{MODEL}/new/real/1/2"]


def test_an_older_cell_has_a_median_without_an_interval(tmp_path):
    cell = {"latency_ms": {"p50": 184.5, "p99": 427.5}, "features_per_second": 5.5}
    name = write(tmp_path, f"{MODEL}/benchmark/padded/batch1-threadsall-repeat1.json", cell)
    (speed,) = read_speeds([name], tmp_path).values()
    assert (speed["samples_ms"], speed["latency_p99_ms"]) == ([184.5], [427.5])
    assert speed["native"] is None
    assert speed["validity"] == [""]


def test_a_refused_cell_says_why(tmp_path):
    cell = {"refused": "this processor emulates bf16", "native": False}
    name = write(tmp_path, f"{MODEL}/benchmark/padded/batch1-threadsall-repeat1.json", cell)
    (speed,) = read_speeds([name], tmp_path).values()
    assert speed["refused"] == "this processor emulates bf16"
    assert speed["features_per_second"] == [None]


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"f1": NaN, "exact_match": 1, "questions": 2}']
)
def test_a_damaged_file_has_no_score_and_stops_nothing(tmp_path, content):
    path = tmp_path / MODEL / "metrics.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert read_scores([f"{MODEL}/metrics.json"], tmp_path) == {}


def test_a_score_without_an_interval_has_none(tmp_path):
    metrics = {"exact_match": 90, "f1": 92.5, "questions": 10, "f1_interval": None}
    name = write(tmp_path, "modelzoo/step/metrics.json", metrics)
    assert read_scores([name, "modelzoo/step/other.json"], tmp_path) == {
        "modelzoo/step": {"exact_match": 90, "f1": 92.5, "questions": 10, "interval": None}
    }
