"""Damaged inputs: the same for the same seed. What real damage and wrong hands do to files."""

import copy
import json
import random
from typing import Any

ODD_VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1, 2, 3.5, -0.0, 1e308, 2**31, 2**63, 10**30, 1e-300),
    *("", " ", "x", "7", "nan", "\x1b[31m", "\x00", "\u2028", "\ud800", "é" * 50, "x" * 5000),
    *([], [0], [[]], ["a", 1], {}, {"a": 1}, {"": None}),
    *("../../etc/passwd; touch pwned", 10**400, 1e400, "9999-12-31T23:59:59-14:00"),
    [[[[[[[[]]]]]]]],
]
ODD_TEXTS = [
    *(b"", b"\xef\xbb\xbf", b"[]", b"{}", b"null", b"NaN", b"\xff\xfe\x00", b"<html></html>"),
    *(b"[" * 20000, b"1" * 6000, b'{"a": 1}\n{"a": 2}\n', b"id,text\n1,a\n"),
    b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something can be replaced or removed in a JSON value."""
    if isinstance(value, dict):
        items: Any = value.items()
    elif isinstance(value, list):
        items = enumerate(value[:20])
    else:
        items = ()
    return [p for key, inner in items for p in ((*path, key), *places(inner, (*path, key)))]


def damaged_json(rng: random.Random, value: Any) -> Any:
    """A copy with one to three values replaced, removed, doubled or renamed anywhere."""
    value = copy.deepcopy(value)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        there = places(value)
        if not there:
            return rng.choice(ODD_VALUES)
        *path, last = rng.choice(there)
        target = value
        for key in path:
            target = target[key]
        kind = rng.choice(["replace", "replace", "remove", "double", "rename"])
        if kind == "remove":
            del target[last]
        elif kind == "double" and isinstance(target, list):
            target.append(copy.deepcopy(target[last]))
        elif kind == "rename" and isinstance(target, dict):
            target[last + rng.choice(["s", " ", "_", "X"])] = target.pop(last)
        else:
            target[last] = copy.deepcopy(rng.choice(ODD_VALUES))
    return value


def damaged_json_text(rng: random.Random, value: Any) -> bytes:
    """JSON of a damaged value, or damaged JSON."""
    kind = rng.random()
    if kind < 0.03:
        return rng.choice(ODD_TEXTS)
    text = json.dumps(damaged_json(rng, value)).encode()
    return damaged_bytes(rng, text) if kind < 0.2 else text


def damaged_bytes(rng: random.Random, data: bytes) -> bytes:
    """The bytes with some changed, cut, doubled, inserted or emptied; never the same."""
    kind = rng.choice(["flip", "flip", "set", "cut", "insert", "remove", "double", "zero"])
    place = rng.randrange(len(data) + 1)
    size = rng.choice([1, 1, 2, 8, 64])
    if kind == "flip" and place < len(data):
        made = bytearray(data)
        made[place] ^= 1 << rng.randrange(8)
        return bytes(made)
    if kind == "cut":
        return data[: rng.randrange(len(data))] if data else b"x"
    if kind == "insert":
        return data[:place] + rng.randbytes(size) + data[place:]
    if kind == "remove":
        return data[:place] + data[place + size :] if place < len(data) else data[:-1]
    if kind == "double":
        return data[:place] + data[max(0, place - size) :] + b"x" * (place == 0)
    filler = b"\0" * size if kind == "zero" else rng.randbytes(size)
    made = data[:place] + filler + data[place + size :]
    return made if made != data else data + b"\n\n"
