"""The section of the report on what `snakemake explore` found: a race of layouts for each run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bertsquad.own_json import as_written
from bertsquad.planner.explored import AGAIN, Explored, in_words
from bertsquad.reporting.formats import score, short, whole
from bertsquad.reporting.page.deployment import planning_command
from bertsquad.reporting.page.sections import Cell, Table, cell
from bertsquad.reporting.summary.standing import DISTURBED

_CELL_HEADS = [
    ("cell", ""),
    ("carries", "questions/s"),
    ("from", ""),
    ("to", ""),
    ("F1", "%"),
    ("rounds", ""),
    ("measured", "s"),
    ("came out", ""),
]
_ROUND_HEADS = [
    ("round", ""),
    ("each for", "s"),
    ("raced", ""),
    ("went on", ""),
    ("those that went on", "the best first"),
]
_NAMED = 4  # of those that went on


@dataclass(frozen=True, slots=True)
class Raced:
    """What the page says of one run's race."""

    run: str
    winner: str
    race: str  # how it went, a sentence
    confirmed: str  # whether a server bore the winner out, a sentence
    cells: Table
    rounds: Table | None  # None: a race of before rounds were kept


def raced(found: Explored) -> Raced:
    """Of one file of explore.py; `UserError` for one that lacks something."""
    with as_written(found.path, again=AGAIN):
        return _raced(found)


def _raced(found: Explored) -> Raced:
    data = found.data
    rows, slo = data["raced"], f"p{data['percentile']} within {short(data['slo_ms'])} ms"
    first, f1 = rows[0], data.get("f1", {})
    carried = first["score"]
    winner = (
        f"{first['cell']} carries {short(carried['value'])} questions a second with {slo} "
        f"({short(carried['low'])} to {short(carried['high'])} by 90 % of resampled services), "
        f"{_f1(f1.get(first['cell']))}."
    )
    given = "" if data["slo_given"] else "; plan.slo.ms is not set, so it is five median services"
    went = (
        f"{_cells(rows)} raced for {data['spent_s'] / 60:.1f} of {data['budget_s'] / 60:.1f} "
        f"minutes: {data['ended']}{given}."
    )
    history = data.get("history")
    return Raced(
        found.run,
        winner,
        went,
        _confirmed(data),
        _cell_table(rows, f1),
        _round_table(history) if history else None,
    )


def _cells(rows: Sequence[Any]) -> str:
    return "1 cell" if len(rows) == 1 else f"{len(rows)} cells"


def _f1(value: float | None) -> str:
    return "F1 not scored" if value is None else f"F1 {score(value)} %"


def _confirmed(data: Mapping[str, Any]) -> str:
    if not data.get("confirmed"):
        return ""
    said = in_words(data["confirmed"], data["percentile"], data["slo_ms"])
    return f"{said[:1].upper()}{said[1:]}."


def _cell_table(rows: Sequence[Mapping[str, Any]], f1: Mapping[str, float | None]) -> Table:
    """A row for each cell, the winner first; those that were disturbed are marked."""
    lines = []
    for row in rows:
        carried = row["score"]
        ends = [None if carried is None else carried[end] for end in ("value", "low", "high")]
        lines.append(
            [
                Cell(row["cell"]),
                *(cell(end, short) for end in ends),
                cell(f1.get(row["cell"]), score),
                cell(row["rounds"], whole),
                cell(row["measured_s"], whole),
                Cell(row["why"] or _kept(row)),
            ]
        )
    marks = [DISTURBED if not row["why"] and row["disturbed_by"] else "" for row in rows]
    return Table(_CELL_HEADS, [False, *[True] * 6, False], lines, [], marks)


def _kept(row: Mapping[str, Any]) -> str:
    disturbed = row["disturbed_by"]
    return f"kept, but disturbed: {disturbed}" if disturbed else "kept for the plan"


def _round_table(history: Sequence[Mapping[str, Any]]) -> Table:
    """A row for each round: how many were raced, and who went on."""
    rows = []
    for number, each in enumerate(history, 1):
        names = [*each["kept"][:_NAMED], *(["..."] if len(each["kept"]) > _NAMED else [])]
        rows.append(
            [
                cell(number, whole),
                cell(each["seconds"], short),
                cell(len(each["raced"]), whole),
                cell(len(each["kept"]), whole),
                cell(", ".join(names), None),
            ]
        )
    return Table(_ROUND_HEADS, [True] * 4 + [False], rows, [])


def explored_facts(files: Sequence[Explored], command: str) -> dict[str, Any]:
    """`explored`: what is said of each race; `plan_command`: what plans from them."""
    return {"explored": [raced(each) for each in files], "plan_command": planning_command(command)}
