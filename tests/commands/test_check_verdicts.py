"""check_verdicts.py: in pieces, and a page once all trials are done."""

import json
import subprocess
import sys
from pathlib import Path

from bertsquad.benchmark.trust import trials
from project import ROOT
from reporting.test_trust import one


def run(folder: Path, *more: str) -> subprocess.CompletedProcess:
    arguments = ["--results", str(folder / "trust"), "--page", str(folder / "page"), *more]
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts/check_verdicts.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_there_is_no_time_for_is_left_for_the_next_call(tmp_path):
    done = run(tmp_path, "--seconds", "0")
    assert done.returncode == 1
    assert "0 of 44 trials are done" in done.stdout
    assert not (tmp_path / "page").exists()


def test_finished_trials_are_kept_and_make_the_page(tmp_path):
    (tmp_path / "trust").mkdir()
    for trial in trials():
        verdict = "faster" if trial.slow_down else "same"
        found = one(trial.name, trial.slow_down, verdict, 1 + trial.slow_down)
        (tmp_path / "trust" / f"{trial.name}.json").write_text(json.dumps(found))
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "44 of 44 trials are done" in done.stdout
    assert "b slower by 0%: {'same': 40}, held: True" in done.stdout
    page = (tmp_path / "page/README.md").read_text()
    assert "| 0 (equal) | 40 of 40 | 0 | 0 | 40 | 0 | at most 5 of 40 told apart | yes |" in page
    assert "not measured; `snakemake noise` does" in page
    assert (tmp_path / "page/verdicts.csv").read_text().count("\n") == 45
    assert (tmp_path / "page/verdicts.svg").exists()
