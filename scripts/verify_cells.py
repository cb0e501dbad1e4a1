"""Measure some cells of somebody else's cells.json again here: consistent or not, and how sure.

Example:
    bertsquad verify-cells their/cells.json --results results \\
        --run demo synthetic synthetic results/resources/features/dev.safetensors \\
        results/demo/model --output results/verified_cells.json

`snakemake verify_cells --config verify=their/cells.json` calls it. Three cells are drawn by chance;
each is measured by three processes of the benchmark. What cannot be measured here has a line that
says what that means.
"""

import argparse
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsquad.console.arguments import (
    command_parser,
    natural,
    natural_number,
    positive,
    positive_number,
)
from bertsquad.console.errors import UserError, exit_with

if TYPE_CHECKING:
    from bertsquad.planner.cells import Cell
    from bertsquad.planner.verify import Here, Repeat

_SCRIPTS = Path(__file__).resolve().parent


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("cells", type=Path, metavar="FILE", help="their cells.json")
    add(
        "--run",
        action="append",
        nargs=5,
        required=True,
        metavar=("NAME", "CHECKPOINT", "DATASET", "FEATURES", "MODEL"),
        help="a run of this machine: its name, checkpoint, dataset, features and model folder",
    )
    add("--machine", type=Path, metavar="JSON", help="machine.json (default: looked at now)")
    add("--results", required=True, type=Path, metavar="DIR", help="where INT8 models are")
    add("--count", type=positive, default=3, help="cells to measure (%(default)s)")
    add("--seed", type=natural, help="of the draw (default: by chance; the output holds it)")
    add("--repeats", type=positive, default=3, help="processes of a cell (%(default)s)")
    add("--seconds", type=positive_number, default=10.0, help="of a repeat (%(default)s)")
    add(
        "--within",
        type=positive_number,
        default=0.05,
        help="a difference that is none (%(default)s)",
    )
    add(
        "--quiet-seconds",
        type=natural_number,
        default=60.0,
        help="wait at most so long, in all, for a quiet machine (%(default)s)",
    )
    add("--output", required=True, type=Path, metavar="JSON", help="what was found")
    return parser.parse_args()


def command_of(args: argparse.Namespace, cell: "Cell", repeat: int, output: Path) -> list[str]:
    """The benchmark's command for one repeat of a cell, in the mode that it was measured in."""
    from bertsquad.planner.benchmarking import Target, command

    _, _, _, features, model = next(each for each in args.run if each[0] == cell.run)
    more: list[object] = ["--seed", repeat, "--quiet-seconds", f"{args.quiet_seconds:.0f}"]
    more += ["--patience", output.with_name("patience.json")]
    target = Target(
        *(cell.run, features, model, cell.engine, cell.precision, cell.layout), mode=cell.mode
    )
    return command(
        *(_SCRIPTS, args.results, target, output),
        scenario="verify",
        seconds=args.seconds,
        repeat=repeat,
        more=more,
    )


def measured(args: argparse.Namespace, cell: "Cell") -> "list[Repeat]":
    """A cell by so many processes, one after another."""
    from bertsquad.benchmark.validity import reasons_in_words
    from bertsquad.data.features import Features
    from bertsquad.planner.export import requests_of
    from bertsquad.planner.verify import Repeat
    from bertsquad.reporting.summary.result_files import read_object

    features = Features.open(Path(next(each[3] for each in args.run if each[0] == cell.run)))
    found = []
    with tempfile.TemporaryDirectory(prefix="verify-cells-") as folder:
        for repeat in range(1, args.repeats + 1):
            path = Path(folder) / f"{cell.engine}-{cell.precision}-{cell.layout}-{repeat}.json"
            # What it says of itself is for the log.
            command = command_of(args, cell, repeat, path)
            if (status := subprocess.run(command, stdout=sys.stderr).returncode) != 0:
                raise UserError(f"{cell.name}: the benchmark ended with status {status}; see above")
            data = read_object(path)
            requests = requests_of(path, cell.mode, features)
            found.append(
                Repeat(
                    services_of(requests),
                    data["validity"]["verdict"],
                    reasons_in_words(data["validity"]["reasons"]),
                    data["started_at"],
                )
            )
    return found


def services_of(requests: dict[str, Any]) -> Any:
    import numpy as np

    from bertsquad.planner.services import Services

    lengths = np.array(requests["lengths"], np.int64)
    return Services(lengths, np.array(requests["service_ms"], np.float64) / 1000)


def this_machine(args: argparse.Namespace) -> "Here":
    """What can be measured here."""
    from importlib.metadata import PackageNotFoundError, version

    from bertsquad import engines
    from bertsquad.planner.benchmarking import quantized_of
    from bertsquad.planner.export import Run, describe_machine, describe_run
    from bertsquad.planner.verify import Here
    from bertsquad.reporting.summary.result_files import read_object

    def missing(engine: str) -> list[str]:
        found = []
        for package in engines.about(engine).PACKAGES:
            try:
                version(package)
            except PackageNotFoundError:
                found.append(package)
        return found

    def quantized(run: str, engine: str) -> bool:
        folder = quantized_of(args.results, run, engine)
        return all((folder / name).is_file() for name in engines.about(engine).INT8_FILES)

    with tempfile.TemporaryDirectory(prefix="verify-cells-") as folder:
        path = args.machine or Path(folder) / "machine.json"
        if args.machine is None:
            probe = [sys.executable, str(_SCRIPTS / "probe_machine.py"), "--output", str(path)]
            subprocess.run(probe, stdout=sys.stderr, check=True)
        machine = describe_machine(read_object(path), str(path))
    return Here(
        machine=machine,
        runs={
            name: describe_run(Run(checkpoint, dataset, Path(features), Path(model)))
            for name, checkpoint, dataset, features, model in args.run
        },
        missing=missing,
        native=engines.native,
        quantized=quantized,
    )


def main() -> None:
    args = parse_args()
    from bertsquad.files import sha256, write_json
    from bertsquad.planner.cells import read
    from bertsquad.planner.verify import CONFIDENCE, overall, verified

    theirs, here = read(args.cells), this_machine(args)
    seed = secrets.randbelow(2**32) if args.seed is None else args.seed
    print(
        f"{args.cells}: {len(theirs.cells)} cells of {theirs.cpu}, {theirs.cores} cores; "
        f"{min(args.count, len(theirs.cells))} drawn with seed {seed}",
        flush=True,
    )
    rows = verified(
        theirs,
        here,
        lambda cell: measured(args, cell),
        seed=seed,
        count=args.count,
        within=args.within,
        tell=lambda line: print(line, flush=True),
    )
    found = {
        "schema": 1,
        "cells_sha256": sha256(args.cells),
        "seed": seed,
        "within": args.within,
        "confidence": CONFIDENCE,
        "there": {"cpu": theirs.cpu, "cores": theirs.cores, "fingerprint": theirs.fingerprint},
        "here": dict(here.machine),
        "cells": rows,
        "verdict": overall(rows),
    }
    write_json(args.output, found)
    print(f"in all: {found['verdict']}")


if __name__ == "__main__":
    exit_with(main)
