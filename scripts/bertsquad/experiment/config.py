"""The experiment's configuration: defaults filled in, mistakes named before the first job."""

from pathlib import Path
from typing import Any

import yaml

from bertsquad.benchmark.modes import MODES
from bertsquad.console.errors import UserError
from bertsquad.engines import PRECISIONS, about
from bertsquad.experiment.run_keys import schema_properties
from bertsquad.schema import check, with_defaults

_RESERVED_RUN_NAMES = frozenset(
    {"resources", "figures", "logs", "benchmarks", "modelzoo", "speed"}
    | {"machine.json", "config.json", "inputs.json", "summary.csv", "report.html"}
)


def resolve(config: dict[str, Any], schema_path: str | Path, source: str) -> dict[str, Any]:
    """`config` checked against the schema, with every default filled in.

    `source` names the file in messages. Raises `UserError` for an unknown key, a wrong type or
    range, a run whose name is a folder of results/, lengths that leave a window no room, or a
    scenario that pads what an engine batches itself.
    """
    schema = read_schema(schema_path)
    check(config, schema, source)
    resolved: dict[str, Any] = with_defaults(config, schema, schema)
    _check_runs(resolved["runs"], source)
    _check_scenarios(resolved["benchmark"]["scenarios"], source)
    return resolved


def read_schema(path: str | Path) -> dict[str, Any]:
    """The schema of the configuration. The keys of `engines` come from the engines' about.py, and
    the hyperparameters among the keys of a run from training/hyperparameters.py."""
    schema: dict[str, Any] = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    schema["$defs"]["run"]["properties"] |= schema_properties()
    schema["properties"]["engines"]["properties"] = {
        engine: {
            "description": about(engine).DESCRIPTION,
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {"enum": list(precisions)},
        }
        for engine, precisions in PRECISIONS.items()
    }
    return schema


def _check_runs(runs: dict[str, dict[str, Any]], source: str) -> None:
    """What a schema cannot say about runs."""
    for name, run in runs.items():
        if name in _RESERVED_RUN_NAMES:
            raise UserError(
                f"{source}: runs.{name}: results/{name} is a folder or file of its own; "
                "choose another name for the run"
            )
        room = run["max_seq_length"] - run["max_query_length"] - 3
        if room < 1:
            needed = run["max_query_length"] + 4
            raise UserError(
                f"{source}: runs.{name}: max_seq_length {run['max_seq_length']} leaves the passage "
                f"no room beside a question of max_query_length {run['max_query_length']} and 3 "
                f"special tokens; expected at least {needed}"
            )


def _check_scenarios(scenarios: dict[str, dict[str, Any]], source: str) -> None:
    """What a schema cannot say about scenarios."""
    for name, scenario in scenarios.items():
        if MODES[scenario["mode"]].whole_set and scenario["padding"] != "none":
            raise UserError(
                f"{source}: benchmark.scenarios.{name}: padding {scenario['padding']} has no part "
                f"in mode {scenario['mode']}, whose engine gets features without padding; "
                "leave it out"
            )
