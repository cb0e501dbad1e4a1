"""Which layouts a machine may be tried in, and what a plan would make of those measured so far."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bertsquad.benchmark.percentiles import needed
from bertsquad.console.errors import UserError
from bertsquad.files import write_text
from bertsquad.planner.capacity import capacity, ratios
from bertsquad.planner.cells import Cell, CellFile
from bertsquad.planner.demand import LengthClass, length_classes
from bertsquad.planner.explored import SCHEMA
from bertsquad.planner.options import MEMORY_SHARE, SLO_SERVICES, Limits, why_not_good
from bertsquad.planner.race import Race, Score
from bertsquad.planner.wanted import Wanted

DRAWS = 20  # of the services, for the ends of a score: beside the seconds of a round they take few
_ENDS = (0.05, 0.95)
_ALIKE = 0.8  # a measurement that was at least so long counts as the one that is asked for
_MORE = 1.1  # requests that come by chance: so many times the seconds that they should take


@dataclass(frozen=True, slots=True)
class Candidate:
    """A cell that may be measured, with what is known of its F1."""

    engine: str
    precision: str
    layout: str
    f1: float | None = None
    f1_share: float | None = None
    passed: bool | None = None

    @property
    def name(self) -> str:
        return f"{self.engine} {self.precision} {self.layout}"


def layouts(cores: int, nodes: int = 1) -> list[str]:
    """Every layout that keeps all cores busy with equal shares: all streams in one process, in one
    for each NUMA node, or each in a process of its own."""
    found = []
    for lanes in (n for n in range(1, cores + 1) if cores % n == 0):
        for instances in (1, nodes, lanes):
            if lanes % instances == 0:
                found.append(f"{instances}x{lanes // instances}x{cores // lanes}")
    return list(dict.fromkeys(found))


def gated(
    candidates: Iterable[Candidate], wanted: Wanted, native: Callable[[str], bool]
) -> tuple[list[Candidate], dict[str, str]]:
    """Those that may be raced, and why the others may not, by name: a precision that the processor
    emulates, an F1 below the floor."""
    limits = Limits(float("inf"), wanted.minimum_f1, wanted.minimum_f1_share)
    raced, out = [], {}
    for each in candidates:
        if not native(each.precision):
            out[each.name] = f"the processor has no {each.precision}"
        elif why := why_not_good(each, limits):
            out[each.name] = why[1]
        else:
            raced.append(each)
    return raced, out


class Scorer:
    """Scores candidates by what a plan would count on. `read` gives the cells that are measured so
    far of a run, by the names of their candidates."""

    def __init__(self, run: str, wanted: Wanted, read: Callable[[Sequence[str]], CellFile]) -> None:
        self.run, self.wanted, self.read = run, wanted, read
        self.slo_s: float | None = None if wanted.slo_ms is None else wanted.slo_ms / 1000
        self.file: CellFile | None = None
        self._known: dict[tuple[str, int], Score | str] = {}

    def cells(self) -> dict[str, Cell]:
        """The cells measured so far, by the names of their candidates."""
        cells = () if self.file is None else self.file.cells
        return {f"{c.engine} {c.precision} {c.layout}": c for c in cells}

    def __call__(self, names: Sequence[str]) -> Mapping[str, Score | str]:
        """Questions a second within the SLO, or why a candidate carries none."""
        self.file = self.read(names)
        questions, cells = self.file.questions(self.run), self.cells()
        if self.slo_s is None:
            lengths = np.repeat(questions.lengths, questions.counts)
            medians = [np.median(cells[name].services.fit().pool(lengths)) for name in names]
            self.slo_s = SLO_SERVICES * float(min(medians))
        classes = length_classes(self.wanted, questions)
        found = {}
        for name in names:
            key = (name, len(cells[name].services.seconds))
            if key not in self._known:
                self._known[key] = self._score(cells[name], classes, questions.windows)
            found[name] = self._known[key]
        return found

    def _score(self, cell: Cell, classes: Mapping[str, LengthClass], windows: float) -> Score | str:
        assert self.slo_s is not None
        assert self.file is not None
        most = MEMORY_SHARE * self.file.memory_mib
        if cell.peak_mib and cell.peak_mib > most:
            return f"takes {cell.peak_mib:,.0f} MiB, more than {most:,.0f}"
        percentile = self.wanted.percentile
        found = capacity(cell.services.fit(), classes, cell.lanes, self.slo_s, percentile)
        slow = {name: s for name, s in found.alone_s.items() if name not in found.eligible}
        if slow:
            name, service = max(slow.items(), key=lambda each: each[1])
            of = f" of the class {name}" if len(classes) > 1 else ""
            return (
                f"the service alone{of} takes p{percentile} = {1000 * service:.4g} ms, the SLO is "
                f"{1000 * self.slo_s:.4g} ms"
            )
        shares = {name: each.share for name, each in classes.items()}
        drawn = ratios(cell.services, classes, shares, cell.lanes, self.slo_s, percentile, DRAWS)
        rate = found.rate / windows
        low, high = np.quantile(drawn, _ENDS)
        return Score(rate, rate * min(1.0, float(low)), rate * max(1.0, float(high)))

    def short(self, name: str) -> float:
        """Seconds under load that a candidate lacks before its percentile can be planned with."""
        cell = self.cells()[name]
        missing = needed(self.wanted.percentile) - len(cell.services.seconds)
        return max(0.0, _MORE * missing * float(np.mean(cell.services.seconds)) / cell.lanes)


class Record:
    """The measurements of a race, a line of a file each, so that one that ended early goes on."""

    def __init__(self, path: Path, key: str) -> None:
        """`key` stands for all that decides a measurement: those of another key are forgotten."""
        self.path = path
        self.rows: list[dict[str, Any]] = []
        try:
            rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            self.rows = [row for row in rows if row["key"] == key]
        except FileNotFoundError:
            pass
        except (KeyError, TypeError, ValueError):
            raise UserError(
                f"{path}: not a record of a race; delete {path.parent} and run `snakemake explore` "
                "again"
            ) from None
        self.key = key

    def took(self, name: str, number: int, seconds: float) -> float | None:
        """What the measurement of a round took, where there was one of about as many seconds."""
        for row in reversed(self.rows):
            if (row["cell"], row["round"]) == (name, number):
                return float(row["took_s"]) if row["seconds"] >= _ALIKE * seconds else None
        return None

    def rounds(self, name: str) -> list[int]:
        """The rounds in which a candidate was measured."""
        return sorted({row["round"] for row in self.rows if row["cell"] == name})

    def add(self, name: str, number: int, seconds: float, took_s: float) -> None:
        """A measurement, whose cell is written."""
        row = {"key": self.key, "cell": name, "round": number}
        row |= {"seconds": seconds, "took_s": took_s}
        self.rows.append(row)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_text(self.path, "".join(json.dumps(each) + "\n" for each in self.rows))


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
