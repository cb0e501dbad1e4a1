"""Running a command here, and the command that runs one in a container."""

import sys
from pathlib import Path

import pytest

from bertsquad.containers.settings import read_settings
from bertsquad.modelzoo.container import identity, in_container
from bertsquad.modelzoo.running import run_here

SHELL = {"PATH": "/usr/bin:/bin"}


def test_both_streams_come_line_by_line_and_the_status_is_kept():
    lines: list[str] = []
    status = run_here(["sh", "-c", "echo one; echo two >&2; exit 3"], SHELL, lines.append)
    assert (status, lines) == (3, ["one\n", "two\n"])


def test_bytes_that_are_no_text_do_not_stop_it():
    lines: list[str] = []
    assert run_here(["printf", "\\377\\n"], SHELL, lines.append) == 0
    assert lines == ["\ufffd\n"]


def test_nothing_stays_when_a_line_cannot_be_taken(tmp_path: Path):
    mark = tmp_path / "mark"

    def refuse(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_here(["sh", "-c", f"echo x; sleep 5; touch {mark}"], SHELL, refuse)
    assert not mark.exists()


def test_the_environment_is_the_given_one():
    lines: list[str] = []
    run_here(["/usr/bin/env"], {"A": "1"}, lines.append)
    assert "A=1\n" in lines
    assert not any(line.startswith("PATH=") for line in lines)


def test_a_container_gets_the_guides_options_and_our_variables():
    argv, environment = in_container(
        "dlrs:v0.7.0",
        ["python3", "/m/launch_benchmark.py", "--", "a=b"],
        {"PYTHONPATH": "/m", "KMP_BLOCKTIME": "0"},
        {"OMP_NUM_THREADS": "1", "PATH": "/bin", "profile": "x"},
        shm_size="8g",
        binding=True,
        folders=[Path("/opt/models")],
    )
    assert argv[0] == sys.executable
    assert Path(argv[1]).name == "docker_shell.py"
    assert Path(argv[1]).is_file()
    assert argv[2] == "-c"
    assert argv[3].endswith("exec python3 /m/launch_benchmark.py -- a=b")
    settings = read_settings(environment)
    assert (settings.image, settings.shm_size, settings.binding) == ("dlrs:v0.7.0", "8g", True)
    assert settings.env == ("PYTHONPATH", "KMP_BLOCKTIME")
    assert settings.mounts == ("/opt/models",)
    assert "OMP_NUM_THREADS" not in environment
    assert "profile" not in environment


def test_the_log_says_which_image_it_was():
    lines = ["a\n", 'bertsquad container: {"image": "dlrs", "image_id": "sha256:1"}\n']
    assert identity(lines) == {"image": "dlrs", "image_id": "sha256:1"}
    assert identity(["a\n"]) is None
