"""certificate/mending.py: Snakemake's metadata is made to hold what a job really used."""

import json
import os
from base64 import urlsafe_b64encode
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bertsquad.certificate.mending import UNKNOWN, Mender
from bertsquad.certificate.record import Places, listing_sha256, read_record, write_record
from bertsquad.files import sha256
from made_record import made_record

OPTIMIZER = "bertsquad/training/optimizer.py"
PATH = f"scripts/{OPTIMIZER}"
OUTPUT = "results/demo/model/vocab.txt"
RECORD = Path("results/logs/demo/finetune.record.json")
USED, OTHER = "a" * 64, "d" * 64
ENDED = datetime.fromisoformat(made_record()["ended"]).timestamp()
EDITED = ENDED - 5  # when the module was edited
DAMAGED = '{"code": {"a.py": 3}, "edited": [], "declared": 5}'
LINE = (
    "finetune/demo: bertsquad/training/optimizer.py edited while it ran: to be done again by the "
    "next run, or kept by snakemake --touch results/demo/model/vocab.txt"
)


def metadata_of(output: str) -> Path:
    name = urlsafe_b64encode(output.encode()).decode()
    return Path(".snakemake/metadata", name)


class Made:
    """A working directory where finetune has ended."""

    def __init__(self) -> None:
        for name in (PATH, OUTPUT, "scripts/finetune.py"):
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text("# edited\n")
        os.utime(PATH, (EDITED, EDITED))
        self.now = sha256(PATH)
        self.record()
        self.metadata(self.now)

    def record(self, used: str = USED, **more: Any) -> None:
        code = {OPTIMIZER: used, "finetune.py": sha256("scripts/finetune.py")}
        write_record(
            RECORD, {**made_record(), "code": code, "code_sha256": listing_sha256(code), **more}
        )

    def metadata(self, held: str, started: float = ENDED - 10) -> None:
        """As Snakemake writes it when it has noticed that the job has ended."""
        path = metadata_of(OUTPUT)
        path.parent.mkdir(parents=True, exist_ok=True)
        checksums = {PATH: f"sha256:{held}", "results/other.txt": f"sha256:{OTHER}"}
        path.write_text(
            json.dumps({"rule": "finetune", "starttime": started, "input_checksums": checksums})
        )
        Path(OUTPUT).touch()

    def checksums(self) -> dict[str, str]:
        return json.loads(metadata_of(OUTPUT).read_text())["input_checksums"]

    def mend(self) -> list[str]:
        places = Places("results", "results/resources", "scripts")
        return list(Mender(places).mend(Path("results/logs")))


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    monkeypatch.chdir(tmp_path)
    return Made()


def test_what_snakemake_took_for_the_code_that_ran_is_doubted(made: Made):
    assert made.mend() == [LINE]
    assert made.checksums() == {PATH: f"sha256:{UNKNOWN}", "results/other.txt": f"sha256:{OTHER}"}
    assert Path(OUTPUT).stat().st_mtime < Path(PATH).stat().st_mtime
    assert read_record(RECORD)["edited"] == {OPTIMIZER: made.now}


def test_of_many_files_some_are_named(made: Made):
    names = [f"{letter}.py" for letter in "edcba"]
    made.record(edited=dict.fromkeys(names, OTHER), used=made.now)
    (line,) = made.mend()
    assert line.startswith("finetune/demo: a.py, b.py, c.py and 2 more edited while it ran: ")


def test_it_is_said_until_it_is_made_again(made: Made):
    assert made.mend() == made.mend() == [LINE]
    made.record(used=made.now)
    made.metadata(made.now)
    assert made.mend() == []
    assert made.checksums()[PATH] == f"sha256:{made.now}"


def test_undoing_the_edit_takes_no_doubt_away(made: Made):
    made.record(edited={OPTIMIZER: OTHER}, used=made.now)
    made.metadata(made.now)
    assert made.mend() == [LINE]
    assert made.checksums()[PATH] == f"sha256:{UNKNOWN}"


def test_an_edit_after_the_end_is_left_to_snakemake(made: Made):
    made.metadata(USED)
    before = Path(OUTPUT).stat().st_mtime
    assert made.mend() == []
    assert made.checksums()[PATH] == f"sha256:{USED}"
    assert Path(OUTPUT).stat().st_mtime == before


def test_what_somebody_touched_since_is_left_alone(made: Made):
    made.mend()
    made.metadata(made.now, started=ENDED + 60)
    assert made.mend() == []
    assert made.checksums()[PATH] == f"sha256:{made.now}"


def test_a_folder_carries_its_time_in_a_stamp(made: Made):
    Path(OUTPUT).unlink()
    Path(OUTPUT).mkdir()
    Path(OUTPUT, ".snakemake_timestamp").touch()
    assert made.mend() == [LINE]
    stamp = Path(OUTPUT, ".snakemake_timestamp").stat()
    assert stamp.st_mtime < Path(PATH).stat().st_mtime


def test_a_module_that_is_gone_is_left_to_snakemake(made: Made):
    """The job's inputs are others then."""
    Path(PATH).unlink()
    made.metadata(USED)
    assert made.mend() == []


@pytest.mark.parametrize("what", ["output", "metadata", "record"])
def test_where_something_is_missing_nothing_is_said(made: Made, what: str):
    Path({"output": OUTPUT, "metadata": metadata_of(OUTPUT), "record": RECORD}[what]).unlink()
    assert made.mend() == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "bertsquad-record/9"}', DAMAGED])
def test_damaged_records_and_metadata_say_nothing(made: Made, text: str):
    metadata_of(OUTPUT).write_text(text)
    assert made.mend() == []
    RECORD.write_text(text)
    assert made.mend() == []


def test_a_long_name_lies_in_parts(made: Made):
    """As Snakemake's persistence/file.py cuts it, since no name has more than 255 characters."""
    long = Path("results/demo", "x" * 200, "vocab.txt")
    name = urlsafe_b64encode(str(long).encode()).decode()
    part = Path(".snakemake/metadata", f"@{name[:254]}", name[254:])
    part.parent.mkdir(parents=True)
    metadata_of(OUTPUT).rename(part)
    long.parent.mkdir(parents=True)
    Path(OUTPUT).rename(long)
    made.record(declared=[f"demo/{'x' * 200}/vocab.txt"])
    assert len(made.mend()) == 1
    assert json.loads(part.read_text())["input_checksums"][PATH] == f"sha256:{UNKNOWN}"
