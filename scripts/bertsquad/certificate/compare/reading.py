"""A certificate as another version of the project may have written it: what it lacks is None.

What it does hold must be as `schema` says, or it is refused in one line.
"""

from collections.abc import Mapping
from typing import Any, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

from bertsquad.certificate.schema import FORMAT, Certificate, checked
from bertsquad.certificate.shapes import check

Facts = Mapping[str, Any]  # a certificate; absent parts are None


def lenient(value: Any, source: str) -> Facts:
    """A parsed certificate, its absent parts filled with None; `source` names it in messages."""
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        return checked(value, source)  # which says what is wrong
    filled: Facts = _present(value, Certificate, source)
    return filled


def _present(value: Any, hint: Any, place: str) -> Any:
    """`value` checked as far as it is there, with None for each absent part of an object."""
    if get_origin(hint) is NotRequired:
        (hint,) = get_args(hint)
    if is_typeddict(hint) and isinstance(value, dict):
        hints = get_type_hints(hint, include_extras=True)
        found = dict(value)
        for key, part in hints.items():
            if key in value:
                inside = f"{place}.{key}" if ": " in place else f"{place}: {key}"
                found[key] = _present(value[key], part, inside)
            elif get_origin(part) is not NotRequired:
                found[key] = None
        return found
    if get_origin(hint) is list and isinstance(value, list):
        (part,) = get_args(hint)
        if is_typeddict(part):
            return [_present(each, part, f"{place}[{n}]") for n, each in enumerate(value)]
    if get_origin(hint) is dict and isinstance(value, dict):
        name, part = get_args(hint)
        if is_typeddict(part):
            for key in value:
                check(key, name, f"{place}: the name {key[:40]!r}")
            return {key: _present(each, part, f"{place}[{key!r}]") for key, each in value.items()}
    check(value, hint, place)
    return value
