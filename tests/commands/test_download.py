"""The command `download.py`, from outside: exit status, one line, bytes on disk."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from file_server import FileServer, running

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts/download.py"
CONTENT = bytes(range(256)) * 4000  # 1,024,000 bytes
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(scope="module")
def server() -> Iterator[FileServer]:
    with running() as server:
        yield server


def command(*options: object) -> list[str]:
    return [sys.executable, str(SCRIPT), *map(str, options)]


def run(folder: Path, *options: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"NO_PROXY": "127.0.0.1"}
    return subprocess.run(
        command(*options), cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


def error_line(done: subprocess.CompletedProcess[str]) -> str:
    """The last line of a user's mistake: status 2, no traceback."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("download.py: error: ")
    return last


def test_help_comes_at_once():
    started_at = time.monotonic()
    done = subprocess.run(command("--help"), capture_output=True, text=True)
    assert done.returncode == 0
    assert "--drop-folder" in done.stdout
    modules = subprocess.run(
        [sys.executable, "-X", "importtime", str(SCRIPT), "--help"], capture_output=True, text=True
    )
    assert "requests" not in modules.stderr
    assert time.monotonic() - started_at < 3  # 0.05 s each on an idle machine


def test_a_download_by_hand(server, tmp_path):
    server.serve("/a.bin", CONTENT)
    url = f"{server.url}/a.bin"
    options = ("--url", url, "--output", "downloads/a.bin", "--sha256", SHA256.upper())
    done = run(tmp_path, *options, "--size", len(CONTENT), "--lock", "lock.json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"downloads/a.bin: 1.02 MB from {url}, sha256 {SHA256}\n"
    assert (tmp_path / "downloads/a.bin").read_bytes() == CONTENT


def test_mirrors_are_tried_in_order(server, tmp_path):
    server.serve("/good", CONTENT)
    urls = ("--url", f"{server.url}/missing", "--url", f"{server.url}/good")
    done = run(tmp_path, *urls, "--output", "a.bin")
    assert done.returncode == 0
    assert "missing: HTTP 404 Not Found" in done.stderr


def test_the_guides_mistake_a_page_instead_of_the_script(server, tmp_path):
    server.serve("/evaluate-v1.1.py", b"\n\n<!DOCTYPE html>\n<html>", content_type="text/html")
    done = run(tmp_path, "--url", f"{server.url}/evaluate-v1.1.py", "--output", "evaluate-v1.1.py")
    assert "evaluate-v1.1.py: found a web page (text/html)" in error_line(done)
    assert not (tmp_path / "evaluate-v1.1.py").exists()


def test_a_checksum_mismatch_is_one_line(server, tmp_path):
    server.serve("/a.bin", b"something else")
    done = run(
        tmp_path, "--url", f"{server.url}/a.bin", "--output", "out/a.bin", "--sha256", SHA256
    )
    line = error_line(done)
    assert "out/a.bin: could not be downloaded" in line
    assert f"expected {SHA256}" in line
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--sha256", "123"), "expected 64 hex digits, found '123'"),
        (("--size", "1.5"), "expected a number of bytes, found '1.5'"),
        (("--url", "ftp://example.org/a"), "not an address of the kind"),
    ],
)
def test_wrong_options_are_named(tmp_path, options, complaint):
    done = run(tmp_path, "--url", "file:///nowhere", "--output", "a", *options)
    assert complaint in error_line(done)


def test_offline_says_which_file_to_put_where_then_takes_it(tmp_path):
    url = "https://storage.googleapis.com/bert_models/2019_05_30/wwm_cased_L-24_H-1024_A-16.zip"
    options = ("--url", url, "--output", "results/a.zip", "--sha256", SHA256, "--offline")
    line = error_line(run(tmp_path, *options))
    assert f"put it at {tmp_path}/downloads/a.zip (from {url}, sha256 {SHA256})" in line
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads/a.zip").write_bytes(CONTENT)
    assert run(tmp_path, *options).returncode == 0
    assert (tmp_path / "results/a.zip").read_bytes() == CONTENT


def test_a_killed_download_continues_where_it_was(server, tmp_path):
    """The bytes served to both processes together are those of one download, and little more."""
    served = server.serve("/a.bin", CONTENT, stall_after=700_000)
    options = ("--url", f"{server.url}/a.bin", "--output", "a.bin", "--lock", "lock.json")
    environment = os.environ | {"NO_PROXY": "127.0.0.1"}
    first = subprocess.Popen(command(*options), cwd=tmp_path, env=environment)
    part = tmp_path / ".a.bin.part"
    deadline = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size >= 600_000):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    assert not (tmp_path / "a.bin").exists()
    arrived = part.stat().st_size

    served.stall_after = None
    served.bytes_sent = 0
    assert run(tmp_path, *options).returncode == 0
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert served.requests[-1]["range"] == f"bytes={arrived}-"
    assert served.bytes_sent == len(CONTENT) - arrived
    assert not part.exists()


def test_a_full_disk_is_one_line(server, tmp_path):
    """The double: a file size limit of 500 kB stands in for the end of the disk."""
    served = server.serve("/a.bin", CONTENT)
    options = ("--url", f"{server.url}/a.bin", "--output", "a.bin")
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 500; exec "$@"', "-", *command(*options)],
        cwd=tmp_path,
        env=os.environ | {"NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
    )
    assert error_line(done) == "download.py: error: a.bin: File too large"
    served.bytes_sent = 0
    assert run(tmp_path, *options).returncode == 0
    assert served.bytes_sent < 600_000
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
