"""The lock file holds one entry an artifact, whoever writes it, and never half of one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bertsquad.artifacts.lock import locked_sha256, record
from bertsquad.console.errors import UserError

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
ONE, TWO = "1" * 64, "2" * 64


def test_what_was_recorded_is_found_again(tmp_path):
    lock = tmp_path / "new/lock.json"
    assert locked_sha256(lock, "a.zip") is None
    record(lock, "a.zip", sha256=ONE, size=3, url="https://x/a.zip")
    record(lock, "b.zip", sha256=TWO, size=4, url="https://x/b.zip")
    assert locked_sha256(lock, "a.zip") == ONE
    assert json.loads(lock.read_text()) == {
        "a.zip": {"sha256": ONE, "size": 3, "url": "https://x/a.zip"},
        "b.zip": {"sha256": TWO, "size": 4, "url": "https://x/b.zip"},
    }


def test_recording_the_same_again_changes_nothing(tmp_path):
    lock = tmp_path / "lock.json"
    record(lock, "a.zip", sha256=ONE, size=3, url="https://x/a.zip")
    before = lock.read_bytes()
    record(lock, "a.zip", sha256=ONE, size=3, url="https://mirror/a.zip")
    assert lock.read_bytes() == before


def test_recording_other_bytes_is_an_error(tmp_path):
    lock = tmp_path / "lock.json"
    record(lock, "a.zip", sha256=ONE, size=3, url="https://x/a.zip")
    with pytest.raises(UserError, match=f"recorded with sha256 {ONE}, found {TWO}"):
        record(lock, "a.zip", sha256=TWO, size=3, url="https://x/a.zip")
    assert locked_sha256(lock, "a.zip") == ONE


@pytest.mark.parametrize("content", ["[]", '{"a.zip": {}}', '{"a.zip": {"sha256": "x"}}', "{", ""])
def test_a_damaged_lock_is_named(tmp_path, content):
    lock = tmp_path / "lock.json"
    lock.write_text(content)
    with pytest.raises(UserError, match=r"lock\.json: "):
        locked_sha256(lock, "a.zip")


RECORD_MANY = """
import sys
from pathlib import Path
from bertsquad.artifacts.lock import record
for number in range(15):
    record(Path(sys.argv[1]), f"{sys.argv[2]}-{number}", sha256="1" * 64, size=1, url="https://x")
"""


def test_processes_at_the_same_time_lose_no_entry(tmp_path):
    lock = tmp_path / "lock.json"
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    workers = [
        subprocess.Popen([sys.executable, "-c", RECORD_MANY, str(lock), name], env=environment)
        for name in "abc"
    ]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    assert len(json.loads(lock.read_text())) == 45
