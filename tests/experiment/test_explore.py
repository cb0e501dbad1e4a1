"""Which races an experiment has, and what a plan takes of them."""

import shlex

import pytest

from bertsquad.console.errors import UserError
from bertsquad.experiment.config import read_schema, resolve
from bertsquad.experiment.explore import Explore
from bertsquad.experiment.files import Experiment
from bertsquad.experiment.plan_files import PlanFiles
from project import ROOT

SCHEMA = ROOT / "config/schemas/config.schema.yaml"


def explore(results="results", **config):
    given = {"checkpoint": "a", "dataset": "b", "runs": {"one": {}, "two": {"benchmark": False}}}
    found = resolve(given | config, SCHEMA, "my.yaml")
    place = lambda path: path.replace("<results>", str(results))  # noqa: E731
    return Explore(PlanFiles(Experiment(found, None, place)))


def test_a_plan_takes_what_is_configured_and_what_was_made(tmp_path):
    assert explore(tmp_path).results() == []
    assert explore(tmp_path, explore={}).results() == [f"{tmp_path}/explore/one.json"]
    (tmp_path / "explore").mkdir()
    (tmp_path / "explore/one.json").touch()
    assert explore(tmp_path).results() == [f"{tmp_path}/explore/one.json"]
    assert explore(tmp_path, machines={"here": {}}).results() == []


def test_the_race_is_set_by_the_configuration_and_not_by_prices():
    found = explore(
        explore={"minutes": 5, "layouts": ["1x1x2", "2x1x1"]},
        engines={"torch": ["fp32", "bf16"]},
        plan={"rate": 80, "prices_as_of": "2026-11-01", "machines": {"here": {"price": 1}}},
    )
    words = shlex.split(found.options(read_schema(SCHEMA)))
    assert words[:8] == ["--minutes", "5", "--seconds", "10", "--within", "0.03", "--seed", "0"]
    assert words[8:14] == ["--engine", "torch", "fp32", "--engine", "torch", "bf16"]
    assert words[14:17] == ["--layouts", "1x1x2", "2x1x1"]
    cheaper = explore(
        explore={"minutes": 5, "layouts": ["1x1x2", "2x1x1"]}, engines={"torch": ["fp32", "bf16"]}
    )
    assert cheaper.options(read_schema(SCHEMA)) == found.options(read_schema(SCHEMA))


def test_it_says_why_it_has_nothing_to_race():
    with pytest.raises(UserError, match="`machines` names several kinds"):
        explore(machines={"here": {}, "there": {}}).check("my.yaml")
    with pytest.raises(UserError, match="no run is timed"):
        explore(runs={"one": {"benchmark": False}}).check("my.yaml")


@pytest.mark.parametrize("given", [{"minutes": 0}, {"within": 2}, {"layouts": ["2by2"]}, {"a": 1}])
def test_other_settings_are_refused(given):
    with pytest.raises(UserError, match="explore"):
        explore(explore=given)


def test_no_run_may_have_the_name_of_its_folder():
    with pytest.raises(UserError, match="results/explore is a folder or file of its own"):
        explore(runs={"explore": {}})
