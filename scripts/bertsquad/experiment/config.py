"""The experiment's configuration: defaults filled in, mistakes named before the first job."""

from pathlib import Path
from typing import Any

import jsonschema
import yaml

from bertsquad.console.errors import UserError
from bertsquad.console.suggestions import did_you_mean
from bertsquad.engines import PRECISIONS, about

RESERVED_RUN_NAMES = frozenset(
    {"resources", "figures", "logs", "benchmarks", "modelzoo", "speed"}
    | {"machine.json", "config.json", "inputs.json", "summary.csv", "report.html"}
)


def resolve(config: dict[str, Any], schema_path: str | Path, source: str) -> dict[str, Any]:
    """`config` checked against the schema, with every default filled in.

    `source` names the file in messages. Raises `UserError` for an unknown key, a wrong type or
    range, a run whose name is a folder of results/, lengths that leave a window no room, or a
    scenario that pads what an engine batches itself.
    """
    schema = with_engines(yaml.safe_load(Path(schema_path).read_text(encoding="utf-8")))
    check(config, schema, source)
    resolved = with_defaults(config, schema, schema)
    check_runs(resolved["runs"], source)
    check_scenarios(resolved["benchmark"]["scenarios"], source)
    return resolved


def with_engines(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, with a key of `engines` for each engine: which of its precisions are run."""
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


def check(value: Any, schema: dict[str, Any], source: str) -> None:
    """Raise a `UserError` for the first place where `value` leaves the schema."""
    validator = jsonschema.Draft202012Validator(schema)
    error = jsonschema.exceptions.best_match(validator.iter_errors(value))
    if error is not None:
        raise UserError(f"{source}: {describe(error)}")


def describe(error: jsonschema.ValidationError) -> str:
    """One line: where, what was found, what was expected."""
    place = ".".join(str(part) for part in error.absolute_path)
    where = f"{place}: " if place else ""
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = sorted(error.schema.get("properties", {}))
        unknown = sorted(str(key) for key in error.instance if key not in known)
        return f"{where}unknown key {unknown[0]!r}; {did_you_mean(unknown[0], known)}"
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return f"{where}missing key {missing[0]!r}; add it (config/README.md explains every key)"
    if error.validator == "propertyNames" or error.parent is not None:
        return f"{where}{error.message}"
    if error.validator == "pattern" and "propertyNames" not in error.absolute_schema_path:
        expected = error.schema.get("description", f"text like {error.validator_value}")
        return f"{where}found {error.instance!r}, expected: {expected}"
    if error.validator == "pattern":
        return (
            f"{where}found the name {error.instance!r}, expected letters, digits, '-', '_' and '.'"
        )
    if error.validator == "enum":
        options = ", ".join("null" if o is None else str(o) for o in error.validator_value)
        return f"{where}found {error.instance!r}, expected one of {options}"
    if error.validator == "type":
        return f"{where}found {kind(error.instance)}, expected {expected_type(error)}"
    return f"{where}{error.message} ({error.schema.get('description', 'see config/README.md')})"


def kind(value: Any) -> str:
    """What a YAML value is, in a user's words."""
    names = {bool: "true/false", int: "the number", float: "the number", str: "the text"}
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return f"{names.get(type(value), 'the value')} {value!r}"


def expected_type(error: jsonschema.ValidationError) -> str:
    """The expected YAML type, with a hint where YAML 1.1 made text of a number."""
    types = (
        error.validator_value
        if isinstance(error.validator_value, list)
        else [error.validator_value]
    )
    words = {"object": "a mapping", "array": "a list", "string": "text", "boolean": "true or false"}
    words |= {"number": "a number", "integer": "a whole number", "null": "nothing"}
    expected = " or ".join(words[name] for name in types)
    if isinstance(error.instance, str) and types == ["boolean"]:
        return f"{expected} without quotes (on the command line: True or False)"
    if isinstance(error.instance, str) and {"number", "integer"} & set(types):
        try:
            number = float(error.instance)
        except ValueError:
            return expected
        if "e" in error.instance.lower():
            mantissa, exponent = error.instance.lower().split("e")
            mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
            sign = "" if exponent[0] in "+-" else "+"
            return f"{expected}: YAML reads this as text, write {mantissa}e{sign}{exponent}"
        return f"{expected}: write {number:g} without quotes"
    return expected


def with_defaults(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> Any:
    """A copy of `value` in which every absent property has its schema's default, at all depths."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    if not isinstance(value, dict):
        return value
    properties = schema.get("properties", {})
    other = schema.get("additionalProperties")
    filled = {}
    for key, part in properties.items():
        if key in value or "default" in part:
            filled[key] = with_defaults(value.get(key, part.get("default")), part, root)
    for key in value:
        if key not in properties:
            filled[key] = with_defaults(value[key], other, root) if other else value[key]
    return filled


def check_runs(runs: dict[str, dict[str, Any]], source: str) -> None:
    """What a schema cannot say about runs."""
    for name, run in runs.items():
        if name in RESERVED_RUN_NAMES:
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


def check_scenarios(scenarios: dict[str, dict[str, Any]], source: str) -> None:
    """What a schema cannot say about scenarios."""
    for name, scenario in scenarios.items():
        if scenario["mode"] != "batches" and scenario["padding"] != "none":
            raise UserError(
                f"{source}: benchmark.scenarios.{name}: padding {scenario['padding']} has no part "
                f"in mode {scenario['mode']}, whose engine gets features without padding; "
                "leave it out"
            )
