"""What a race of layouts found: the file of a run, the cells of it that a plan takes, its page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bertsquad.console.errors import UserError
from bertsquad.own_json import read_own_json
from bertsquad.planner.confirming import in_words
from bertsquad.planner.exploring import Scorer
from bertsquad.planner.page import number
from bertsquad.planner.race import Race, Score

SCHEMA = 1
_SAME = ("model", "weights_sha256", "questions")  # of a run, as cells.json describes it
AGAIN = "delete it and run `snakemake explore` again"


@dataclass(frozen=True, slots=True)
class Explored:
    """A file of explore.py."""

    path: str
    data: Mapping[str, Any]

    @property
    def run(self) -> str:
        return str(self.data["run"])

    def kept(
        self, machine: Mapping[str, Any], runs: Mapping[str, Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """The cells that won, as cells.json holds them. `UserError` where they were measured on
        another machine than this `machine`, or with another model or other questions than its run
        among `runs` has."""
        there, here = self.data["machine"], machine
        if there["fingerprint"] != here["fingerprint"]:
            raise UserError(
                f"{self.path}: explored on another machine ({there['cpu']}, {there['cores']} "
                f"cores), here are {here['cpu']}, {here['cores']} cores; {AGAIN}"
            )
        for key in _SAME:
            if self.data["described"][key] != runs[self.run][key]:
                raise UserError(
                    f"{self.path}: run {self.run} was explored with another {key.partition('_')[0]}"
                    f" than it has now; {AGAIN}"
                )
        return list(self.data["cells"])


def read_explored(path: Path) -> Explored:
    """`UserError` for a file that explore.py did not write."""
    data = read_own_json(path)
    keys = {"schema", "run", "machine", "described", "cells", "raced"}
    if not isinstance(data, dict) or not keys <= set(data) or data["schema"] != SCHEMA:
        raise UserError(f"{path}: not what this version's explore.py writes; {AGAIN}")
    return Explored(str(path), data)


def in_full(race: Race, out: Mapping[str, str], scorer: Scorer) -> dict[str, Any]:
    """How a race went, as the file of a run holds it, without machine, run and cells. `out`: who
    was not raced, and why."""
    settings, result = race.settings, race.result
    disturbed = {name: cell.disturbed_by for name, cell in scorer.cells().items()}
    behind = sorted(result.dropped, key=lambda name: -_value(result.scores.get(name)))
    rows = [
        {
            "cell": name,
            "score": asdict(result.scores[name]) if name in result.scores else None,
            "rounds": result.rounds.get(name, 0),
            "measured_s": result.measured_s.get(name, 0.0),
            "why": out.get(name) or result.dropped.get(name, ""),
            "disturbed_by": disturbed.get(name, ""),
        }
        for name in [*result.kept, *behind, *out]
    ]
    return {
        "schema": SCHEMA,
        "run": scorer.run,
        "percentile": scorer.wanted.percentile,
        "slo_ms": 1000 * (scorer.slo_s or 0.0),
        "slo_given": scorer.wanted.slo_ms is not None,
        "budget_s": settings.budget_s,
        "seconds": settings.seconds,
        "within": settings.within,
        "spent_s": result.spent_s,
        "ended": result.ended,
        "history": [asdict(each) for each in result.history],
        "raced": rows,
    }


def _value(score: Score | None) -> float:
    return 0.0 if score is None else score.value


def as_text(data: Mapping[str, Any]) -> str:
    """What `snakemake explore` prints of a run."""
    promise = f"p{data['percentile']} within {number(data['slo_ms'])} ms"
    given = (
        "" if data["slo_given"] else " (plan.slo.ms is not given: five times the median service)"
    )
    lines = [
        f"{data['run']}: {len(data['raced'])} cells raced for {data['spent_s']:.0f} of "
        f"{data['budget_s']:.0f} s: {data['ended']}",
        f"questions/s with {promise}{given}; 90 % of resampled services lie between the ends",
        "",
        f"{'cell':32} {'questions/s':>12} {'low':>9} {'high':>9} {'rounds':>7} {'measured':>9}",
        *_rows(data["raced"]),
        "",
        f"kept for the plan: {', '.join(_kept(data['raced']))}",
    ]
    if data.get("confirmed"):
        said = in_words(data["confirmed"], data["percentile"], data["slo_ms"])
        lines.append(f"{data['confirmed']['cell']} {said}")
    return "\n".join(lines) + "\n"


def _rows(raced: list[dict[str, Any]]) -> Iterator[str]:
    for row in raced:
        score = row["score"]
        numbers = (
            [f"{number(score[name]):>9}" for name in ("low", "high")] if score else [" " * 9] * 2
        )
        value = number(score["value"]) if score else "-"
        yield (
            f"{row['cell']:32} {value:>12} {' '.join(numbers)} {row['rounds']:7} "
            f"{row['measured_s']:7.0f} s  {row['why'] or _state(row)}"
        )


def _state(row: Mapping[str, Any]) -> str:
    disturbed = row.get("disturbed_by")
    return f"kept, but disturbed: {disturbed}" if disturbed else "kept"


def _kept(raced: list[dict[str, Any]]) -> list[str]:
    return [row["cell"] for row in raced if not row["why"]]
