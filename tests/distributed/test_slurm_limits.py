"""What a partition does not have is refused before a job waits for it."""

import os

import pytest

from bertsquad.console.errors import UserError
from bertsquad.distributed.slurm_limits import (
    Partition,
    accounting_storage,
    check_accounting,
    check_nodes,
    check_partition,
    check_processors,
    minutes,
    read,
)

LISTED = """\
cpu 1:00:00 2 6000
cpu 1:00:00 4+ 3000
long 7-00:00:00 48 257000
any infinite 1 500
"""


def test_sinfos_list_is_read():
    assert read(LISTED) == {
        "cpu": Partition(60, 4, 6000),
        "long": Partition(7 * 24 * 60, 48, 257000),
        "any": Partition(None, 1, 500),
    }


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("30:00", 30), ("1:30:00", 90), ("2-00:00:00", 2880), ("infinite", None), ("0:30", 0.5)],
)
def test_times(limit, expected):
    assert minutes(limit) == expected


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"runtime": 1440}, "finetune asks for runtime=1440, and partition cpu has 60 minutes"),
        ({"mem_mb": 7000}, "finetune asks for mem_mb=7000, and partition cpu has 6000 MiB a node"),
        ({"cpus_per_task": 8}, "asks for cpus_per_task=8, and partition cpu has 4 processors"),
        ({"cpus_per_task": 8}, "lower it in the profile, under set-resources: finetune"),
        ({"threads": 8}, "asks for threads=8, and partition cpu has 4 processors a node"),
        ({"threads": 8}, "lower it in the profile, under set-threads: finetune"),
        ({"slurm_partition": "gpu"}, "slurm_partition is 'gpu'; expected one of any, cpu, long"),
    ],
)
def test_what_a_partition_does_not_have_is_refused(asked, said):
    with pytest.raises(UserError, match=said):
        check_partition("finetune", {"slurm_partition": "cpu"} | asked, read(LISTED))


def test_of_jobs_that_go_together_fewer_are_to_go():
    asked = {"slurm_partition": "cpu", "runtime": 300}
    with pytest.raises(UserError) as refused:
        check_partition("benchmark_inference", asked, read(LISTED), together=20)
    assert str(refused.value) == (
        "a job of 20 benchmark_inference asks for runtime=300, and partition cpu has 60 minutes: "
        "it would wait for ever; write a smaller number in the profile, under group-components"
    )


def test_what_it_has_is_not_and_nothing_is_known_without_slurm():
    fits = {"slurm_partition": "cpu", "runtime": 60, "mem_mb": 6000, "cpus_per_task": -1}
    check_partition("finetune", fits, read(LISTED))
    check_partition("finetune", {"slurm_partition": "gpu", "runtime": 10**6}, {})
    check_partition("finetune", {"runtime": 10**6}, read(LISTED))


CONFIG = """\
Configuration data as of 2026-11-30T16:50:56
AccountingStorageBackupHost = (null)
AccountingStorageEnforce = none
AccountingStorageType   = {}
MinJobAge               = 300 sec
"""


@pytest.mark.parametrize("storage", ["accounting_storage/none", "accounting_storage/slurmdbd"])
def test_slurm_says_what_keeps_account(storage, tmp_path, monkeypatch):
    program = tmp_path / "scontrol"
    program.write_text(f"#!/bin/sh\ncat << EOF\n{CONFIG.format(storage)}EOF\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert accounting_storage() == storage


def test_without_slurm_nothing_is_known_of_accounts(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert accounting_storage() is None
    program = tmp_path / "scontrol"  # of a login node whose Slurm does not answer
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    assert accounting_storage() is None


@pytest.mark.parametrize("storage", ["accounting_storage/none", "(null)"])
def test_sacct_is_not_asked_where_it_knows_of_no_job(storage):
    with pytest.raises(UserError, match="write slurm-status-command: squeue in the profile"):
        check_accounting("sacct", storage)


@pytest.mark.parametrize(
    ("command", "storage"),
    [
        ("sacct", "accounting_storage/slurmdbd"),
        ("sacct", None),
        ("squeue", "accounting_storage/none"),
        (None, "accounting_storage/none"),  # of another executor
    ],
)
def test_and_else_whatever_is_to_be_asked_is(command, storage):
    check_accounting(command, storage)


def test_a_whole_machine_is_no_number_of_processors():
    with pytest.raises(UserError, match="finetune asks for a whole node, and the profile does not"):
        check_processors("finetune", 1024, 1024, 1024)
    check_processors("finetune", 1024, -1, 1024)  # "0-1": no number is asked for
    check_processors("finetune", 1024, 24, 1024)  # a number of the profile's
    check_processors("finetune", 48, 48, 1024)


def test_nodes_that_would_stand_idle_are_refused():
    with pytest.raises(UserError, match=r"asks for nodes=2, and distributed.hosts names none"):
        check_nodes("finetune", 2, [])
    with pytest.raises(UserError, match=r"nodes=3, and distributed.hosts names 2: the others"):
        check_nodes("finetune", 3, ["n1", "n2"])
    check_nodes("finetune", 2, "slurm")
    check_nodes("finetune", 2, ["n1", "n2"])
    check_nodes("finetune", 1, [])
