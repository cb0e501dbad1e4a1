"""What exports tell: the certificate, the table of results, the cells' own files, the machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsquad.certificate.schema import Certificate
from bertsquad.console.errors import UserError
from bertsquad.reporting.summary.columns import Row
from bertsquad.reporting.summary.result_files import model_of, read_object
from bertsquad.reporting.summary.summary import Summary, records


@dataclass(frozen=True, slots=True)
class Model:
    """A run's model, and what it was made of. Inputs go by their names in the certificate."""

    run: str
    checkpoint: str
    dataset: str
    started_from: tuple[str, ...]
    train: str | None  # None: the dataset has no training questions
    dev: str
    selected: bool  # only some of the dataset's questions
    shape: Mapping[str, Any]  # its config.json


@dataclass(frozen=True, slots=True)
class Facts:
    """All that an export may use."""

    certificate: Certificate
    machines: Mapping[str, Mapping[str, Any]]  # machine.json of each kind; "" where there is one
    models: Mapping[str, Model]  # by run
    summary: Summary
    files: Mapping[tuple[Any, ...], CellFile]  # by `_key`

    def cells(self) -> Iterator[tuple[Row, CellFile]]:
        """Each measured cell: its row of the table, which knows its standing, and its file."""
        for row in records(self.summary.cells):
            file = self.files.get(_key(row["run"], row))
            if file is None:
                raise UserError(
                    f"summary.csv: the cell {row['run']} {row['engine']}-{row['precision']} "
                    f"{row['scenario']} of {row['started_at']} is not among the cells that are "
                    "given; run snakemake again"
                )
            yield row, file


@dataclass(frozen=True, slots=True)
class CellFile:
    """A cell's file."""

    name: str  # run/engine-precision/scenario/batch1-threadsall-repeat1; of several kinds of
    # machines with the kind before the scenario
    data: Mapping[str, Any]


def read_cells(paths: Iterable[Path]) -> dict[tuple[Any, ...], CellFile]:
    """The files of cells, which the table names by what they hold. `UserError` for another path
    and for a file that is no cell."""
    found = {}
    for path in paths:
        # As reporting/summary/cells.py reads it: a folder for each kind of machine may be between.
        machine = path.parts[-3] if path.parts[-4:-3] == ("benchmark",) else ""
        run, engine, precision = model_of(path, depth=4 if machine else 3)
        data = read_object(path)
        kind = (machine,) if machine else ()
        name = "/".join((run, f"{engine}-{precision}", *kind, path.parent.name, path.stem))
        try:
            known = data | _layout(data) | {"machine": machine}
            found[_key(run, known)] = CellFile(name, data)
        except (KeyError, TypeError) as error:
            raise UserError(f"{path}: no cell ({error!r}); measure it again") from None
    return found


def read_models(
    described: Mapping[str, Any], folders: Mapping[str, Path], inputs: Iterable[str]
) -> dict[str, Model]:
    """The models by run; `described` is what experiment/exported.py says of each, `folders` are
    those of the models, `inputs` the names that the certificate has. `UserError` where the shape is
    not there."""
    found, names = {}, sorted(inputs)
    for run, each in described.items():
        parts = [_expanded(name, names) for name in each["started_from"]]
        facts = {**each, "started_from": tuple(name for part in parts for name in part)}
        found[run] = Model(run=run, shape=read_object(folders[run] / "config.json"), **facts)
    return found


def _expanded(name: str, names: list[str]) -> list[str]:
    """An input, or all those of a folder, whose name ends in a slash."""
    return [each for each in names if each.startswith(name)] if name.endswith("/") else [name]


def _layout(data: Mapping[str, Any]) -> dict[str, Any]:
    """A layout as the table writes it; cells of batches have none."""
    found = data.get("layout")
    if not found:
        return {"layout": "", "load": ""}
    return {"layout": "x".join(str(found[name]) for name in ("instances", "streams", "threads"))}


def _key(run: str, row: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells a cell from all others."""
    served = bool(row["layout"])
    return (
        run,
        *(row[name] for name in ("engine", "precision", "scenario", "threads", "repeat")),
        None if served else row["batch_size"],
        row["layout"],
        row["load"] or "",
        row["machine"],
        row["started_at"],
    )
