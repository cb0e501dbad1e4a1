"""What PyTorch's libraries are told before they start; a user's own settings stay."""

import os
import subprocess
import sys

import pytest

from bertsquad.machine import torch_environment


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("GOMP_SPINCOUNT", "THP_MEM_ALLOC_ENABLE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(torch_environment, "KEEP_MEMORY", {})


def test_defaults_are_set():
    torch_environment.prepare()
    assert (os.environ["GOMP_SPINCOUNT"], os.environ["THP_MEM_ALLOC_ENABLE"]) == ("3000", "1")


def test_what_the_user_set_stays(monkeypatch):
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    torch_environment.prepare()
    assert os.environ["GOMP_SPINCOUNT"] == "7"


def test_keeping_memory_leaves_waiting_alone():
    torch_environment.keep_memory()
    assert "GOMP_SPINCOUNT" not in os.environ


@pytest.mark.skipif(sys.platform != "linux", reason="needs glibc's malloc: Linux")
@pytest.mark.parametrize(("variables", "kept"), [({}, True), ({"MALLOC_ARENA_MAX": "2"}, False)])
def test_freed_memory_stays_with_the_process_unless_the_user_chose(variables, kept):
    """Page faults of the second of two equal allocations: none where the first one's pages stay."""
    code = (
        "import resource, sys; sys.path.insert(0, 'scripts')\n"
        "from bertsquad.machine import torch_environment; torch_environment.keep_memory()\n"
        "faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "bytearray(b'x') * 50_000_000\n"
        "before = faults(); bytearray(b'x') * 50_000_000; print(faults() - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (int(done.stdout) < 1000) == kept
