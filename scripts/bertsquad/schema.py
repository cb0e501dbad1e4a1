"""Checking YAML values against a JSON schema: mistakes in a user's words, defaults filled in."""

import math
import re
from collections.abc import Iterator
from typing import Any, cast

import jsonschema

from bertsquad.console.errors import UserError, one_line
from bertsquad.console.suggestions import did_you_mean


def check(value: Any, schema: dict[str, Any], source: str) -> None:
    """Raise a `UserError` for the place where `value` leaves the schema most plainly; for missing
    keys, for all of them.

    A whole number is one without a fraction point, and a number is finite: what a command is given
    on its command line must be readable as such.
    """
    _check_plain(value, source, ())
    errors = list(_Validator(schema).iter_errors(value))
    error = jsonschema.exceptions.best_match(errors)
    missing = [_place(error) + key for error in errors for key in _missing_keys(error)]
    if error is not None and error.validator == "required" and len(missing) > 1:
        raise UserError(
            f"{source}: missing keys {', '.join(missing)}; add them (config/README.md explains "
            "every key)"
        )
    if error is not None:
        place = ".".join(str(part) for part in error.absolute_path)
        raise UserError(one_line(f"{source}: {f'{place}: ' if place else ''}{_describe(error)}"))


def _check_plain(
    value: Any, source: str, place: tuple[Any, ...], above: tuple[int, ...] = ()
) -> None:
    """`UserError` for what YAML can hold and a command or a JSON file cannot: numbers that are not
    finite, text with half a surrogate pair, NUL, and a part that holds itself."""
    where = f"{source}: {'.'.join(map(str, place))}"
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{where}: found the number {value}, expected a number that is finite")
    if isinstance(value, str) and any(
        each == "\0" or "\ud800" <= each <= "\udfff" for each in value
    ):
        raise UserError(one_line(f"{where}: found {value!r}, expected text that UTF-8 can hold"))
    if not isinstance(value, dict | list):
        return
    if id(value) in above:
        raise UserError(f"{where}: found an alias of a mapping that holds it; write it out")
    if isinstance(value, dict):
        _check_plain(list(map(str, value)), source, place, above)
    for key, part in value.items() if isinstance(value, dict) else enumerate(value):
        _check_plain(part, source, (*place, key), (*above, id(value)))


def _pattern(
    _: Any, pattern: str, found: Any, schema: dict[str, Any]
) -> Iterator[jsonschema.ValidationError]:
    """JSON Schema's `$` is the end of the text; Python's is also before a last newline."""
    ends = rf"{pattern[:-1]}\Z" if pattern.endswith("$") else pattern
    if isinstance(found, str) and not re.search(ends, found):
        yield jsonschema.ValidationError(f"{found!r} does not match {pattern!r}")


def _is_whole(_: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_finite(_: Any, value: Any) -> bool:
    return _is_whole(_, value) or (isinstance(value, float) and math.isfinite(value))


_Validator: Any = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator,
    {"pattern": _pattern},
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_whole, "number": _is_finite}
    ),
)


def _missing_keys(error: jsonschema.ValidationError) -> list[str]:
    """The key that a `required` of the schema misses: one error is made for each."""
    if error.validator != "required" or not isinstance(error.validator_value, list):
        return []
    wanted = cast(list[str], error.validator_value)
    return [key for key in wanted if f"{key!r} is a required" in error.message]


def _place(error: jsonschema.ValidationError) -> str:
    return "".join(f"{part}." for part in error.absolute_path)


def _describe(error: jsonschema.ValidationError) -> str:
    """What was found, and what was expected."""
    wanted: Any = error.validator_value
    found: Any = error.instance
    schema: dict[str, Any] = dict(error.schema) if isinstance(error.schema, dict) else {}
    if error.validator == "additionalProperties" and isinstance(found, dict):
        known = sorted(schema.get("properties", {}))
        unknown = sorted(str(key) for key in found if key not in known)
        return f"unknown key {unknown[0]!r}; {did_you_mean(unknown[0], known)}"
    if error.validator == "required":
        missing = [key for key in wanted if key not in found]
        return f"missing key {missing[0]!r}; add it (config/README.md explains every key)"
    if error.validator == "propertyNames" or error.parent is not None:
        return error.message
    if error.validator == "pattern" and "propertyNames" not in error.absolute_schema_path:
        expected = schema.get("description", f"text like {wanted}")
        return f"found {found!r}, expected: {expected}"
    if error.validator == "pattern":
        return f"found the name {found!r}, expected letters, digits, '-', '_' and '.'"
    if error.validator == "enum":
        options = ", ".join("null" if option is None else str(option) for option in wanted)
        return f"found {found!r}, expected one of {options}"
    if error.validator == "type":
        types = wanted if isinstance(wanted, list) else [wanted]
        return f"found {_kind(found)}, expected {_expected_type(found, types)}"
    return f"{error.message} ({schema.get('description', 'see config/README.md')})"


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


def _expected_type(found: Any, types: list[str]) -> str:
    """The expected YAML type, with a hint where YAML 1.1 made text of a number."""
    words = {"object": "a mapping", "array": "a list", "string": "text", "boolean": "true or false"}
    words |= {"number": "a number", "integer": "a whole number", "null": "nothing"}
    expected = " or ".join(words[name] for name in types)
    if isinstance(found, float) and "integer" in types and found.is_integer():
        return f"{expected}: write {found:.0f} without a point"
    if isinstance(found, str) and types == ["boolean"]:
        return f"{expected} without quotes (on the command line: True or False)"
    if isinstance(found, str) and {"number", "integer"} & set(types):
        try:
            number = float(found)
        except ValueError:
            return expected
        if "e" in found.lower():
            mantissa, exponent = found.lower().split("e")
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
