"""chain.py: one number for a whole run."""

import copy
import json
from pathlib import Path

import pytest

from bertsquad.certificate.chain import chain_sha256, short

EXAMPLE = json.loads((Path(__file__).parents[1] / "fixtures/certificate.json").read_text())
OTHER = "0" * 64


def chain(certificate):
    return chain_sha256(certificate["steps"], certificate["files"], certificate["config_sha256"])


@pytest.fixture
def changed():
    return copy.deepcopy(EXAMPLE)


def test_the_example_is_what_it_says():
    assert chain(EXAMPLE) == EXAMPLE["chain_sha256"]


@pytest.mark.parametrize("name", [n for n, f in EXAMPLE["files"].items() if f["class"] == "exact"])
def test_another_exact_output_is_another_chain(changed, name):
    changed["files"][name]["sha256"] = OTHER
    for step in changed["steps"]:
        if name in step["outputs"]:
            step["outputs"][name] = OTHER
    assert chain(changed) != chain(EXAMPLE)


@pytest.mark.parametrize("key", ["code_sha256", "params_sha256"])
def test_other_code_or_settings_are_another_chain(changed, key):
    changed["steps"][2][key] = OTHER
    assert chain(changed) != chain(EXAMPLE)


def test_another_input_is_another_chain(changed):
    changed["steps"][3]["inputs"]["demo/model/model.safetensors"] = OTHER
    assert chain(changed) != chain(EXAMPLE)


def test_a_training_log_counts_by_its_losses(changed):
    log = "demo/training_log.jsonl"
    changed["files"][log]["sha256"] = changed["steps"][2]["outputs"][log] = OTHER
    assert chain(changed) == chain(EXAMPLE)
    changed["files"][log]["exact_sha256"] = OTHER
    assert chain(changed) != chain(EXAMPLE)


def test_times_hosts_machines_and_the_order_of_steps_are_no_part(changed):
    for step in changed["steps"]:
        step |= {"host": "other", "machine": None, "started": None, "ended": None}
    changed["steps"].reverse()
    changed["environment"]["kernel"] = "other"
    assert chain(changed) == chain(EXAMPLE)


def test_a_cell_measured_again_is_no_other_chain(changed):
    step = changed["steps"][-1]
    (cell,) = step["outputs"]
    step["outputs"][cell] = changed["files"][cell]["sha256"] = OTHER
    assert chain(changed) == chain(EXAMPLE)


def test_a_file_from_outside_counts_by_its_content(changed):
    step = changed["steps"][3]
    step["inputs"]["outside/a/dev.json"] = OTHER
    there = chain(changed)
    step["inputs"]["outside/b/other.json"] = step["inputs"].pop("outside/a/dev.json")
    assert chain(changed) == there != chain(EXAMPLE)


def test_an_exact_file_without_a_step_counts(changed):
    changed["files"]["loose.json"] = {"sha256": OTHER, "bytes": 1, "class": "exact"}
    assert chain(changed) != chain(EXAMPLE)


def test_what_is_said_by_phone():
    assert short("3f9c01ab" + "0" * 56) == "3f9c 01ab"
