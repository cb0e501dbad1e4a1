"""Checking YAML values against a JSON schema: mistakes in a user's words, defaults filled in."""

from typing import Any

import jsonschema

from bertsquad.console.errors import UserError
from bertsquad.console.suggestions import did_you_mean


def check(value: Any, schema: dict[str, Any], source: str) -> None:
    """Raise a `UserError` for the first place where `value` leaves the schema."""
    validator = jsonschema.Draft202012Validator(schema)
    error = jsonschema.exceptions.best_match(validator.iter_errors(value))
    if error is not None:
        raise UserError(f"{source}: {_describe(error)}")


def _describe(error: jsonschema.ValidationError) -> str:
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
        return f"{where}found {_kind(error.instance)}, expected {_expected_type(error)}"
    return f"{where}{error.message} ({error.schema.get('description', 'see config/README.md')})"


def _kind(value: Any) -> str:
    """What a YAML value is, in a user's words."""
    names = {bool: "true/false", int: "the number", float: "the number", str: "the text"}
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return f"{names.get(type(value), 'the value')} {value!r}"


def _expected_type(error: jsonschema.ValidationError) -> str:
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
