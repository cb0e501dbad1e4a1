"""What a processor is told apart by, and what is said where a cell was measured on another one."""

import pytest

from bertsquad.machine.cpu import CpuInfo, allowed_cpus, read_cpu
from bertsquad.machine.identity import (
    describe_identity,
    flags_sha256,
    identity_of,
    other_machine,
    read_identity,
)
from bertsquad.machine.reading import unavailable

EPYC = CpuInfo("AMD EPYC 9755", "AuthenticAMD", frozenset({"avx2", "avx512f", "bugs_of_firmware"}))
IDENTITY = describe_identity(EPYC, 128)
N2 = {"host": "n2", "cpu": {"model": "AMD EPYC 9755", "identity": IDENTITY}}


def cell(**identity):
    return {"host": "n7", "cpu_identity": IDENTITY | identity}


def test_it_is_model_flags_and_processors_to_use():
    assert IDENTITY == {
        "model": "AMD EPYC 9755",
        # printf 'avx2 avx512f' | sha256sum
        "flags_sha256": "35aa45ba186a639f747f9a38ace97dea18ce8ea4c371b3102c957ca499f22df4",
        "cores": 128,
    }


def test_flags_that_no_kernel_chooses_by_make_no_other_machine():
    assert flags_sha256(["avx512f", "avx2", "nopti"]) == flags_sha256(["avx2", "avx512f"])
    assert flags_sha256(["avx2"]) != flags_sha256(["avx2", "amx_tile"])


def test_this_machine_has_one():
    found = read_identity()
    assert found["model"] == read_cpu().model
    assert found["cores"] == len(allowed_cpus())
    assert read_identity(cores=7) == found | {"cores": 7}


def test_what_the_system_hides_is_none():
    hidden = describe_identity(unavailable("no /proc"), unavailable("no /proc"))
    assert hidden == {"model": None, "flags_sha256": None, "cores": None}


def test_a_cell_of_the_same_processor_is_of_this_machine():
    assert other_machine(cell(), N2) == ""


@pytest.mark.parametrize(
    ("identity", "said"),
    [
        (
            {"model": "AMD EPYC 9654", "cores": 96},
            "measured on host n7, AMD EPYC 9654; machine.json is of n2, AMD EPYC 9755",
        ),
        (
            {"cores": 1},
            "measured on host n7, AMD EPYC 9755, 1 processor; machine.json is of n2, "
            "AMD EPYC 9755, 128 processors",
        ),
        (
            {"flags_sha256": "0123456789"},
            "measured on host n7, AMD EPYC 9755, instructions 01234567; machine.json is of "
            "n2, AMD EPYC 9755, instructions 35aa45ba",
        ),
    ],
)
def test_what_differs_is_said_with_the_hosts(identity, said):
    assert other_machine(cell(**identity), N2) == said


def test_the_batch_systems_name_of_a_node_comes_before_the_hosts():
    found = other_machine(cell(model="Another") | {"node": "n9"}, N2)
    assert found.startswith("measured on host n9, Another; ")


def test_what_one_of_the_two_does_not_know_tells_nothing():
    unknown = {"model": None, "flags_sha256": None, "cores": None}
    assert other_machine(cell(**unknown), N2) == ""
    assert other_machine(cell(), {"cpu": {"identity": unknown}}) == ""
    assert other_machine({"cpu": "unknown"}, N2) == ""


def test_of_files_without_an_identity_the_rest_tells():
    old = {"cpu": {"model": "AMD EPYC 9755", "flags": ["avx2", "avx512f"]}, "allowed_cpus": [0, 1]}
    assert identity_of(old) == IDENTITY | {"cores": 2}
    assert identity_of({"cpu": "X"}) == {"model": "X", "flags_sha256": None, "cores": None}
    assert other_machine({"cpu": "X", "allowed_cpus": [0]}, old) == (
        "measured on X; machine.json is of AMD EPYC 9755"
    )
