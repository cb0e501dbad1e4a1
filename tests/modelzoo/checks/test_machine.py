"""Checks of a machine, and how this machine is described."""

import dataclasses

import pytest

from bertsquad.modelzoo.checks.machine import (
    MACHINE_CHECKS,
    Host,
    needed_commands,
    read_host,
    why_binding_is_refused,
)
from bertsquad.modelzoo.checks.table import examine
from bertsquad.modelzoo.command_line import parse
from modelzoo.guide import INFERENCE, TRAINING, words

COOPER_LAKE = Host(
    sockets=4,
    cores_per_socket=28,
    logical=224,
    nodes=(0, 1, 2, 3),
    allowed_cpus=tuple(range(224)),
    socket_of_cpu=tuple((cpu, cpu % 112 // 28) for cpu in range(224)),
    flags=frozenset({"avx512f", "avx512_bf16"}),
    commands=frozenset({"numactl", "mpirun"}),
)
SMALL = dataclasses.replace(
    COOPER_LAKE,
    sockets=1,
    cores_per_socket=2,
    logical=2,
    nodes=(0,),
    allowed_cpus=(0, 1),
    socket_of_cpu=((0, 0), (1, 0)),
)


def found(text: str, host: Host) -> dict[str, str]:
    return {each.check: each.message for each in examine(MACHINE_CHECKS, parse(words(text)), host)}


def but(**changed) -> Host:
    return dataclasses.replace(COOPER_LAKE, **changed)


def test_the_guide_has_no_finding_on_the_machine_it_was_written_for():
    assert found(TRAINING, COOPER_LAKE) == {}
    assert found(INFERENCE, COOPER_LAKE) == {}


REPORTED = {
    "nodes": (TRAINING, but(nodes=(0, 1)), "--mpi_num_processes=4 on a machine of 2 NUMA nodes"),
    "socket": (INFERENCE + " --socket-id=1", SMALL, "--socket-id=1 on a machine of 1 NUMA node:"),
    "cpus": (INFERENCE, SMALL, "--physcpubind names 2-27, and only 0-1 may be used here"),
    "too-many-cores": (INFERENCE + " --num-cores=4", SMALL, "--num-cores=4 of 2"),
    "no-threads": (INFERENCE.replace("--num-intra-threads 28", ""), SMALL, "are 0 threads"),
    "commands": (TRAINING, but(commands=frozenset({"numactl"})), "mpirun is not installed"),
    "binding": (TRAINING, but(binding_refused="not permitted"), "SYS_NICE"),
    "sockets": (INFERENCE.replace("0-27", "0-30"), COOPER_LAKE, "spans 2 sockets"),
    "threads": (TRAINING, SMALL, "4 processes of 22 threads on 2 processors"),
    "avx512": (
        TRAINING,
        but(flags=frozenset({"avx2"}), image="sysstacks/dlrs-tensorflow2-ubuntu:v0.7.0-intel-tf"),
        "without AVX-512",
    ),
    "bf16": (TRAINING, but(flags=frozenset({"avx512f"})), "emulated"),
}


@pytest.mark.parametrize("check", REPORTED)
def test_a_check_reports_its_reason(check: str):
    text, host, message = REPORTED[check]
    assert message in found(text, host)[check]


def test_every_check_is_tested():
    assert {check.name for check in MACHINE_CHECKS} == REPORTED.keys()


@pytest.mark.parametrize("form", ["--physcpubind=0-27", "--physcpubind 0-27", "-C 0-27"])
def test_processors_are_found_however_numactl_is_told(form):
    assert "cpus" in found(INFERENCE.replace("--physcpubind=0-27", form), SMALL)


def test_all_processors_are_those_there_are():
    assert "cpus" not in found(INFERENCE.replace("0-27", "all"), SMALL)


def test_what_is_not_known_is_no_finding():
    unknown = but(commands=None, binding_refused=None, flags=None)
    assert found(TRAINING, unknown) == {}


def test_commands_that_a_line_needs():
    assert needed_commands(parse(words(TRAINING))) == ["numactl", "mpirun"]
    assert needed_commands(parse(words(INFERENCE))) == ["numactl"]
    plain = INFERENCE.replace("numactl --localalloc --physcpubind=0-27", "")
    assert needed_commands(parse(words(plain))) == []
    assert needed_commands(parse(words(plain + " --socket-id=0"))) == ["numactl"]


def test_this_machine_can_be_read():
    host = read_host()
    assert host.sockets >= 1
    assert host.cores_per_socket >= 1
    assert host.allowed_cpus
    assert host.commands is not None
    assert read_host(image="x").commands is None
    assert read_host(image="x").binding_refused is None
    assert read_host(image="x", binding=False).binding_refused == "`binding` is false"


def test_a_numactl_that_is_refused_says_why(tmp_path, monkeypatch):
    numactl = tmp_path / "numactl"
    numactl.write_text("#!/bin/sh\necho 'set_mempolicy: Operation not permitted' >&2\nexit 1\n")
    numactl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert why_binding_is_refused() == "set_mempolicy: Operation not permitted"
    numactl.write_text("#!/bin/sh\nexit 0\n")
    assert why_binding_is_refused() is None
    numactl.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert why_binding_is_refused() is None
