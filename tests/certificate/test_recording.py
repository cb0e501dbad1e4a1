"""A command that a rule called records what it used, and never fails by that."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bertsquad.certificate.record import Places, Record, listing_sha256, read_record
from bertsquad.certificate.sheets import sheet_beside, write_sheets
from fake_jobs import FakeJob, FakeRule
from project import ROOT

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
OLD, NEW = "value = 1\n", "value = 2\n"
LATE = "scripts/bertsquad_late.py"
CODE = ["scripts/go.py", LATE, "scripts/world.yaml"]
EDIT = f"Path({LATE!r}).write_text({NEW!r})"
MAKE = "Path('results/demo').mkdir(parents=True, exist_ok=True); Path(OUT).write_text('abc')"
SCRIPT = """\
import os, subprocess, sys, time
from pathlib import Path
from bertsquad.console.errors import UserError, exit_with
OUT = "results/demo/out.txt"
{before}
def main():
    {body}
exit_with(main)
"""
Run = Callable[..., subprocess.CompletedProcess[str]]
LOG = Path("results/logs/demo/go.log")
RECORD = LOG.with_name("go.record.json")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command with this body as its rule would, in a folder with an input and code."""
    for name, content in {
        "results/resources/in.txt": "abc",
        "data/own.json": "{}",
        LATE: OLD,
        "scripts/world.yaml": "a: 1\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)

    def go(*body: str, sheet: bool = True, before: str = "") -> subprocess.CompletedProcess[str]:
        script = tmp_path / "scripts/go.py"
        script.write_text(SCRIPT.format(body="; ".join(body), before=before))
        (tmp_path / LOG).parent.mkdir(parents=True, exist_ok=True)
        for name in CODE:  # written a while ago
            os.utime(tmp_path / name, (time.time() - 60,) * 2)
        if sheet:
            job = FakeJob(
                FakeRule("go", "python {input.code[0]:q} &> {log:q}"),
                [str(tmp_path / LOG)],
                {"run": "demo"},
                [*CODE, "results/resources/in.txt", str(tmp_path / "data/own.json")],
                ["results/demo/out.txt"],
                {"model": "results/demo/model"},
            )
            places = Places("results", "results/resources", "scripts")
            write_sheets([job], places, ["numpy", "no-such-package"])
        with (tmp_path / LOG).open("w") as log:
            command = [sys.executable, "scripts/go.py", "--output=results/demo/out.txt"]
            done = subprocess.run(
                command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT / "scripts")}, stderr=log
            )
        return subprocess.CompletedProcess(
            command, done.returncode, None, (tmp_path / LOG).read_text()
        )

    return go


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[[], Record | None]:
    """What the command recorded; None where it recorded nothing."""
    path = tmp_path / RECORD
    return lambda: read_record(path) if path.is_file() else None


def test_a_step_records_what_it_used(tmp_path: Path, run: Run, recorded):
    done = run("import bertsquad_late", MAKE)
    assert (done.returncode, done.stderr) == (0, "")
    record = recorded()
    assert record["id"] == "go/demo"
    assert set(record["code"]) == {"go.py", "bertsquad_late.py", "world.yaml"}
    assert record["code_sha256"] == listing_sha256(record["code"])
    assert record["edited"] == {}
    assert record["inputs"] == {
        "resources/in.txt": {"sha256": ABC, "bytes": 3},
        "outside/own.json": {
            "sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            "bytes": 2,
        },
    }
    assert record["outputs"] == {"demo/out.txt": {"sha256": ABC, "bytes": 3}}
    assert record["declared"] == ["demo/out.txt"]
    assert record["params"] == {"model": "demo/model"}
    assert record["argv"] == ["go.py", "--output=demo/out.txt"]
    assert record["python"] == ".".join(map(str, sys.version_info[:3]))
    assert set(record["packages"]) >= {"numpy"}
    assert "no-such-package" not in record["packages"]
    assert record["started"] < record["ended"]
    assert not sheet_beside(tmp_path / LOG).exists()


def test_its_names_hold_no_path_of_the_machine(tmp_path: Path, run: Run):
    run(MAKE)
    assert str(tmp_path) not in (tmp_path / RECORD).read_text()


def test_code_edited_before_it_is_imported_is_recorded_as_it_was_imported(run: Run, recorded):
    run(EDIT, "import bertsquad_late", "assert bertsquad_late.value == 2", MAKE)
    record = recorded()
    assert set(record["edited"]) == {"bertsquad_late.py"}
    assert record["code"]["bertsquad_late.py"] == record["edited"]["bertsquad_late.py"]


def test_code_edited_after_it_is_imported_is_recorded_as_it_was_imported(run: Run, recorded):
    run(MAKE)
    before = recorded()["code"]["bertsquad_late.py"]
    done = run("import bertsquad_late", EDIT, MAKE)
    assert "edited while this ran: bertsquad_late.py; the next run does it again" in done.stderr
    record = recorded()
    assert record["code"]["bertsquad_late.py"] == before
    assert record["edited"]["bertsquad_late.py"] not in (None, before)


def test_an_edit_that_is_undone_after_it_was_imported_is_found(run: Run, recorded):
    run(MAKE)
    before = recorded()["code"]["bertsquad_late.py"]
    run(EDIT, "import bertsquad_late", f"Path({LATE!r}).write_text({OLD!r})", MAKE)
    record = recorded()
    assert record["edited"] == {"bertsquad_late.py": before}
    assert record["code"]["bertsquad_late.py"] != before


def test_code_that_no_process_of_this_one_imports_counts_too(run: Run, recorded):
    run(f"Path({LATE!r}).unlink()", MAKE)
    assert recorded()["edited"] == {"bertsquad_late.py": None}


def test_code_that_was_edited_while_the_process_started_may_have_run_or_not(run: Run, recorded):
    started = "os.environ.get('BERTSQUAD_RECORDING') or os.utime('scripts/world.yaml')"
    done = run(MAKE, before=started)
    assert done.returncode == 0, done.stderr
    assert set(recorded()["edited"]) == {"world.yaml"}


def test_a_touched_module_is_not_edited(run: Run, recorded):
    run(f"Path({LATE!r}).touch()", MAKE)
    assert recorded()["edited"] == {}


@pytest.mark.parametrize(
    ("last", "status", "is_recorded"),
    [
        ("sys.exit(0)", 0, True),
        ("sys.exit()", 0, True),
        ("sys.exit(3)", 3, False),
        ("raise UserError('no')", 2, False),
        ("raise KeyError('bug')", 1, False),
        ("os.kill(os.getpid(), 9)", -9, False),
        ("os.kill(os.getpid(), 15)", -15, False),
    ],
)
def test_only_a_success_is_recorded(
    tmp_path: Path, run: Run, recorded, last: str, status: int, is_recorded: bool
):
    run(MAKE)
    assert recorded() is not None  # of an earlier run
    assert run(MAKE, last).returncode == status
    assert (recorded() is not None) == is_recorded
    assert sheet_beside(tmp_path / LOG).exists() != is_recorded


def test_the_sheet_of_a_later_run_stays(tmp_path: Path, run: Run, recorded):
    sheet = sheet_beside(LOG)
    run(MAKE, f"Path({str(sheet)!r}).write_text(Path({str(sheet)!r}).read_text())")
    assert recorded() is not None
    assert sheet_beside(tmp_path / LOG).exists()


def test_without_its_outputs_a_step_records_nothing(run: Run, recorded):
    done = run("pass")
    assert recorded() is None
    assert done.stderr == ("what this step used is not recorded: results/demo/out.txt is missing\n")


def test_a_command_by_hand_records_nothing(run: Run, recorded):
    assert run(MAKE, sheet=False).returncode == 0
    assert recorded() is None


def test_a_process_that_a_step_starts_records_nothing_of_its_own(run: Run, recorded):
    again = "subprocess.run([sys.executable, sys.argv[0], 'child'], check=True)"
    done = run(MAKE, f"{again} if len(sys.argv) < 3 and sys.argv[1] != 'child' else None")
    assert done.returncode == 0, done.stderr
    assert recorded()["argv"] == ["go.py", "--output=demo/out.txt"]


def test_a_process_that_a_step_becomes_records_the_step(run: Run, recorded):
    again = "os.execv(sys.executable, [sys.executable, sys.argv[0], 'second', 'time'])"
    done = run(MAKE, f"{again} if len(sys.argv) == 2 else None")
    assert done.returncode == 0, done.stderr
    assert recorded()["argv"] == ["go.py", "--output=demo/out.txt"]


@pytest.mark.parametrize("trouble", ["record", "sheet"])
def test_a_record_that_cannot_be_made_costs_one_line_and_no_result(
    tmp_path: Path, run: Run, trouble: str
):
    body = MAKE
    if trouble == "record":
        body += f"; Path({str(RECORD)!r}).mkdir()"
    else:
        body = f"{MAKE}"
        sheet_beside(tmp_path / LOG).parent.mkdir(parents=True)
        sheet_beside(tmp_path / LOG).write_text(json.dumps({"rule": "go"}))
    done = run(body, sheet=trouble == "record")
    assert done.returncode == 0
    assert (tmp_path / "results/demo/out.txt").read_text() == "abc"
    (line,) = done.stderr.splitlines()
    assert line.startswith("what this step used is not recorded: ")
