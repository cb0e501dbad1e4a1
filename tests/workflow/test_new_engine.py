"""A new engine touches nothing but its folder: CONTRIBUTING.md's toy, walked from its two files to
the report."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from project import ROOT, Project
from workflow.test_reruns import REPORTED

pytestmark = pytest.mark.slow


def toy_files() -> dict[str, str]:
    """The toy engine's files by name, as CONTRIBUTING.md shows them."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^`(\w+\.py)`:\n\n```python\n(.*?)^```$", text, re.M | re.S))


def add_toy_engine(checkout: Path) -> None:
    """Its folder, and nothing else of the code."""
    folder = checkout / "scripts/bertsquad/engines/toy"
    folder.mkdir()
    for name, content in {"__init__.py": "", **toy_files()}.items():
        (folder / name).write_text(content, encoding="utf-8")


@pytest.fixture
def copy(demo: Project, tmp_path: Path) -> Project:
    """A checkout of its own in which the demo has been run."""
    return Project(shutil.copytree(demo.folder, tmp_path / "bertsquad", symlinks=True))


def test_a_toy_engine_predicts_is_timed_and_is_in_the_report(copy: Project):
    add_toy_engine(copy.folder)
    assert copy.planned() == {}
    path = copy.folder / "config/config.yaml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings["engines"]["toy"] = ["fp32"]
    path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    assert copy.planned() == {
        **{"compute_logits": 3, "predict": 3, "evaluate": 3, "compare_answers": 3},
        **{"benchmark_inference": 6, "record_inputs": 1, **REPORTED},
    }

    done = copy.snakemake("--cores", "all")
    assert done.returncode == 0, done.stdout + done.stderr
    results = copy.folder / "results"
    predictions = json.loads((results / "demo-fp32/toy-fp32/predictions.json").read_text())
    metrics = json.loads((results / "demo-fp32/toy-fp32/metrics.json").read_text())
    assert any(predictions.values())
    assert 0 <= metrics["exact_match"] <= metrics["f1"] <= 100
    cells = list((results / "demo-fp32/toy-fp32/benchmark").rglob("*.json"))
    assert len(cells) == 6
    assert all(json.loads(cell.read_text())["features_per_second"] > 0 for cell in cells)
    rows = (results / "summary.csv").read_text(encoding="utf-8").splitlines()
    assert len([row for row in rows if ",toy,fp32," in row]) >= 6
    assert "toy fp32" in (results / "report.html").read_text(encoding="utf-8")


def test_the_toy_is_as_small_as_contributing_says():
    """Twenty lines of code, so that it shows what an engine owes and nothing else."""
    lines = [
        line
        for name, text in toy_files().items()
        for line in text.splitlines()
        if name == "engine.py" and line.strip() and not line.startswith('"""')
    ]
    assert sorted(toy_files()) == ["about.py", "engine.py"]
    assert len(lines) <= 20
