"""Scores and speeds out of the files that hold them, as far as those can be read: a certificate is
made of older results, too."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from bertsquad.certificate.schema import Score, Speed
from bertsquad.own_json import object_or_empty

_SCORES = re.compile(r"(.+)/metrics\.json")
_CELL = re.compile(
    r"(?P<model>[^/]+/[^/]+)/benchmark/(?P<scenario>(?:[^/]+/)?[^/]+)/"  # a kind of machine before
    r"(?:batch(?P<batch>\w+)-threads(?P<threads>\w+)|layout(?P<layout>\w+)-(?P<load>.+))"
    r"-repeat(?P<repeat>\d+)\.json"
)


def read_scores(names: Iterable[str], folder: Path) -> dict[str, Score]:
    """Exact match and F1 by `run/engine-precision` (of the Model Zoo's steps `modelzoo/step`).
    `names` are relative to `folder`, the results."""
    found: dict[str, Score] = {}
    for name in names:
        match = _SCORES.fullmatch(name)
        data = object_or_empty(folder / name) if match else {}
        exact_match, f1 = (_number(data.get(key)) for key in ("exact_match", "f1"))
        questions = data.get("questions")
        if match and exact_match is not None and f1 is not None and isinstance(questions, int):
            ends = data.get("f1_interval")
            interval = [e for e in ends if _number(e) is not None] if isinstance(ends, list) else []
            found[match[1]] = {
                "exact_match": exact_match,
                "f1": f1,
                "questions": questions,
                "interval": interval if len(interval) == 2 else None,
            }
    return found


def read_speeds(names: Iterable[str], folder: Path) -> dict[str, Speed]:
    """The cells by `run/engine-precision/scenario/batch/threads`, or `.../layout/load`, with an
    entry for each repeat."""
    repeats: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for name in names:
        match = _CELL.fullmatch(name)
        if match:
            how = (match["batch"] or match["layout"], match["threads"] or match["load"])
            cell = "/".join([match["model"], match["scenario"], *how])
            repeats.setdefault(cell, []).append(
                (int(match["repeat"]), object_or_empty(folder / name))
            )
    return {cell: _speed(sorted(each, key=lambda r: r[0])) for cell, each in repeats.items()}


def _speed(repeats: list[tuple[int, dict[str, Any]]]) -> Speed:
    cells = [data for _, data in repeats]
    native = {data.get("native") for data in cells} - {None}
    return {
        "repeats": [number for number, _ in repeats],
        "features_per_second": [_number(data.get("features_per_second")) for data in cells],
        "samples_ms": [_sample_ms(data) for data in cells],
        "latency_p99_ms": [_percentile(data, "p99") for data in cells],
        "other_cpus": [_number(_part(data, "activity").get("other_cpus")) for data in cells],
        "codes": [_codes(data) for data in cells],
        "validity": [str(_part(data, "validity").get("verdict", "")) for data in cells],
        "threads": [_whole(data.get("threads")) for data in cells],
        "cpu": [_text(data.get("cpu")) for data in cells],
        "host": [_text(data.get("host")) for data in cells],
        "native": all(each is True for each in native) if native else None,
        "refused": next((str(d["refused"]) for d in cells if d.get("refused")), None),
    }


def _sample_ms(data: dict[str, Any]) -> float | None:
    """The median time of a batch or request, or of a pass over a whole set."""
    passes = data.get("pass_samples_s")
    seconds = [_number(each) for each in passes] if isinstance(passes, list) else []
    known = [each for each in seconds if each is not None]
    if known and len(known) == len(seconds):
        return 1000 * median(known)
    return _percentile(data, "p50")


def _percentile(data: dict[str, Any], name: str) -> float | None:
    """A percentile with its interval, or, of an older cell, without."""
    found = _part(data, "latency_ms").get(name)
    return _number(found.get("value") if isinstance(found, dict) else found)


def _codes(data: dict[str, Any]) -> list[str]:
    """What made a cell worse, and not what was merely noted."""
    reasons = _part(data, "validity").get("reasons")
    return [
        str(reason.get("code"))
        for reason in (reasons if isinstance(reasons, list) else ())
        if isinstance(reason, dict) and reason.get("level") != "noted"
    ]


def _part(data: dict[str, Any], key: str) -> dict[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _number(value: Any) -> float | None:
    """A finite number, else None."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if abs(value) <= sys.float_info.max else None
    return None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
