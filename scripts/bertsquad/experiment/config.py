"""The experiment's configuration: defaults filled in, mistakes named before the first job."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bertsquad.benchmark.modes import MODES
from bertsquad.console.errors import UserError
from bertsquad.engines import PRECISIONS, about
from bertsquad.experiment import load, machines
from bertsquad.experiment.own import with_own_entries
from bertsquad.experiment.run_keys import schema_properties
from bertsquad.planner.wanted import dates_as_text, wanted
from bertsquad.schema import check, with_defaults

_RESERVED_RUN_NAMES = frozenset(
    {"resources", "figures", "logs", "benchmarks", "modelzoo", "speed", "plan", "questions"}
    | {"machines", "explore"}
    | {"machine.json", "config.json", "inputs.json", "summary.csv", "report.html", "noise.json"}
    | {"cells.json", "comparisons", "comparisons.csv", "comparisons.txt"}
)


def resolve(config: dict[str, Any], schema_path: str | Path, source: str) -> dict[str, Any]:
    """`config` checked against the schema, with every default filled in.

    Checkpoints and datasets that are mappings get names (`with_own_entries`). `source` names the
    file in messages. Raises `UserError` for an unknown key, a wrong type or
    range, a run whose name is a folder of results/, lengths that leave a window no room, or a
    scenario that pads what an engine batches itself, a plan that contradicts itself.
    """
    schema = read_schema(schema_path)
    for place, key in _odd_keys(config):
        raise UserError(
            f"{source}: {place}: the key {key!r} is not text; write it in quotes, as {str(key)!r}"
        )
    dates_as_text(config)
    check(config, schema, source)
    if "plan" in config:
        config = machines.with_own_machines(config)
    resolved: dict[str, Any] = with_defaults(with_own_entries(config, source), schema, schema)
    _check_runs(resolved["runs"], source)
    given = (config.get("benchmark") or {}).get("scenarios") or {}
    _check_scenarios(resolved["benchmark"]["scenarios"], given, source)
    machines.check(resolved.get("machines", {}), source)
    if "plan" in resolved:
        wanted(resolved["plan"], source, resolved.get("machines", {}))
    return resolved


def check_files(paths: Iterable[str | Path]) -> None:
    """Raise `UserError` for a configuration file that has a key twice: YAML's reader would drop the
    first one without a word."""
    for path in paths:
        try:
            root = yaml.compose(Path(path).read_text(encoding="utf-8-sig"), yaml.SafeLoader)
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            continue  # Snakemake has read it: a template, or a file that is gone
        for place, line in _repeated_keys(root, ""):
            raise UserError(
                f"{path}: {place} is there again on line {line}; expected every key once, so "
                "rename or remove one"
            )


def _repeated_keys(node: yaml.Node | None, place: str) -> Iterator[tuple[str, int]]:
    """The dotted names of keys that are in a mapping twice, and the line of the later one."""
    if isinstance(node, yaml.SequenceNode):
        for number, inner in enumerate(node.value):
            yield from _repeated_keys(inner, f"{place}[{number}]")
    if not isinstance(node, yaml.MappingNode):
        return
    seen = set()
    for key, inner in node.value:
        name = f"{place}.{key.value}".lstrip(".")
        if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
            yield name, key.start_mark.line + 1
        seen.add(key.value)
        yield from _repeated_keys(inner, name)


def _odd_keys(value: Any, place: str = "the top level") -> Iterator[tuple[str, Any]]:
    """Where a mapping has a key that is no text (YAML's 2024, on, 2024-01-31), and that key."""
    if isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _odd_keys(inner, f"{place}[{number}]")
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                yield place, key
            yield from _odd_keys(inner, str(key) if place == "the top level" else f"{place}.{key}")


def typed(given: Any, schema_path: str | Path) -> Any:
    """Values of `--config` with nested numbers, booleans and nulls for their texts.

    Snakemake reads the values in braces or brackets as text only. Keys whose value the schema wants
    to be text keep it, so that a title may be a number.
    """
    texts = _text_keys(read_schema(schema_path))

    def convert(value: Any, key: str) -> Any:
        if isinstance(value, dict):
            return {name: convert(inner, str(name)) for name, inner in value.items()}
        if isinstance(value, list):
            return [convert(inner, key) for inner in value]
        if not isinstance(value, str) or key in texts:
            return value
        try:
            found = yaml.safe_load(value)
        except yaml.YAMLError:
            return value
        return found if found is None or isinstance(found, bool | int | float) else value

    return convert(given, "")


def _text_keys(schema: Any) -> set[str]:
    """Names of the properties that are text and cannot be a number, boolean or null."""
    found = set()
    if isinstance(schema, dict):
        for name, part in schema.get("properties", {}).items():
            if isinstance(part, dict) and part.get("type") == "string":
                found.add(name)
        for part in schema.values():
            found |= _text_keys(part)
    if isinstance(schema, list):
        for part in schema:
            found |= _text_keys(part)
    return found


def check_folders(place: Callable[[str], str], source: str) -> None:
    """`UserError` for a folder of the results with braces: Snakemake reads paths of outputs as
    patterns. `place` spells out <pathvars>."""
    for name in ("results", "resources", "logs", "benchmarks"):
        folder = place(f"<{name}>")
        if {"{", "}"} & set(folder) or not folder.isprintable():
            raise UserError(
                f"{source}: pathvars.{name}: found {folder!r}, expected a folder without braces, "
                "which Snakemake reads as wildcards; choose another one"
            )


@cache
def read_schema(path: str | Path) -> dict[str, Any]:
    """The schema of the configuration. The keys of `engines` come from the engines' about.py, and
    the hyperparameters among the keys of a run from training/hyperparameters.py. It is read once,
    and not to be changed."""
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


def _check_scenarios(
    scenarios: dict[str, dict[str, Any]], given: dict[str, dict[str, Any]], source: str
) -> None:
    """What a schema cannot say about scenarios, of which `given` are without defaults. Keys of
    modes under load are taken out of the others."""
    for name, scenario in scenarios.items():
        mode = MODES[scenario["mode"]]
        if mode.served:
            load.check(scenario, given.get(name, {}), f"{source}: benchmark.scenarios.{name}")
        else:
            load.take_out(scenario, given.get(name, {}), f"{source}: benchmark.scenarios.{name}")
        if (mode.whole_set or mode.served) and scenario["padding"] != "none":
            raise UserError(
                f"{source}: benchmark.scenarios.{name}: padding {scenario['padding']} has no part "
                f"in mode {scenario['mode']}, whose engine gets features without padding; "
                "leave it out"
            )
