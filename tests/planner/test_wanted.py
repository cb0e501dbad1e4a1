"""The configuration's `plan`: what contradicts itself is one line that names the key."""

from pathlib import Path

import pytest

from bertsquad.console.errors import UserError
from bertsquad.experiment.config import resolve
from bertsquad.planner.wanted import parsed

SCHEMA = Path(__file__).resolve().parents[2] / "config/schemas/config.schema.yaml"
MINIMAL = {"checkpoint": "c", "dataset": "d", "runs": {"r": {}}}


def resolved(plan):
    return resolve(MINIMAL | {"plan": plan}, SCHEMA, "config.yaml")["plan"]


def test_absent_it_stays_absent():
    assert "plan" not in resolve(dict(MINIMAL), SCHEMA, "config.yaml")


def test_its_defaults_are_those_of_the_schema():
    found = resolved({"rate": 10})
    assert found["slo"] == {"percentile": 99, "ms": None}
    assert found["length_classes"] == [192, 512]
    assert found["machines"] == {
        "here": {"cells": None, "price": None, "most": 1, "memory_mib": None}
    }


def test_a_date_that_yaml_reads_as_one_is_taken():
    import datetime

    plan = {"rate": 1, "machines": {"here": {"price": 1.0}}}
    found = resolved({**plan, "prices_as_of": datetime.date(2026, 11, 1)})
    assert found["prices_as_of"] == "2026-11-01"


PRICED = {"rate": 1, "prices_as_of": "2026-11-01"}


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"rate": 0}, "plan.rate: 0 is less than or equal to the minimum of 0 (Questions a"),
        ({"rate": -1}, "plan.rate: -1 is less than"),
        ({"rate": 1, "budget": 0}, "plan.budget: 0 is less than or equal to the minimum of 0"),
        ({"rate": 1, "slo": {"ms": 0}}, "plan.slo.ms: 0 is less than"),
        ({"rate": 1, "slo": {"percentile": 98}}, "plan.slo.percentile: found 98"),
        (
            {"rate": 1, "machines": {"here": {"price": 1.0}}},
            "plan.machines.here.price: a price without a date; add plan.prices_as_of",
        ),
        ({**PRICED, "prices_as_of": "last week"}, "plan.prices_as_of: found 'last week'"),
        (
            {"rate": 1, "machines": {"here": {}, "epyc": {"most": 2}}},
            "plan.machines.epyc: an unknown machine, without a file of cells",
        ),
        (
            {"rate": 1, "machines": {"here": {}, "epyc": {"pric": 2}}},
            "plan.machines.epyc: unknown key 'pric'",
        ),
        ({"objective": "cost"}, "plan.objective: cost needs plan.rate"),
        ({"objective": "rate", "rate": 3}, "plan.rate: 3 beside objective rate"),
        ({"objective": "cost", "rate": 3}, "plan.machines.here: no price, which objective cost"),
        ({"rate": 3, "budget": 2}, "plan.machines.here: no price, which plan.budget needs"),
        ({"rate": 3, "lengths": {"short": 1.0}}, "plan.lengths: 1 shares for 2 length_classes"),
        ({"rate": 3, "lengths": {"short": 0.5, "long": 0.4}}, "the shares sum to 0.9"),
        ({"rate": 3, "length_classes": [512, 192]}, "expected ascending upper ends"),
    ],
)
def test_a_contradiction_is_one_line(plan, message):
    with pytest.raises(UserError) as error:
        resolved(plan)
    assert str(error.value).startswith("config.yaml: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "{", "{}", '{"rate": 80}', '{"machines": {"a": 1}}']
)
def test_an_option_that_holds_no_resolved_plan_is_refused_in_one_line(text):
    with pytest.raises(UserError, match=r"^--plan: not the configuration's `plan`"):
        parsed(text, "--plan", "config.yaml")
