"""What squeue(1) answers, and what follows from it."""

from pathlib import Path

import pytest

from bertsquad.machine.slurm import Orphan, is_at_work, orphans, orphans_line


def answering(tmp_path, monkeypatch, script):
    (tmp_path / "squeue").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo RUNNING", True),
        ("echo SUSPENDED", True),
        ("echo COMPLETED", False),
        ("echo NODE_FAIL", False),
        ("true", False),  # no longer remembered
        ("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1", False),
        ("echo 'Unable to contact slurm controller' >&2; exit 1", None),
        ("echo COMPLETING", None),
        ("echo PENDING", None),
    ],
)
def test_whether_a_job_is_at_work(tmp_path, monkeypatch, script, expected):
    answering(tmp_path, monkeypatch, script)
    assert is_at_work("37") is expected


def test_without_slurm_nobody_knows(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert is_at_work("37") is None
    assert orphans(tmp_path) == []


def test_orphans_are_snakemakes_jobs_of_the_same_folder(tmp_path, monkeypatch):
    lines = [
        f"37|rule_finetune_wildcards_small|{tmp_path}",
        f"38|rule_compute_logits_wildcards_small_torch_fp32|{tmp_path}",
        f"39|rule_featurize|{tmp_path}",
        f"40|rule_finetune_wildcards_small|{tmp_path}/elsewhere",
        f"41|(null)|{tmp_path}",
    ]
    answering(tmp_path, monkeypatch, "\n".join(f"echo '{line}'" for line in lines))
    assert orphans(Path(tmp_path)) == [
        Orphan("37", "finetune", "small"),
        Orphan("38", "compute_logits", "small_torch_fp32"),
        Orphan("39", "featurize", ""),
    ]


def test_a_training_is_waited_for_and_the_rest_can_be_ended():
    training, logits = Orphan("37", "finetune", "small"), Orphan("38", "plot", "")
    assert orphans_line([training]) == (
        "job 37 (finetune small) of an earlier run still runs; a training is waited for, not done "
        "twice"
    )
    assert orphans_line([training, logits]) == (
        "jobs 37 (finetune small), 38 (plot) of an earlier run still run; a training is waited "
        "for, not done twice; scancel 38 ends what is computed twice"
    )
    assert orphans_line([logits]) == (
        "job 38 (plot) of an earlier run still runs; scancel 38 ends what is computed twice"
    )
