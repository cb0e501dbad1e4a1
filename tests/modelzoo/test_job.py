"""One call as a job: its environment, and everything that stands against it."""

import json
from pathlib import Path

from bertsquad.modelzoo.display import explain
from bertsquad.modelzoo.job import fresh, job_of
from modelzoo.guide import INFERENCE_FILES, LAUNCHER, TRAINING_FILES
from modelzoo.test_machine_checks import COOPER_LAKE, SMALL

TRAINING = {
    "mode": "training",
    "precision": "fp32",
    "python": "/usr/bin/python3.8",
    "arguments": {"train_option": "SQuAD", "max_seq_length": 384, "num_train_epochs": 2},
}


def job(settings: dict, files=TRAINING_FILES):
    return job_of(json.dumps(settings), files, LAUNCHER)


def test_the_launcher_finds_its_modules_as_the_guide_has_it():
    environment = job(TRAINING).environment({"PYTHONPATH": "/mine", "HOME": "/root"})
    assert environment["PYTHONPATH"] == "/mine:/tmp/models/benchmarks"
    assert job(TRAINING).environment({})["PYTHONPATH"] == "/tmp/models/benchmarks"
    assert environment["HOME"] == "/root"


def test_a_steps_own_variables_come_last():
    settings = TRAINING | {"environment": {"KMP_BLOCKTIME": 0, "OMP_NUM_THREADS": 3}}
    environment = job(settings).environment({"KMP_BLOCKTIME": "9", "OMP_NUM_THREADS": "1"})
    assert (environment["KMP_BLOCKTIME"], environment["OMP_NUM_THREADS"]) == ("0", "3")


def test_the_callers_variables_do_not_stand_against_it():
    found = job(TRAINING).findings(
        COOPER_LAKE, {"data_dir": "/x", "KMP_BLOCKTIME": "9"}, files=False
    )
    assert found == []


def test_errors_come_before_warnings():
    settings = {
        **TRAINING,
        "options": {"mpi_num_processes": 4},
        "arguments": {"train_option": "SQuAD"},
    }
    found = job(settings).findings(SMALL, {}, files=False)
    severities = [finding.severity for finding in found]
    assert severities == sorted(severities)
    assert {"nodes", "no-threads", "training-defaults"} <= {finding.check for finding in found}


def test_a_folder_is_made_fresh(tmp_path: Path):
    folder = tmp_path / "a/output"
    fresh(folder)
    assert folder.parent.is_dir()
    folder.mkdir()
    (folder / "predictions.json").write_text("{}")
    fresh(folder)
    assert not folder.exists()
    kept = tmp_path / "kept"
    kept.mkdir()
    folder.symlink_to(kept)
    fresh(folder)
    assert kept.is_dir()
    assert not folder.is_symlink()


def test_what_is_shown_can_be_read_and_holds_every_word():
    benchmark = job(
        {"mode": "benchmark", "precision": "bfloat16", "numactl": "-C 0-27"}, INFERENCE_FILES
    )
    findings = benchmark.findings(SMALL, {}, files=False)
    text = explain("benchmark", benchmark.line, SMALL.machine, findings, image="dlrs:v0.7.0")
    assert text.startswith("# benchmark, in the image dlrs:v0.7.0\n")
    assert 'export PYTHONPATH="$PYTHONPATH:/tmp/models/benchmarks"' in text
    assert "OMP_NUM_THREADS=0 \\\n" in text
    assert "--mode=benchmark" in text
    assert "# error: --physcpubind names 2-27" in text
    assert all(line.startswith("# ") for line in text.split("\n\n")[-1].splitlines())


def test_what_cannot_be_known_is_said():
    wrong = job(TRAINING | {"arguments": {"train_option": "Classifier"}})
    text = explain("train", wrong.line, SMALL.machine, [])
    assert "# nothing: train_option: found Classifier" in text
