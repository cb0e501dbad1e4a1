"""profiles/slurm says for each step that takes a whole machine how a whole node is asked for."""

import re

import pytest
import yaml

from project import ROOT

PROFILE = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text(encoding="utf-8"))
DEFAULT = yaml.safe_load((ROOT / "profiles/default/config.yaml").read_text(encoding="utf-8"))


def rules() -> dict[str, str]:
    """The text of each rule, by its name."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "rules").glob("*.smk")):
        parts = re.split(
            r"^(?:use rule \w+ as|rule) (\w+)(?: with)?:",
            path.read_text(encoding="utf-8"),
            flags=re.M,
        )
        found |= dict(zip(parts[1::2], parts[2::2], strict=True))
    return found


RULES = rules()
WHOLE = {name for name, text in RULES.items() if "WHOLE_MACHINE" in text.partition("threads:")[2]}
# By `use rule`.
TAKEN_OVER = {
    *("measure_speed", "modelzoo_train", "modelzoo_predict"),
    *("compute_logits_on_machine", "measure_speed_on_machine", "measure_ceilings_on_machine"),
}


def test_the_rules_are_found():
    assert {"finetune", "benchmark_inference", "probe_machine"} <= RULES.keys()
    assert {"finetune", "compute_logits", "benchmark_inference"} <= WHOLE
    assert RULES.keys() >= TAKEN_OVER


@pytest.mark.parametrize("rule", sorted(WHOLE | TAKEN_OVER | {"quantize", "probe_machine"}))
def test_a_whole_node_is_asked_for_without_a_number_of_processors(rule):
    asked = PROFILE["set-resources"][rule]
    assert asked["cpus_per_task"].startswith("0-1")
    assert asked["slurm_extra"] == "'--exclusive'"
    assert asked["runtime"] > 0


def test_it_names_no_rule_that_is_not_there():
    named = {*PROFILE["set-resources"], *PROFILE["set-threads"], *PROFILE["groups"]}
    assert named <= RULES.keys()


@pytest.mark.parametrize("profile", ["slurm", "slurm-node"])
def test_the_default_settings_are_repeated(profile):
    path = ROOT / f"profiles/{profile}/config.yaml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert DEFAULT.items() <= settings.items()


def test_cells_of_a_job_are_measured_one_after_the_other():
    """So a job asks for the memory of one cell and the time of all."""
    assert PROFILE["resources"] == {"measurement": 1}
    assert PROFILE["set-resource-scopes"] == ["measurement=local"]
    for rule in PROFILE["groups"]:
        assert PROFILE["set-resources"][rule]["measurement"] == 1


def test_twenty_cells_go_to_a_job():
    assert PROFILE["groups"] == {"benchmark_inference": "cells"}
    assert PROFILE["group-components"] == {"cells": 20}
