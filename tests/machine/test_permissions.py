"""What the kernel permits is tried in a child, and told with the reason when it is not."""

import json
import subprocess
import sys

import pytest

from bertsquad.machine import trial
from bertsquad.machine.permissions import (
    TRIAL,
    describe_amx,
    describe_binding,
    permissions,
    try_out,
)

PERMITTED = {"amx": None, "cpu": None, "memory": None}
HIDDEN = {"unavailable": "for the test"}


def test_binding_says_why_not():
    refused = PERMITTED | {"memory": "Operation not permitted"}
    assert describe_binding(refused) == {
        "cpu": {"permitted": True, "reason": None},
        "memory": {"permitted": False, "reason": "Operation not permitted"},
    }
    assert describe_binding(HIDDEN) == HIDDEN


@pytest.mark.parametrize(
    ("built_in", "visible", "tried", "permitted", "reason"),
    [
        (False, False, "Operation not supported", False, "this processor has none"),
        (True, False, None, False, "the kernel does not show it"),
        (True, True, None, True, None),
        (True, True, "Operation not permitted", False, "Operation not permitted"),
    ],
)
def test_amx_is_built_in_shown_and_permitted(built_in, visible, tried, permitted, reason):
    found = describe_amx(built_in, visible, PERMITTED | {"amx": tried})
    assert found == {
        "in_processor": built_in,
        "shown": visible,
        "permitted": permitted,
        "reason": reason,
    }


def test_amx_that_could_not_be_tried_is_not_guessed():
    assert describe_amx(True, True, HIDDEN)["permitted"] == HIDDEN


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="system calls of Linux")
def test_a_trial_changes_nothing_here():
    import os

    before = os.sched_getaffinity(0)
    assert set(try_out()) == {"amx", "cpu", "memory"}
    assert os.sched_getaffinity(0) == before


# A filter as Docker's default profile has it: set_mempolicy is answered with EPERM (1).
FILTERED = """
import ctypes, json, struct, sys
sys.path.insert(0, {folder!r})
import trial
libc = ctypes.CDLL(None, use_errno=True)
rules = [(0x20, 0, 0, 0), (0x15, 0, 1, {number})]  # the call's number, and is it this one?
rules += [(0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)]  # then EPERM, else go on
code = b"".join(struct.pack("HBBI", *rule) for rule in rules)
buffer = ctypes.create_string_buffer(code)
program = struct.pack("HxxxxxxP", len(rules), ctypes.addressof(buffer))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.create_string_buffer(program), 0, 0) == 0
print(json.dumps([trial.outcome(lambda: trial.bind_memory(trial.allowed_nodes())),
                  trial.outcome(trial.bind_cpu)]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="seccomp is Linux's")
def test_a_filter_like_dockers_is_found_out():
    import platform

    number = trial.SET_MEMPOLICY[platform.machine()]
    program = FILTERED.format(folder=str(TRIAL.parent), number=number)
    command = [sys.executable, "-I", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["Operation not permitted", None]


def test_where_it_cannot_be_tried_that_is_said():
    with pytest.raises((OSError, ValueError)):
        try_out("/no/such/python")
    with pytest.raises(ValueError, match=r"trial\.py failed"):
        try_out("/bin/false")
    assert isinstance(permissions(), dict)


def test_memory_nodes_are_read_from_status(tmp_path, monkeypatch):
    status = tmp_path / "status"
    status.write_text("Name:\tx\nMems_allowed_list:\t0-1,3\n")
    real = open
    monkeypatch.setattr("builtins.open", lambda path, **options: real(status, **options))
    assert trial.allowed_nodes() == [0, 1, 3]
