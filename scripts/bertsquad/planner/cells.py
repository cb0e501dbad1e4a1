"""cells.json: what a machine can do, in one file that another machine's plan can read."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bertsquad.console.errors import UserError
from bertsquad.own_json import read_own_json
from bertsquad.planner.services import Services
from bertsquad.planner.spread import UNKNOWN, Spread, spread_of

SCHEMA = 1
_SCHEMA_FILE = Path(__file__).with_name("cells.schema.yaml")


@dataclass(frozen=True, slots=True)
class Questions:
    """The lengths that requests are drawn from."""

    sha256: str
    questions: int
    features: int
    lengths: np.ndarray  # int64[k], distinct word pieces of a feature, ascending
    counts: np.ndarray  # int64[k]

    @property
    def windows(self) -> float:
        """Features of a question, on average: each is a request."""
        return self.features / self.questions


@dataclass(frozen=True, slots=True)
class Cell:
    """An engine in a precision and a layout, as it was measured."""

    run: str
    engine: str
    precision: str
    layout: str
    mode: str  # of the benchmark: batches or saturated
    native: bool
    services: Services
    peak_mib: float | None
    f1: float | None
    f1_share: float | None
    passed: bool | None
    validity: str
    disturbed_by: str
    inflation: float = 1.0  # mean service of a server's requests over that with all lanes busy
    spread: Spread = UNKNOWN  # of processes on its machine

    @property
    def at_load(self) -> Services:
        """Its services where requests come by themselves: what a plan is made by."""
        return replace(self.services.times(self.inflation), spread=self.spread)

    @property
    def name(self) -> str:
        return f"{self.run} {self.engine} {self.precision} {self.layout}"

    @property
    def lanes(self) -> int:
        """Requests that are under way at once."""
        instances, streams, _ = map(int, self.layout.split("x"))
        return instances * streams


@dataclass(frozen=True, slots=True)
class CellFile:
    """A cells.json."""

    path: str
    fingerprint: str
    cpu: str
    cores: int
    memory_mib: float
    runs: dict[str, dict[str, Any]]  # as in the file
    cells: tuple[Cell, ...]

    def questions(self, run: str) -> Questions:
        """What a run was measured on."""
        found = self.runs[run]["questions"]
        pairs = np.array(found["lengths"], np.int64)
        return Questions(
            found["sha256"], found["questions"], found["features"], pairs[:, 0], pairs[:, 1]
        )


def read(path: str | Path) -> CellFile:
    """The file, checked; `UserError` where it is missing, of another version, or not as its schema
    says, and where its parts contradict each other."""
    return parsed(read_own_json(path), str(path))


def parsed(data: Any, source: str) -> CellFile:
    """The same of what is read already, by the name of its `source`."""
    check(data, source)
    machine = data["machine"]
    spread = spread_of(cell.get("processes", ()) for cell in data["cells"])
    return CellFile(
        path=source,
        fingerprint=machine["fingerprint"],
        cpu=machine["cpu"],
        cores=machine["cores"],
        memory_mib=machine["memory_mib"],
        runs=data["runs"],
        cells=tuple(_cell(cell, spread) for cell in data["cells"]),
    )


def check(data: Any, source: str) -> None:
    """`UserError` for what is no cells.json; `source` names it."""
    import yaml

    from bertsquad import schema

    if not isinstance(data, dict) or "schema" not in data:
        raise UserError(f"{source}: not a cells.json; `snakemake export_cells` makes one")
    if data["schema"] != SCHEMA:
        raise UserError(
            f"{source}: schema {data['schema']!r:.20}, expected {SCHEMA}; make it again with "
            "`snakemake export_cells` of this version"
        )
    schema.check(data, yaml.safe_load(_SCHEMA_FILE.read_text(encoding="utf-8")), source)
    for run, facts in data["runs"].items():
        found = facts["questions"]
        if sum(count for _, count in found["lengths"]) != found["features"]:
            raise UserError(f"{source}: runs.{run}: the lengths are not those of all features")
        if found["questions"] > found["features"]:
            raise UserError(
                f"{source}: runs.{run}: {found['questions']} questions with {found['features']} "
                "features, expected at least one each; export it again"
            )
    known = set()
    for place, cell in enumerate(data["cells"]):
        if cell["run"] not in data["runs"]:
            raise UserError(f"{source}: cells.{place}: run {cell['run']!r} is not among `runs`")
        if len(cell["lengths"]) != len(cell["service_ms"]):
            raise UserError(
                f"{source}: cells.{place}: {len(cell['lengths'])} lengths for "
                f"{len(cell['service_ms'])} services, expected one each; export it again"
            )
        name = tuple(cell[key] for key in ("run", "engine", "precision", "layout"))
        if name in known:
            raise UserError(
                f"{source}: cells.{place}: {' '.join(name)} a second time, expected one cell of "
                "each; export it again"
            )
        known.add(name)


def as_text(data: Any) -> str:
    """The file's text: a line for each run and cell, since a cell holds hundreds of numbers."""
    parts = []
    for key, value in data.items():
        if isinstance(value, list):
            lines = ",\n".join(json.dumps(each, sort_keys=True) for each in value)
            parts.append(f"{json.dumps(key)}: [\n{lines}\n]")
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(value, sort_keys=True)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def check_alike(first: CellFile, other: CellFile) -> None:
    """`UserError` where a run of both files is another model, or was measured on other questions.

    Weights that were trained apart differ by rounding, so they may; each file has its own F1.
    """
    shared = [run for run in first.runs if run in other.runs]
    if not shared:
        raise UserError(
            f"{other.path}: cells of {', '.join(other.runs)}, but {first.path} holds those of "
            f"{', '.join(first.runs)}; measure the same run on both machines"
        )
    for run in shared:
        ours, theirs = first.runs[run], other.runs[run]
        for key in ("checkpoint", "model"):
            if ours[key] != theirs[key]:
                raise UserError(
                    f"{other.path}: run {run} is another model than in {first.path} "
                    f"({key} {_short(theirs[key], ours[key])}); measure the same model"
                )
        if ours["questions"]["sha256"] != theirs["questions"]["sha256"]:
            raise UserError(
                f"{other.path}: run {run} was measured on other questions than in {first.path} "
                f"({theirs['dataset']}, {theirs['questions']['features']:,} features, and "
                f"{ours['dataset']}, {ours['questions']['features']:,}); measure the same ones"
            )


def _short(found: Any, expected: Any) -> str:
    """What differs, in a few words."""
    if isinstance(found, dict) and isinstance(expected, dict):
        names = [name for name in {**found, **expected} if found.get(name) != expected.get(name)]
        return ", ".join(f"{name} {found.get(name)}, not {expected.get(name)}" for name in names)
    return f"{found}, not {expected}"


def _cell(data: dict[str, Any], spread: Spread) -> Cell:
    services = Services(
        np.array(data["lengths"], np.int64), np.array(data["service_ms"], np.float64) / 1000
    )
    taken = ("run", "engine", "precision", "layout", "native", "peak_mib", "f1", "f1_share")
    return Cell(
        **{name: data[name] for name in taken},
        # Files from before this key: several lanes are busy in mode saturated alone.
        mode=data.get("mode", "batches" if data["layout"].startswith("1x1x") else "saturated"),
        services=services,
        passed=data["passed"],
        validity=data["validity"],
        disturbed_by=data["disturbed_by"],
        inflation=data.get("inflation") or 1.0,
        spread=spread,
    )
