"""exit_with: a reader that has gone, a terminal that lacks characters."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bertsquad.console.errors import explain
from project import ROOT


def command(tmp_path: Path, body: str, stdout=subprocess.PIPE, **more) -> subprocess.Popen[bytes]:
    script = tmp_path / "go.py"
    script.write_text(
        "import os, sys\nfrom bertsquad.console.errors import exit_with\n"
        f"def main():\n    {body}\nexit_with(main)\n"
    )
    return subprocess.Popen(
        [sys.executable, script],
        env={"PYTHONPATH": str(ROOT / "scripts")} | more,
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("length", [1, 1_000_000])
def test_a_reader_that_has_gone_ends_it_without_a_word(tmp_path: Path, unbuffered: str, length):
    read, write = os.pipe()
    os.close(read)
    process = command(tmp_path, f"print('x' * {length})", write, PYTHONUNBUFFERED=unbuffered)
    os.close(write)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (141, b"")


def test_another_pipe_that_broke_is_a_bug(tmp_path: Path):
    process = command(tmp_path, "r, w = os.pipe(); os.close(r); os.write(w, b'x')")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.strip().endswith(b"BrokenPipeError: [Errno 32] Broken pipe")


def test_what_the_terminal_lacks_is_an_escape(tmp_path: Path):
    process = command(tmp_path, "print('K\u00f6ln')", PYTHONIOENCODING="ascii:strict")
    shown, said = process.communicate(timeout=60)
    assert (process.returncode, shown, said) == (0, b"K\\xf6ln\n", b"")


def test_an_output_that_is_a_folder_is_named_and_not_its_temporary_file():
    error = OSError(errno.EISDIR, "Is a directory", ".out.part", None, "out")
    assert explain(error) == "out: Is a directory"
