"""files.py and errors.py: whole or not at all, and one line for the user."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from bertsquad.console.errors import UserError, explain, one_line, shown
from bertsquad.files import own_folder, read_json, sha256, write_json, written_whole

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_else(tmp_path: Path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), written_whole(target) as part:  # noqa: PT012
        part.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_what_a_killed_process_left_is_overwritten(tmp_path: Path):
    (tmp_path / ".a.txt.part").write_text("much longer remains of a killed process")
    with written_whole(tmp_path / "a.txt") as part:
        part.write_text("new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.txt", "new")]


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path):
    target = tmp_path / "a.txt"
    with written_whole(target) as first:
        first.write_text("first")
        with written_whole(target) as second:
            assert second != first
            second.write_text("second")
        assert target.read_text() == "second"
        assert first.read_text() == "first"
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.txt", "first")]


def test_what_killed_writers_left_is_removed_by_the_next(tmp_path: Path):
    for name in (".a.txt.part", ".a.txt.1.part", ".a.txt.7.part", ".b.txt.part"):
        (tmp_path / name).write_text("half")
    with written_whole(tmp_path / "a.txt") as part:
        part.write_text("new")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".b.txt.part", "a.txt"]


def test_identical_content_is_an_identical_file(tmp_path: Path):
    write_json(tmp_path / "a.json", {"b": 1, "a": "é"})
    write_json(tmp_path / "b.json", {"a": "é", "b": 1})
    assert (tmp_path / "a.json").read_bytes() == '{\n  "a": "é",\n  "b": 1\n}\n'.encode()
    assert sha256(tmp_path / "a.json") == sha256(tmp_path / "b.json")


def test_nan_is_never_written_as_json(tmp_path: Path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"id": 1}\n{"id": 2}\n', "JSON Lines: another value begins at line 2, column 1"),
        ("id,question\n1,Who?\n", "no JSON at all, it begins with 'id,question"),
        ('"id","question"\n', "no JSON at all"),
        ("<html></html>", "no JSON at all"),
    ],
)
def test_what_is_not_json_is_not_called_incomplete(tmp_path: Path, text: str, message: str):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UserError, match=r"a\.json: ") as caught:
        read_json(tmp_path / "a.json")
    assert message in str(caught.value)
    assert "incomplete" not in str(caught.value)


def test_malformed_json_names_file_line_and_column(tmp_path: Path):
    (tmp_path / "a.json").write_text('{\n"a": 1,}')
    with pytest.raises(UserError, match=r"a\.json: not valid JSON at line 2, column"):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("a: b\n  c"), "a: b c"),
        (
            OSError(errno.ENOSPC, "No space left on device", "x.bin"),
            "disk full while writing x.bin",
        ),
        (MemoryError(), "out of memory"),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
            "out of memory",
        ),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "y"), "y: No such file"),
    ],
)
def test_what_a_user_can_mend_is_one_line(error: Exception, line: str):
    assert str(explain(error)).startswith(line)


def test_a_line_shows_control_characters_as_escapes():
    assert one_line("a \x1b[31mred\x07\r\n\u2028b \ud800 ä") == r"a \x1b[31mred\x07 b \ud800 ä"
    assert shown("26\N{NO-BREAK SPACE}×\x1b") == r"26 ×\x1b"


def test_a_long_line_keeps_both_ends():
    line = one_line("x.json: " + "long " * 1000 + "; make it again")
    assert len(line) == 300
    assert line.startswith("x.json: long")
    assert line.endswith("; make it again")
    assert " … " in line


def test_a_bug_is_not_explained_away():
    assert explain(ValueError("shape mismatch")) is None
    assert explain(RuntimeError("size mismatch")) is None


@pytest.mark.parametrize(
    ("body", "status", "stderr"),
    [
        ("raise UserError('a.json: broken')", 2, "go.py: error: a.json: broken\n"),
        ("raise KeyboardInterrupt", 130, ""),
        ("pass", 0, ""),
    ],
)
def test_exit_statuses(tmp_path: Path, body: str, status: int, stderr: str):
    script = tmp_path / "go.py"
    script.write_text(
        "from bertsquad.console.errors import UserError, exit_with\n"
        f"def main():\n    {body}\nexit_with(main)\n"
    )
    done = subprocess.run(
        [sys.executable, script], env={"PYTHONPATH": str(SCRIPTS)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (status, stderr)


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_out_of_memory_is_one_line_and_status_2(tmp_path: Path, library: str):
    script = tmp_path / "go.py"
    script.write_text(
        f"import {library}\nfrom bertsquad.console.errors import exit_with\n"
        f"exit_with(lambda: {library}.empty(1 << 50))\n"
    )
    done = subprocess.run(
        [sys.executable, script], env={"PYTHONPATH": str(SCRIPTS)}, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("go.py: error: out of memory")
    assert len(done.stderr.splitlines()) == 1


def test_a_full_disk_is_one_line_and_the_old_file_stays(tmp_path: Path):
    """/dev/full stands for a full disk: every write to it fails with ENOSPC."""
    target = tmp_path / "a.txt"
    target.write_text("old")
    (tmp_path / ".a.txt.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught, written_whole(target) as part:
        part.write_text("new")
    assert explain(caught.value).startswith(f"disk full while writing {target}")
    assert target.read_text() == "old"


def test_two_writers_of_one_folder_have_each_their_own(tmp_path):
    with own_folder(tmp_path) as first:
        (first / "model.bin").write_text("first")
        with own_folder(tmp_path) as second:
            assert second != first
            (second / "model.bin").write_text("second")
        assert (first / "model.bin").read_text() == "first"
    assert list(tmp_path.iterdir()) == []


def test_folders_that_killed_writers_left_are_emptied_and_removed(tmp_path):
    for name in (".part", ".1.part", ".7.part"):
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "model.bin").write_text("half")
    (tmp_path / "model.bin").write_text("good")
    with own_folder(tmp_path) as part:
        assert list(part.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["model.bin"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"a\.json: an empty file; expected JSON, so fetch or make it again$"),
        (" \n", r"a\.json: an empty file; expected JSON"),
        ('{"a": ', "not valid JSON at line 1, column 7: the file ends in the middle of a value"),
        ('{"a": "b', "not valid JSON at line 1, column 7: the file ends in the middle of a value"),
        ('{"a": }', "not valid JSON at line 1, column 7: Expecting value; mend that place"),
    ],
)
def test_what_ends_early_is_told_from_what_is_wrong(tmp_path, text, said):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(UserError, match=said):
        read_json(path)
