"""compare_runs.py: two runs by their folders, certificates or crates."""

import json
import shutil
import subprocess
import sys

import pytest

from fake_report import Page
from made_runs import MODEL, results
from project import ROOT


def compare(*arguments):
    return subprocess.run(
        [sys.executable, "scripts/compare_runs.py", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A run, and a copy of it with one other answer."""
    folder = tmp_path_factory.mktemp("runs")
    first = results(folder / "a/results")
    second = shutil.copytree(first, folder / "b/results")
    path = second / MODEL / "predictions.json"
    path.write_bytes(path.read_bytes().replace(b"word 7", b"word 8", 1))
    return first, second


def test_it_prints_the_sentence_and_writes_page_and_json(two, tmp_path):
    page, facts = tmp_path / "compare.html", tmp_path / "compare.json"
    run = compare(*two, "--page", page, "--json", facts)
    assert (run.returncode, run.stderr) == (1, "")
    found = json.loads(facts.read_text())
    assert run.stdout.splitlines()[0] == found["sentence"]
    assert found["format"] == "bertsquad-comparison/1"
    assert found["exit"] == 1
    assert found["first_divergence"]["what"] == f"{MODEL}/predictions.json"
    assert found["sentence"] in Page(page.read_text()).text


def test_what_is_required_decides(two):
    run = compare(*two, "--require", "inputs,settings,code")
    assert run.returncode == 0
    assert run.stdout.startswith("Reproduced: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a", "missing"), "B: missing: no such file or folder"),
        (("a", "a"), "are the same; name two runs"),
        (("a", ""), "a run is missing; name two"),
        (("a", "b", "--require", "speeed"), "'speeed' is no question; known: inputs, settings"),
        (("a", "b", "--margin", "-1"), "-1 is not 0 or more"),
        (("a", "scripts"), "scripts: not a results folder"),
        (("a", "Makefile"), "Makefile: no JSON at all"),
    ],
)
def test_a_wrong_call_is_one_line(two, tmp_path, arguments, message):
    named = {"a": two[0], "b": two[1]}
    page = tmp_path / "compare.html"
    run = compare(*(named.get(each, each) for each in arguments), "--page", page)
    assert run.returncode == 2
    assert message in run.stderr.splitlines()[-1]
    assert "Traceback" not in run.stderr
    assert not page.exists()
