"""The command `unzip.py`, from outside: exit status, one line, bytes on disk."""

import random
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts/unzip.py"
WEIGHTS = random.Random(0).randbytes(400_000)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "bert.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("bert/model.ckpt.index", WEIGHTS)
        opened.writestr("bert/vocab.txt", "[PAD]\n[UNK]\n")
    return path


def run(folder: Path, *options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *map(str, options)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def error_line(done: subprocess.CompletedProcess[str]) -> str:
    """The last line of a user's mistake: status 2, no traceback."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("unzip.py: error: ")
    return last


def test_help_comes_at_once(tmp_path):
    started_at = time.monotonic()
    done = run(tmp_path, "--help")
    assert done.returncode == 0
    assert "--member" in done.stdout
    assert time.monotonic() - started_at < 2  # 0.05 s on an idle machine


def test_one_member_is_unpacked(archive, tmp_path):
    options = ("--archive", "bert.zip", "--member", "bert/vocab.txt", "--output", "out/vocab.txt")
    done = run(tmp_path, *options)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "out/vocab.txt: 12 bytes from bert.zip, CRC verified\n"
    assert (tmp_path / "out/vocab.txt").read_text() == "[PAD]\n[UNK]\n"


def test_a_truncated_archive_is_one_line(archive, tmp_path):
    archive.write_bytes(archive.read_bytes()[:300_000])
    options = ("--archive", "bert.zip", "--member", "bert/vocab.txt", "--output", "vocab.txt")
    line = error_line(run(tmp_path, *options))
    assert "bert.zip: not a whole zip archive (300,000 bytes; " in line
    assert "delete it and download it again" in line
    assert not (tmp_path / "vocab.txt").exists()


def test_a_missing_member_is_one_line_with_near_names(archive, tmp_path):
    options = ("--archive", "bert.zip", "--member", "vocab.txt", "--output", "vocab.txt")
    line = error_line(run(tmp_path, *options))
    assert "bert.zip: no member 'vocab.txt'; did you mean bert/vocab.txt?" in line


def test_zip_slip_is_one_line(archive, tmp_path):
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("../outside", "x")
    options = ("--archive", "bert.zip", "--member", "bert/vocab.txt", "--output", "vocab.txt")
    line = error_line(run(tmp_path, *options))
    assert "bert.zip: member '../outside' leaves the folder it is unpacked in" in line


def test_max_size_is_an_option(archive, tmp_path):
    options = ("--archive", "bert.zip", "--member", "bert/vocab.txt", "--output", "vocab.txt")
    line = error_line(run(tmp_path, *options, "--max-size", 1000))
    assert "declares 400 kB, more than --max-size 1 kB allows" in line


def test_a_full_disk_is_one_line(archive, tmp_path, small_disk):
    options = ("--archive", "bert.zip", "--member", "bert/model.ckpt.index")
    line = error_line(run(tmp_path, *options, "--output", "small/model.ckpt.index"))
    assert "small/model.ckpt.index: needs 400 kB more, 262 kB are free in small: disk full" in line
    assert list(small_disk.iterdir()) == []


def test_the_defaults_are_the_librarys():
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        from bertsquad.artifacts import archive

        text = SCRIPT.read_text()
        assert f"DEFAULT_MAX_RATIO = {archive.MAX_RATIO:.1f}" in text
        assert archive.MAX_SIZE == 16 * 10**9
        assert "DEFAULT_MAX_SIZE = 16 * 10**9" in text
    finally:
        sys.path.pop(0)
