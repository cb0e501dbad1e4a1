"""Checking a JSON value against a type: TypedDicts, lists, dicts, literals and plain values.

The standard library alone, so that somebody without this project's packages can verify a crate.
"""

import sys
import types
from collections.abc import Callable
from functools import cache
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from bertsquad.console.errors import UserError, shown

_MOST_SHOWN = 40  # characters of what was found


def check(value: Any, hint: Any, place: str) -> None:
    """Raise `UserError` for the first part of `value` that is not as `hint` says.

    `place` names the file, then the part (`certificate.json: steps[3].rule`). `Annotated[str, f]`
    takes texts for which `f` is true, described by its docstring. A TypedDict may hold keys that
    are not in its type: a newer version of the same format adds some.
    """
    base = get_origin(hint)
    if base in (Annotated, NotRequired):
        kind, *conditions = get_args(hint)
        check(value, kind, place)
        _satisfy(value, conditions, place)
    elif base in (Union, types.UnionType):
        _check_union(value, get_args(hint), place)
    elif base is Literal:
        if value not in get_args(hint):
            _refuse(place, value, f"one of {', '.join(map(str, get_args(hint)))}")
    elif base is list:
        _of_type(value, list, "a list", place)
        for number, part in enumerate(value):
            check(part, get_args(hint)[0], f"{place}[{number}]")
    elif base is dict:
        _of_type(value, dict, "an object", place)
        key_hint, part_hint = get_args(hint)
        for key, part in value.items():
            check(key, key_hint, f"{place}: the name {_short(key)}")
            check(part, part_hint, f"{place}[{_short(key)}]")
    elif is_typeddict(hint):
        _check_keys(value, hint, place)
    else:
        _check_plain(value, hint, place)


def _check_keys(value: Any, hint: Any, place: str) -> None:
    _of_type(value, dict, "an object", place)
    for key, part in _hints(hint).items():
        if key in value:
            check(value[key], part, f"{place}.{key}" if ": " in place else f"{place}: {key}")
        elif get_origin(part) is not NotRequired:
            raise UserError(f"{place}: no `{key}`; make the file again")


@cache
def _hints(hint: Any) -> dict[str, Any]:
    return get_type_hints(hint, include_extras=True)


def _check_union(value: Any, hints: tuple[Any, ...], place: str) -> None:
    """Of several types that a value may have, at most one is not plain: its message is the one."""
    if value is None and type(None) in hints:
        return
    others = [each for each in hints if each is not type(None)]
    for each in others[:-1]:
        try:
            check(value, each, place)
        except UserError:
            continue
        return
    check(value, others[-1], place)


def _check_plain(value: Any, hint: Any, place: str) -> None:
    if hint is Any:
        return
    if hint is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not abs(value) <= sys.float_info.max:
            _refuse(place, value, "a number")
    elif hint is int:
        if not isinstance(value, int) or isinstance(value, bool):
            _refuse(place, value, "a whole number")
    else:
        words = {str: "a text", bool: "true or false", type(None): "null"}
        _of_type(value, hint, words[hint], place)


def _satisfy(value: Any, conditions: list[Callable[[Any], bool]], place: str) -> None:
    for condition in conditions:
        if not condition(value):
            _refuse(place, value, str(condition.__doc__))


def _of_type(value: Any, kind: type, words: str, place: str) -> None:
    if not isinstance(value, kind):
        _refuse(place, value, words)


def _refuse(place: str, value: Any, expected: str) -> None:
    raise UserError(f"{place}: found {_short(value)}, expected {expected}; make the file again")


def _short(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = shown(repr(value))
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 1] + "…"
