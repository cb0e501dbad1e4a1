"""Which hosts take part, and how they are started."""

import socket
from pathlib import Path

import pytest

from bertsquad.console.errors import UserError
from bertsquad.distributed.hosts import (
    HERE_ALONE,
    Hosts,
    check_allocation,
    expand,
    interface_towards,
    listed,
    of_slurm,
    remote_command,
    require_here,
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a", ["a"]),
        ("a,b", ["a", "b"]),
        ("node[1-3,7]", ["node1", "node2", "node3", "node7"]),
        ("n[08-10],login", ["n08", "n09", "n10", "login"]),
        ("r[1-2]c[3-4]-ib", ["r1c3-ib", "r1c4-ib", "r2c3-ib", "r2c4-ib"]),
    ],
)
def test_slurms_node_lists_where_its_commands_are_missing(text, names, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert expand(text) == names


def slurm_command(folder, script):
    (folder / "scontrol").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "scontrol").chmod(0o755)
    return str(folder)


def test_slurms_own_command_reads_its_node_lists(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", slurm_command(tmp_path, 'echo "$1-$2"; echo "$3"'))
    assert expand("n[1-2]") == ["show-hostnames", "n[1-2]"]


def test_a_command_that_fails_is_done_without(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", slurm_command(tmp_path, "exit 1"))
    assert expand("n[1-2]") == ["n1", "n2"]


def test_the_first_of_a_list_starts_the_others():
    assert listed(["a", "b"], None) == Hosts(("a", "b"), 0, starts_others=True)
    assert listed(["a", "b"], 1) == Hosts(("a", "b"), 1, starts_others=False)
    assert listed(["a", "b"], 1).name == "b"


def test_a_single_host_is_this_machine_alone():
    assert not listed(["a"], None).several
    assert not listed(["a"], None).starts_others


def test_a_host_named_twice_is_refused():
    with pytest.raises(UserError, match="a is named more than once"):
        listed(["a", "b", "a"], None)


# Slurm

BATCH = {"SLURM_JOB_NODELIST": "n[1-3]", "SLURMD_NODENAME": "n1", "SLURM_NODEID": "0"}


def test_a_batch_script_starts_the_other_nodes():
    assert of_slurm(BATCH) == Hosts(("n1", "n2", "n3"), 0, starts_others=True)


def test_a_step_of_one_task_starts_the_other_nodes_from_where_it_is():
    step = {"SLURM_STEP_NODELIST": "n2", "SLURM_STEP_NUM_TASKS": "1", "SLURM_STEP_NUM_NODES": "1"}
    assert of_slurm({**BATCH, **step, "SLURMD_NODENAME": "n2"}).names == ("n2", "n1", "n3")


def test_in_a_step_with_a_task_on_every_node_all_are_started():
    step = {
        "SLURM_STEP_NODELIST": "n[1-3]",
        "SLURM_STEP_NUM_TASKS": "3",
        "SLURM_STEP_NUM_NODES": "3",
        "SLURM_NODEID": "2",
        "SLURMD_NODENAME": "n3",
    }
    assert of_slurm({**BATCH, **step}) == Hosts(("n1", "n2", "n3"), 2, starts_others=False)


def test_outside_of_slurm_there_is_no_allocation():
    with pytest.raises(UserError, match="so this is no Slurm job"):
        of_slurm({})


def test_an_allocation_larger_than_the_hosts_is_refused():
    with pytest.raises(UserError, match=r"n1, n2, and Slurm's job has 3 nodes \(n1, n2, n3\)"):
        check_allocation(listed(["n1", "n2"], None), BATCH)
    with pytest.raises(UserError, match=r"--hosts: found none, and Slurm's job has 3 nodes"):
        check_allocation(HERE_ALONE, BATCH)
    check_allocation(of_slurm(BATCH), BATCH)
    check_allocation(listed(["n1", "n2", "n3"], 1), BATCH)
    check_allocation(HERE_ALONE, {"SLURM_JOB_NODELIST": "n1"})
    check_allocation(listed(["a", "b"], None), {})


# Starting a command elsewhere


def test_ssh_gets_one_command_line_quoted_for_the_shell():
    environment = {"OMP_PROC_BIND": "close", "PATH": "/bin", "GLIBC_TUNABLES": "a=1:b=2", "X": "y"}
    command = remote_command(
        ["ssh", "-4"], "b", ["python", "s.py", "--output=my model"], Path("/a b"), environment
    )
    assert command == [
        "ssh",
        "-4",
        "b",
        "cd '/a b' && exec env GLIBC_TUNABLES=a=1:b=2 OMP_PROC_BIND=close"
        " python s.py '--output=my model'",
    ]


def test_srun_is_told_the_node_by_an_option():
    command = remote_command(["srun"], "n2", ["python", "s.py"], Path("/w"), {})
    assert command == [
        *("srun", "--overlap", "--nodes=1", "--ntasks=1", "--nodelist=n2"),
        *("sh", "-c", "cd /w && exec env python s.py"),
    ]


# Addresses


def test_the_first_host_must_be_this_machine():
    require_here("127.0.0.1")
    with pytest.raises(UserError, match=r"192\.0\.2\.1 .* is not this machine; name this machine"):
        require_here("192.0.2.1")


def test_a_name_without_an_address_is_refused():
    with pytest.raises(UserError, match=r"no-such-host\.invalid: "):
        require_here("no-such-host.invalid")


def test_the_interface_is_the_one_that_leads_there():
    names = [name for _, name in socket.if_nameindex()]
    assert interface_towards("127.0.0.1") in names
    assert interface_towards("127.0.0.1").startswith("lo")
