"""Somebody else's cells.json measured again here: is a machine as fast as the file says?

Cells are drawn by chance, each is measured by processes of its own, and its services are set beside
those of the file at the questions' lengths. The unit of replication here is a process; the file
holds all repeats of a cell as one, so that of its own spread only what is seen within is counted,
by blocks of successive requests.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertsquad.engines import PRECISIONS
from bertsquad.planner.cells import Cell, CellFile, Questions
from bertsquad.planner.services import BLOCKS, Services

CONSISTENT, INCONSISTENT = "consistent", "not consistent"
UNSURE, NOT_MEASURED = "cannot tell", "not measured"
CONFIDENCE = 0.95
_DRAWS = 200  # of the file's services


@dataclass(frozen=True, slots=True)
class Here:
    """This machine, and what can be measured on it."""

    machine: Mapping[str, Any]  # as cells.json holds it
    runs: Mapping[str, Mapping[str, Any]]  # as cells.json holds them
    missing: Callable[[str], Sequence[str]]  # packages of an engine that are not installed
    native: Callable[[str], bool]  # whether the processor has a precision
    quantized: Callable[[str, str], bool]  # whether a run has an engine's INT8 model


@dataclass(frozen=True, slots=True)
class Repeat:
    """A cell as one process measured it here."""

    services: Services
    validity: str
    disturbed_by: str
    started_at: str


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as fast it is here as the file says; the ends are None after one repeat."""

    value: float
    low: float | None
    high: float | None


def drawn(theirs: CellFile, seed: int) -> list[Cell]:
    """All cells of the file in an order drawn by chance, the same for the same seed."""
    order = np.random.default_rng([seed, 15]).permutation(len(theirs.cells))
    return [theirs.cells[place] for place in order]


def why_not(cell: Cell, theirs: CellFile, here: Here) -> str:
    """Why a cell cannot be measured again here, and what that means; "" where it can."""
    return next(_obstacles(cell, theirs, here), "")


def _obstacles(cell: Cell, theirs: CellFile, here: Here) -> Iterator[str]:
    ours = here.runs.get(cell.run)
    if ours is None:
        yield (
            f"no run {cell.run} here, only {', '.join(here.runs)}: take the configuration that the "
            "file was made with"
        )
        return
    there = theirs.runs[cell.run]
    for key in ("checkpoint", "model"):
        if ours[key] != there[key]:
            yield (
                f"another model here ({key} {_short(ours[key], there[key])}): its time says "
                "nothing of theirs; take the configuration that the file was made with"
            )
            return
    if ours["questions"]["sha256"] != there["questions"]["sha256"]:
        yield (
            f"other questions here ({ours['dataset']}, there {there['dataset']}): requests of "
            "other lengths take other times; take the same dataset and lengths"
        )
    if cell.precision not in PRECISIONS.get(cell.engine, ()):
        yield f"this version has no {cell.engine} {cell.precision}: nothing here can run it"
    elif missing := here.missing(cell.engine):
        yield f"{' and '.join(missing)} not installed here: install it to measure the cell"
    elif cell.precision == "int8" and not here.quantized(cell.run, cell.engine):
        yield (
            f"no INT8 model of {cell.run} for {cell.engine} here: add int8 to "
            f"engines.{cell.engine} in the configuration"
        )
    if not here.native(cell.precision):
        yield (
            f"this processor has no {cell.precision} and would emulate it: only one that has it "
            "can tell"
        )
    elif not cell.native:
        yield f"{cell.precision} was emulated there and is not here: two different works"
    instances, streams, threads = map(int, cell.layout.split("x"))
    if (cores := instances * streams * threads) > here.machine["cores"]:
        yield (
            f"its layout takes {cores} cores, here are {here.machine['cores']}: a machine with as "
            "many can tell"
        )


def notes(cell: Cell, theirs: CellFile, here: Here) -> list[str]:
    """What is not the same and does not stop a cell from being measured, and what that means."""
    found = []
    if theirs.cores != here.machine["cores"]:
        found.append(
            f"{theirs.cores} cores there, {here.machine['cores']} here: the others' work, caches "
            "and clock may differ"
        )
    if theirs.runs[cell.run]["weights_sha256"] != here.runs[cell.run]["weights_sha256"]:
        found.append("other weights here: they decide the answers, not the time")
    if cell.validity != "valid":
        found.append(f"theirs was {cell.validity} ({cell.disturbed_by}): it may be off by itself")
    if cell.passed is False:
        found.append("it fails their limit of F1: fast or not, it is not to be used")
    return found


def another_processor(theirs: CellFile, here: Here) -> str:
    """What another processor means for a verdict; "" where both have the same name."""
    if theirs.cpu == here.machine["cpu"]:
        return ""
    return (
        f"another processor: {theirs.cpu} there, {here.machine['cpu']} here: the ratio compares "
        "machines and neither confirms nor refutes the file"
    )


def ratio_of(there: Services, here: Sequence[Services], questions: Questions) -> Ratio:
    """Speed here over speed there, at the questions' lengths, with an interval of CONFIDENCE.

    Logarithms of the mean service: those of the processes here by Student's t, the file's by a
    bootstrap of blocks, both together by Welch and Satterthwaite.
    """
    from scipy.stats import t

    ours = np.array([math.log(_mean(each, questions)) for each in here])
    middle = math.log(_mean(there, questions)) - float(ours.mean())
    if len(ours) < 2:
        return Ratio(math.exp(middle), None, None)
    random = np.random.default_rng([0, 15])
    theirs = [math.log(_mean(there.resampled(random), questions)) for _ in range(_DRAWS)]
    parts = (float(ours.var(ddof=1)) / len(ours), float(np.var(theirs, ddof=1)))
    freedom = (len(ours) - 1, min(BLOCKS, len(there.seconds)) - 1)
    square = sum(parts)
    down = sum(part**2 / max(df, 1) for part, df in zip(parts, freedom, strict=True))
    if square == 0 or down == 0:
        return Ratio(math.exp(middle), math.exp(middle), math.exp(middle))
    reach = float(t.ppf((1 + CONFIDENCE) / 2, square**2 / down)) * math.sqrt(square)
    return Ratio(math.exp(middle), math.exp(middle - reach), math.exp(middle + reach))


def _mean(services: Services, questions: Questions) -> float:
    """The mean service of the questions' features, seconds."""
    fit = services.fit()
    expected = np.average(fit.of(questions.lengths), weights=questions.counts)
    return float(expected * np.mean(fit.ratios))


def judged(ratio: Ratio, within: float, reason: str = "") -> tuple[str, str]:
    """Verdict and why. `within`: a difference that is none, as 0.05; `reason`: why no verdict."""
    if reason:
        return UNSURE, reason
    if ratio.low is None or ratio.high is None:
        return UNSURE, "one repeat has no spread: measure three"
    margin = 1 + within
    if 1 / margin <= ratio.low and ratio.high <= margin:
        return CONSISTENT, ""
    if ratio.high < 1 / margin or ratio.low > margin:
        return INCONSISTENT, f"it is {'slower' if ratio.high < 1 else 'faster'} here than they say"
    return UNSURE, f"the interval is not wholly within {100 * within:g} % of theirs, nor outside"


def verified(
    theirs: CellFile,
    here: Here,
    measure: Callable[[Cell], list[Repeat]],
    *,
    seed: int,
    count: int = 3,
    within: float = 0.05,
    tell: Callable[[str], None] = lambda line: None,
) -> list[dict[str, Any]]:
    """A row for each cell that was drawn, until `count` were measured; `tell` gets each in words.

    A row: `cell`, `verdict`, `ratio` (value, low, high; None where nothing was measured), `why`,
    `notes`, mean services `there_ms` and `here_ms`, what the benchmark says of each repeat.
    """
    rows: list[dict[str, Any]] = []
    for cell in drawn(theirs, seed):
        if sum(row["verdict"] != NOT_MEASURED for row in rows) == count:
            break
        if why := why_not(cell, theirs, here):
            row = {"cell": cell.name, "verdict": NOT_MEASURED, "ratio": None, "why": why}
            rows.append(row | {"notes": []})
        else:
            rows.append(_row(cell, theirs, here, measure(cell), within))
        tell(in_words(rows[-1]))
    return rows


def _row(
    cell: Cell, theirs: CellFile, here: Here, repeats: list[Repeat], within: float
) -> dict[str, Any]:
    questions = theirs.questions(cell.run)
    ratio = ratio_of(cell.services, [each.services for each in repeats], questions)
    reason = another_processor(theirs, here)
    disturbed = [each for each in repeats if each.validity != "valid"]
    if disturbed and not reason:
        reason = (
            f"{len(disturbed)} of {len(repeats)} repeats here were disturbed "
            f"({disturbed[0].disturbed_by}): close what else runs and measure again"
        )
    word, why = judged(ratio, within, reason)
    return {
        "cell": cell.name,
        "verdict": word,
        "ratio": {"value": ratio.value, "low": ratio.low, "high": ratio.high},
        "why": why,
        "notes": notes(cell, theirs, here),
        "there_ms": 1000 * _mean(cell.services, questions),
        "here_ms": [1000 * _mean(each.services, questions) for each in repeats],
        "validity": [each.validity for each in repeats],
        "started_at": [each.started_at for each in repeats],
    }


def overall(rows: Sequence[Mapping[str, Any]]) -> str:
    """What the drawn cells say of the file: one that is not consistent decides."""
    words = [row["verdict"] for row in rows if row["verdict"] != NOT_MEASURED]
    if not words:
        return NOT_MEASURED
    if INCONSISTENT in words:
        return INCONSISTENT
    return CONSISTENT if set(words) == {CONSISTENT} else UNSURE


def in_words(row: Mapping[str, Any]) -> str:
    """A row as lines: the verdict, then what is to be known about it."""
    head = f"{row['verdict']:<14}  {row['cell']}"
    if (ratio := row["ratio"]) is not None:
        ends = "" if ratio["low"] is None else f" ({ratio['low']:.3f} to {ratio['high']:.3f})"
        head += f": {ratio['value']:.3f} times as fast here{ends}"
    more = [each for each in (row["why"], *row["notes"]) if each]
    return "\n".join([head, *(f"{'':<16}{each}" for each in more)])


def _short(found: Any, expected: Any) -> str:
    """What differs, in a few words."""
    if isinstance(found, Mapping) and isinstance(expected, Mapping):
        names = [name for name in {**found, **expected} if found.get(name) != expected.get(name)]
        return ", ".join(f"{name} {found.get(name)}, there {expected.get(name)}" for name in names)
    return f"{found}, there {expected}"
