"""This project beside an older self."""

import subprocess
from pathlib import Path

import pytest

from bertsquad.console.errors import UserError
from bertsquad.peers import base
from bertsquad.peers.contenders import CEILING, REAL, Contender, Work
from peers.test_session import bench, torch_side  # noqa: F401  (a fixture)
from project import ROOT


def git(folder: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", "-C", str(folder), *settings, *arguments],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits of a file in scripts/."""
    folder = tmp_path / "repository"
    (folder / "scripts").mkdir(parents=True)
    git(tmp_path, "init", "-q", str(folder))
    for text in ("old", "new"):
        (folder / "scripts/x.py").write_text(text)
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", text)
    return folder


def test_a_commits_scripts_get_a_folder_of_their_own(repository, tmp_path):
    commit = base.commit_of(repository, "HEAD~1")
    assert commit == git(repository, "rev-parse", "HEAD~1")
    place = base.check_out(repository, commit, tmp_path / "base")
    assert place == tmp_path / "base" / commit[:12]
    assert (place / "scripts/x.py").read_text() == "old"
    assert (repository / "scripts/x.py").read_text() == "new"
    assert git(repository, "status", "--porcelain") == ""


def test_a_commit_that_is_not_there_is_named(repository):
    with pytest.raises(UserError, match=r"--base v9: .* has no such commit; expected a commit"):
        base.commit_of(repository, "v9")


def test_our_contenders_of_a_work_are_compared_with_the_commits(bench, tmp_path):  # noqa: F811
    """The commit is this tree itself: as fast, or disturbed where tests run; never an error."""
    bench.rounds, bench.turn_s = 8, 0.01
    older = tmp_path / "older"
    older.mkdir()
    (older / "scripts").symlink_to(ROOT / "scripts")
    others = Contender("top", "ceiling", "products", "fp32", CEILING, "", 1)
    work = Work("inference-fp32", "inference", "fp32", (torch_side("torch", REAL), others))
    [(contender, found)] = base.compared(work, bench, older, "0" * 40)
    assert contender.program == "ours"
    assert len(found["rounds"]) >= 8
    assert found["rounds_used"] + found["rounds_disturbed"] == len(found["rounds"])
    assert found["b"]["engine"] == "000000000000,"


def test_a_commit_that_cannot_run_says_what_its_log_said(bench, tmp_path):  # noqa: F811
    older = tmp_path / "older"
    (older / "scripts/peers").mkdir(parents=True)
    (older / "scripts/peers/ours_peer.py").write_text("raise SystemExit('no --turn-s here')")
    work = Work("inference-fp32", "inference", "fp32", (torch_side("torch", REAL),))
    [(_, found)] = base.compared(work, bench, older, "0" * 40)
    assert found["verdict"] is None
    assert found["why"].endswith("no --turn-s here")


def test_works_without_a_rate_are_left_out(bench, tmp_path):  # noqa: F811
    work = Work("memory", "memory", "fp32", (torch_side("torch", REAL),))
    assert list(base.compared(work, bench, tmp_path, "0" * 40)) == []
