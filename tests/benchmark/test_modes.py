"""The mode table: every mode can be measured, configured and worded, and reading it is cheap."""

import ast
import sys
from pathlib import Path

import pytest
import yaml

from bertsquad.benchmark import modes
from bertsquad.benchmark.modes import MODES
from bertsquad.reporting.summary.columns import NAMES

ROOT = Path(__file__).resolve().parent.parent.parent


def scenario_schema() -> dict:
    text = (ROOT / "config/schemas/config.schema.yaml").read_text(encoding="utf-8")
    scenarios = yaml.safe_load(text)["properties"]["benchmark"]["properties"]["scenarios"]
    return scenarios["additionalProperties"]["properties"]


def test_the_config_knows_the_modes_of_the_table_and_no_others():
    schema = scenario_schema()
    assert schema["mode"]["enum"] == list(MODES)
    assert schema["mode"]["default"] == modes.DEFAULT
    for mode in MODES.values():
        assert f"{mode.name}: " in schema["mode"]["description"]
        for key in ("count", "passes"):
            assert (mode.name in schema[key]["description"]) == mode.whole_set


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_a_mode_is_measured_by_its_module_and_fully_worded(mode):
    source = ROOT / f"scripts/bertsquad/benchmark/{mode.name}.py"
    functions = [node.name for node in ast.parse(source.read_text()).body if hasattr(node, "name")]
    assert "measured" in functions
    assert mode.does
    assert mode.meaning
    assert bool(mode.does_padded) != (mode.whole_set or mode.served)
    assert bool(mode.panel) == mode.whole_set
    assert set(mode.rates) <= set(NAMES)


def test_groups_of_modes():
    assert modes.WITH_LATENCY == ("batches",)
    assert modes.SERVED == ("saturated", "server")
    assert (modes.FROM_TEXTS, modes.ENGINE_ALONE) == (("end_to_end",), ("batches", "offline"))


def test_the_table_imports_nothing_but_the_standard_library():
    tree = ast.parse(Path(modes.__file__).read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= set(sys.stdlib_module_names)
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
