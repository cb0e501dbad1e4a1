"""What `snakemake verify_cells` asks for, and what it refuses before the first job."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from bertsquad.console.errors import UserError
from bertsquad.experiment.verified import Verified
from made_cells import cells_file


def verified(named: str | None, *runs: str) -> Verified:
    """Of a configuration that names this file and times these runs."""
    config = {} if named is None else {"verify": named}
    plan = SimpleNamespace(experiment=SimpleNamespace(config=config), runs=lambda: list(runs))
    return Verified(plan)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["verify_cells", "--cores", "2"], "their/cells.json"),
        (["verify_cells", "his.json", "--cores", "2"], "his.json"),
    ],
)
def test_without_a_file_the_right_call_is_told(arguments, name):
    with pytest.raises(UserError) as caught:
        verified(None, "demo").check("config.yaml", arguments)
    assert str(caught.value) == (
        "verify_cells: no file is named; call snakemake verify_cells --cores all --config "
        f"verify={name}"
    )


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(
        UserError, match=r"config\.yaml: verify: no\.json: no such file; expected a"
    ):
        verified("no.json", "demo").check("config.yaml", [])


def test_another_file_is_refused_before_a_model_is_trained_for_it(tmp_path: Path):
    path = tmp_path / "summary.json"
    path.write_text(json.dumps({"rows": []}))
    with pytest.raises(UserError, match=r"not a cells\.json"):
        verified(str(path), "demo").check("config.yaml", [])


def test_cells_of_other_runs_are_refused(tmp_path: Path):
    path = str(cells_file(tmp_path / "cells.json"))
    with pytest.raises(
        UserError, match=r"cells of demo, but config\.yaml times a, b; take the conf"
    ):
        verified(path, "a", "b").check("config.yaml", [])
    verified(path, "a", "demo").check("config.yaml", [])
