"""`make_crate.py` and `verify_crate.py`, as those call them who send a crate or were sent one."""

import io
import os
import random
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import verify_crate
from bertsquad.console.errors import exit_with
from fake_run import Run, git, make_run
from project import ROOT

VERIFY = ROOT / "scripts/verify_crate.py"
MAKE = ROOT / "scripts/make_crate.py"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def crate(run: Run) -> Path:
    return run.crate()


def call(*command: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, timeout=60)


def test_an_honest_crate_is_verified_and_unpacked(crate: Path, tmp_path: Path):
    done = call(sys.executable, VERIFY, crate, "--scores", "--unpack", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == [
        f"unpacked into {tmp_path / 'out'}",
        f"{crate}: verified",
    ]
    assert "scores: 1 computed again and equal" in done.stdout
    assert os.access(tmp_path / "out/data/code/scripts/finetune.py", os.X_OK)
    again = call(sys.executable, VERIFY, tmp_path / "out", "--scores")
    assert again.returncode == 0, again.stderr
    (tmp_path / "out/data/results/report.html").write_text("changed")
    changed = call(sys.executable, VERIFY, tmp_path / "out")
    assert changed.returncode == 2
    assert "data/results/report.html was changed" in changed.stderr


def test_it_needs_the_standard_library_alone_but_for_scores(crate: Path):
    done = call(sys.executable, "-S", VERIFY, crate)
    assert done.returncode == 0, done.stderr
    assert "numpy is not installed" in done.stdout
    asked = call(sys.executable, "-S", VERIFY, crate, "--scores")
    assert (asked.returncode, len(asked.stderr.splitlines())) == (2, 1)
    assert "numpy is not installed" in asked.stderr


def test_a_crate_that_another_program_packed_again_is_verified(crate: Path, tmp_path: Path):
    with zipfile.ZipFile(crate) as opened:
        opened.extractall(tmp_path / "out")
    packed = shutil.make_archive(str(tmp_path / "again"), "zip", tmp_path / "out")
    assert call(sys.executable, VERIFY, packed).returncode == 0


def test_the_crate_of_this_checkouts_commands(run: Run, tmp_path: Path):
    """The commands themselves; their repository is a copy, so that nobody's work is in the way."""
    repository = tmp_path / "bertsquad"
    shutil.copytree(
        ROOT / "scripts", repository / "scripts", ignore=shutil.ignore_patterns("__py*")
    )
    (repository / "Snakefile").write_text("rule all:\n")
    git(repository, "init", "--quiet")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "Begin")
    command = (sys.executable, repository / "scripts/make_crate.py", "--results", run.results)
    done = call(*command, "--output-dir", tmp_path, "--agent", "Ada", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("bertsquad-*.zip")
    assert done.stdout.splitlines()[-1] == f"verify it: python scripts/verify_crate.py {path}"
    assert call(sys.executable, VERIFY, path).returncode == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--results", "nowhere"], "nowhere/certificate.json: no such file; finish the run first"),
        (["--results", "x", "--orcid", "https://x"], "--orcid and --affiliation are of an --agent"),
        (["--results", "x", "--agent", "A", "--orcid", "0000"], "expected https://..."),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, options: list[str], said: str):
    done = call(sys.executable, MAKE, *options, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.zip", None, "no such file"),
        ("page.zip", b"<!DOCTYPE html>", "not a whole zip archive"),
        ("empty.zip", b"", "not a whole zip archive"),
    ],
)
def test_what_is_no_crate_is_one_line(tmp_path: Path, name: str, content: bytes | None, said: str):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = call(sys.executable, VERIFY, name, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


# Two hundred that somebody changed


def packed(files: dict[str, bytes], *extra: tuple[zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files.items():
            opened.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
        for info, content in extra:
            opened.writestr(info, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def member(name: str, kind: int = stat.S_IFREG) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | 0o777) << 16
    return info


def tampered(crate: Path, seed: int = 15) -> Iterator[tuple[str, bytes]]:
    """What was done, and the archive: 200 of them."""
    whole, chance = crate.read_bytes(), random.Random(seed)
    with zipfile.ZipFile(crate) as opened:
        files = {n: opened.read(n) for n in opened.namelist() if not n.endswith("/")}
    for _ in range(80):
        place, bit = chance.randrange(len(whole)), 1 << chance.randrange(8)
        changed = bytearray(whole)
        changed[place] ^= bit
        yield f"bit {bit} of byte {place}", bytes(changed)
    for _ in range(20):
        kept = chance.randrange(len(whole))
        yield f"{kept} bytes alone", whole[:kept]
    for name, content in files.items():
        place = chance.randrange(len(content))
        flipped = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        yield f"byte {place} of {name}", packed(files | {name: flipped})
        yield f"without {name}", packed({n: c for n, c in files.items() if n != name})
    for name in (
        "../x",
        "data/../../x",
        "/tmp/x",
        "C:/x",
        "data\\..\\x",
        "data/results/../../../x",
    ):
        yield f"a file {name}", packed(files, (member(name), b"x"))
    for kind in (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR):
        yield f"kind {kind}", packed(files, (member("data/results/x", kind), b"/etc/passwd"))
    yield "a bomb", packed(files, (member("data/results/x"), bytes(50_000_000)))
    yield "more data", packed(files, (member("data/results/x"), b"x"))
    yield "a file beside data", packed(files, (member("setup.py"), b"x"))
    while True:
        start = chance.randrange(len(whole))
        noise = chance.randbytes(chance.randrange(1, 40))
        yield f"noise at {start}", whole[:start] + noise + whole[start + len(noise) :]


def test_two_hundred_changed_crates_are_refused_in_one_line_and_nothing_is_written(
    crate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "changed.zip"
    for _, (what, content) in zip(range(200), tampered(crate), strict=False):
        if content == crate.read_bytes():
            continue
        path.write_bytes(content)
        command = ["verify_crate.py", str(path), "--unpack", str(tmp_path / "out")]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as ended:
            exit_with(verify_crate.main)
        printed = capsys.readouterr()
        assert (ended.value.code, printed.out) == (2, ""), what
        (line,) = printed.err.splitlines()
        assert line.startswith(f"verify_crate.py: error: {path}: "), what
        assert [place.name for place in tmp_path.iterdir()] == ["changed.zip"], what
