"""Every step records what it used; code edited while a step runs is no code that it used."""

import json
import time
from pathlib import Path

import pytest

from bertsquad.certificate.record import Record, find_records, read_record, write_record
from bertsquad.files import sha256
from project import Project, copy_project

pytestmark = pytest.mark.slow

SMALL = """
checkpoint: synthetic
dataset: synthetic
runs:
  small: {epochs: 0.05, batch_size: 32, learning_rate: 2.0e-3, max_seq_length: 128, doc_stride: 64,
          max_query_length: 24}
"""
MODEL = "results/small/model/model.safetensors"
LOG = Path("results/logs/small/finetune.log")
OPTIMIZER = "bertsquad/training/optimizer.py"
ZIP = "demo_uncased_L-2_H-128_A-2.zip"
MEMBERS = ("bert_config.json", "vocab.txt")
MEMBERS += ("bert_model.ckpt.index", "bert_model.ckpt.data-00000-of-00001")
TARGET = (MODEL, "--configfile", "small.yaml", "--cores", "all")


def edit(project: Project) -> None:
    path = project.folder / "scripts" / OPTIMIZER
    path.write_text(path.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")


def run_and_edit(project: Project) -> str:
    """Fine-tune, and edit the optimizer once the first step was taken; what Snakemake said."""
    running = project.start(*TARGET)
    while running.poll() is None:
        log = project.folder / LOG
        if log.exists() and "steps of" in log.read_text():
            break
        time.sleep(0.01)
    assert running.poll() is None, running.communicate()
    edit(project)
    told = "".join(running.communicate())
    assert running.returncode == 0, told
    return told


def finetune_record(project: Project) -> Record:
    return read_record((project.folder / LOG).with_name("finetune.record.json"))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A tiny run up to its model, whose optimizer was edited while it was trained."""
    project = Project(copy_project(tmp_path_factory.mktemp("edited") / "bertsquad"))
    (project.folder / "small.yaml").write_text(SMALL)
    project.told = run_and_edit(project)
    return project


def test_every_step_has_recorded_what_it_used(small):
    records = {read_record(path)["id"]: read_record(path) for path in find_records(small.folder)}
    assert set(records) == {
        "generate_demo",
        "download/demo-train.json",
        f"download/{ZIP}",
        *(f"unzip/{ZIP}/{ZIP.removesuffix('.zip')}/{name}" for name in MEMBERS),
        "convert_checkpoint/synthetic",
        "featurize/synthetic/train/synthetic/128/64/24",
        "finetune/small",
    }
    for record in records.values():
        assert record["outputs"]
        for name, facts in record["outputs"].items():
            assert sha256(small.folder / "results" / name) == facts["sha256"]
    made = {name for record in records.values() for name in record["outputs"]}
    read = {name for record in records.values() for name in record["inputs"]}
    assert read <= made


def test_the_code_that_ran_is_recorded_and_not_the_code_that_came_later(small):
    record = finetune_record(small)
    now = sha256(small.folder / "scripts" / OPTIMIZER)
    assert record["edited"] == {OPTIMIZER: now}
    assert record["code"][OPTIMIZER] != now
    assert record["code"]["finetune.py"] == sha256(small.folder / "scripts/finetune.py")


def test_no_sheet_is_left(small):
    assert list(small.folder.rglob(".*.job.json")) == []


def test_the_step_is_planned_again_and_the_edited_file_named(small):
    assert "finetune/small: bertsquad/training/optimizer.py edited while it ran" in small.told
    done = small.snakemake("-n", *TARGET)
    told = done.stdout + done.stderr
    assert "Nothing to be done" not in told
    assert f"Updated input files: scripts/{OPTIMIZER}" in told
    assert "finetune/small: bertsquad/training/optimizer.py edited while it ran" in told
    assert small.planned(*TARGET) == {"finetune": 1}


def test_it_is_planned_until_it_was_done_with_the_code_that_is_there(small):
    done = small.snakemake(*TARGET)
    assert done.returncode == 0, done.stdout + done.stderr
    assert small.planned(*TARGET) == {}
    record = finetune_record(small)
    assert record["edited"] == {}
    assert record["code"][OPTIMIZER] == sha256(small.folder / "scripts" / OPTIMIZER)


def test_what_was_edited_meanwhile_can_be_kept(small):
    path = (small.folder / LOG).with_name("finetune.record.json")
    record = finetune_record(small)
    write_record(path, {**record, "code": {**record["code"], OPTIMIZER: "0" * 64}})
    assert small.planned(*TARGET) == {"finetune": 1}
    done = small.snakemake("--touch", *TARGET)
    assert done.returncode == 0, done.stdout + done.stderr
    assert small.planned(*TARGET) == {}
    assert finetune_record(small)["edited"].keys() == {OPTIMIZER}


def test_a_record_holds_no_path_of_this_machine(small):
    assert str(small.folder) not in json.dumps(finetune_record(small))


def test_without_records_what_was_made_stays_valid(small):
    for path in find_records(small.folder):
        path.unlink()
    assert small.planned(*TARGET) == {}
