"""Race the layouts of a run's engines and precisions: which ones carry the most within the SLO.

Example:
    python scripts/explore.py --run demo synthetic synthetic \\
        results/resources/features/dev.safetensors results/demo/model \\
        --engine torch fp32 --engine openvino int8 --results results \\
        --metrics results/demo/*/metrics.json --comparisons results/demo/*/comparison.json \\
        --machine results/machine.json --plan '{...}' --minutes 60 \\
        --folder results/explore --json results/explore/demo.json --text results/explore/demo.txt

`snakemake explore` calls it. Each measurement is a process of the benchmark of its own, with all
lanes busy; what was measured stays in --folder, and a race that ended early goes on from there.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsquad.console.arguments import (
    command_parser,
    natural,
    natural_number,
    positive,
    positive_number,
)
from bertsquad.console.errors import UserError, exit_with, note

if TYPE_CHECKING:
    from bertsquad.planner.cells import CellFile
    from bertsquad.planner.check import Measured
    from bertsquad.planner.exploring import Candidate, Record

_SCRIPTS = Path(__file__).resolve().parent
_SEED = 1000  # of the arrivals that confirm the winner
_LOADING_S = 5.0  # of a process, before one was seen: libraries, the model, the warm-up


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add(
        "--run",
        nargs=5,
        required=True,
        metavar=("NAME", "CHECKPOINT", "DATASET", "FEATURES", "MODEL"),
        help="its name, checkpoint, dataset, features file and model folder",
    )
    add(
        "--engine",
        action="append",
        nargs=2,
        required=True,
        metavar=("ENGINE", "PRECISION"),
        help="an engine and precision to race",
    )
    add(
        "--layouts", nargs="*", default=[], help="as 2x1x1 (default: all that keep every core busy)"
    )
    add("--at-most", type=positive, metavar="N", help="no layout takes more than N cores")
    add("--results", required=True, type=Path, metavar="DIR", help="where INT8 models are")
    add("--metrics", nargs="*", type=Path, default=[], metavar="JSON", help="scores, with F1")
    add("--comparisons", nargs="*", type=Path, default=[], metavar="JSON", help="F1 beside FP32's")
    add("--machine", required=True, type=Path, metavar="JSON", help="machine.json of this one")
    add("--plan", required=True, metavar="JSON", help="the configuration's `plan`, resolved")
    add("--source", default="config", metavar="FILE", help="which file that is from, for messages")
    add("--minutes", type=positive_number, default=60.0, help="of the whole race (%(default)s)")
    add("--seconds", type=positive_number, default=10.0, help="of the first round (%(default)s)")
    add("--within", type=natural_number, default=0.03, help="no difference (%(default)s)")
    add("--seed", type=natural, default=0, help="of the order of each round (%(default)s)")
    add(
        "--quiet-seconds",
        type=natural_number,
        default=0.0,
        help="wait at most so long, in all, for a quiet machine (%(default)s)",
    )
    add("--folder", required=True, type=Path, metavar="DIR", help="for the measurements")
    add("--json", required=True, type=Path, metavar="FILE", help="what was found, to write")
    add("--text", required=True, type=Path, metavar="FILE", help="the same in words, to write")
    return parser.parse_args()


def cell_path(args: argparse.Namespace, name: str, number: int) -> Path:
    """Where the measurement of a round lies, as a cell of the benchmark of a scenario."""
    engine, precision, layout = name.split()
    folder = args.folder / args.run[0] / f"{engine}-{precision}" / "benchmark" / "explore"
    path: Path = folder / f"layout{layout}-saturated-repeat{number + 1}.json"
    return path


def command_of(
    args: argparse.Namespace,
    name: str,
    mode: str,
    output: Path,
    seconds: float,
    repeat: int,
    more: Sequence[object] = (),
) -> list[str]:
    """The benchmark's command for a candidate in a mode."""
    from bertsquad.planner.benchmarking import Target, command

    engine, precision, layout = name.split()
    run, _, _, features, model = args.run
    patience = args.folder / "patience.json"
    paced = ("--quiet-seconds", f"{args.quiet_seconds:.0f}", "--patience", patience)
    most = ("--at-most", args.at_most) if args.at_most else ()
    return command(
        *(_SCRIPTS, args.results, Target(run, features, model, engine, precision, layout, mode)),
        output,
        scenario="explore",
        seconds=seconds,
        repeat=repeat,
        more=(*more, *paced, *most),
    )


def ran(command: Sequence[str]) -> None:
    """Run a measurement; what it says of itself is for the log. `FailedError` with its last line
    where it fails."""
    from bertsquad.planner.race import FailedError

    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as told:
        status = subprocess.run(command, stdout=sys.stderr, stderr=told).returncode
        told.seek(0)
        said = told.read()
        sys.stderr.write(said)
    if status != 0:
        last = (said.strip().splitlines() or ["no message"])[-1]
        raise FailedError(f"could not be run (status {status}): {last}")


def measured(
    args: argparse.Namespace, record: "Record", name: str, number: int, seconds: float
) -> float:
    """What the measurement of a round took, seconds; that of an earlier call where there is one."""
    path = cell_path(args, name, number)
    took = record.took(name, number, seconds)
    if took is not None and path.is_file():
        return took
    begin = time.monotonic()
    path.parent.mkdir(parents=True, exist_ok=True)
    ran(command_of(args, name, "saturated", path, seconds, number + 1))
    took = time.monotonic() - begin
    record.add(name, number, seconds, took)
    return took


def served(args: argparse.Namespace, name: str, rate: float, seconds: float) -> "Measured":
    """A candidate as a server at requests a second, with arrivals that nothing had before."""
    from bertsquad.benchmark.loads import Load
    from bertsquad.planner.check import read_measured
    from bertsquad.planner.confirming import CAPACITY_S

    path = cell_path(args, name, 0)
    path = path.with_name(f"{path.name.partition('-')[0]}-server.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    load = ("--load", str(Load("rate", rate)), "--seed", _SEED, "--capacity-seconds", CAPACITY_S)
    ran(command_of(args, name, "server", path, seconds, 1, load))
    return read_measured(path)


def key_of(args: argparse.Namespace, described: dict[str, Any], machine: dict[str, Any]) -> str:
    """What stands for all that decides a measurement: model, questions, machine, code, packages."""
    from bertsquad import engines
    from bertsquad.experiment.sources import CONSOLE, local_sources
    from bertsquad.files import sha256
    from bertsquad.machine.versions import versions

    entries = [_SCRIPTS / "benchmark_serving.py"]
    entries += [_SCRIPTS / f"bertsquad/engines/{name}/engine.py" for name, _ in args.engine]
    files = {
        path for entry in entries for path in local_sources(entry, folder=_SCRIPTS, without=CONSOLE)
    }
    code = [sha256(path) for path in sorted(files)]
    packages = versions(engines.packages())
    parts = [described, machine["fingerprint"], code, {k: str(v) for k, v in packages.items()}]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def candidates_of(args: argparse.Namespace) -> "list[Candidate]":
    """Every engine and precision in every layout, with its F1. `UserError` for a layout that is
    none, or too large for this machine."""
    from bertsquad.benchmark.layout import read_layout
    from bertsquad.distributed.placement import usable_nodes
    from bertsquad.machine.cores import read_cores
    from bertsquad.planner.exploring import Candidate, layouts
    from bertsquad.reporting.summary.comparisons import comparison_row
    from bertsquad.reporting.summary.tables import read_metrics

    cores = read_cores()
    nodes = usable_nodes(cores)
    count = sum(len(node.cpus) for node in nodes)
    count = min([count, *(n for n in (args.at_most, cores.whole_quota) if n)])
    wanted = args.layouts or layouts(count, len(nodes))
    names = list(dict.fromkeys(str(read_layout(each, cores, args.at_most)) for each in wanted))
    scores = {(row["engine"], row["precision"]): row for row in map(read_metrics, args.metrics)}
    changes = {(r["engine"], r["precision"]): r for r in map(comparison_row, args.comparisons)}
    found = []
    for engine, precision in args.engine:
        score, change = scores.get((engine, precision), {}), changes.get((engine, precision), {})
        facts = (score.get("f1"), change.get("f1_share"), change.get("passed"))
        found += [Candidate(engine, precision, layout, *facts) for layout in names]
    return found


def main() -> None:
    args = parse_args()
    from bertsquad import engines
    from bertsquad.files import write_json, write_text
    from bertsquad.planner.cells import parsed as parsed_cells
    from bertsquad.planner.confirming import confirm
    from bertsquad.planner.explored import as_text, in_full
    from bertsquad.planner.exploring import Record, Scorer, gated
    from bertsquad.planner.export import Run, describe_machine, describe_run, export
    from bertsquad.planner.race import Race, Settings
    from bertsquad.planner.wanted import parsed
    from bertsquad.reporting.summary.result_files import read_object

    asked = parsed(args.plan, "--plan", args.source)
    machine = read_object(args.machine)
    name, checkpoint, dataset, features, model = args.run
    run = Run(checkpoint, dataset, Path(features), Path(model))
    here, described = describe_machine(machine, str(args.machine)), describe_run(run)
    folder = args.folder / name
    record = Record(folder / "race.jsonl", key_of(args, described, here))
    if not record.rows and folder.is_dir():
        shutil.rmtree(folder)  # of another model, other questions, or other code
    candidates = candidates_of(args)
    raced, out = gated(candidates, asked, engines.native)
    data: dict[str, Any] = {}

    def read(names: Sequence[str]) -> "CellFile":
        """As export_cells.py would make it of all rounds of these."""
        data.update(
            export(
                [cell_path(args, each, n) for each in names for n in record.rounds(each)],
                runs={name: run},
                metrics=args.metrics,
                comparisons=args.comparisons,
                machine=machine,
                source=str(args.machine),
            )
        )
        return parsed_cells(data, "the cells of the race")

    scorer = Scorer(name, asked, read)
    race = Race(
        [each.name for each in raced],
        lambda each, number, seconds: measured(args, record, each, number, seconds),
        scorer,
        Settings(60 * args.minutes, args.seconds, args.within, args.seed, _LOADING_S),
        clock=time.monotonic,
        tell=note,
    )
    result = race.run(scorer.short)
    if not result.kept:
        why = list((out | result.dropped).items())[:3]
        reasons = "; ".join(f"{each}: {reason}" for each, reason in why)
        raise UserError(f"explore: no cell of {name} can be planned with: {reasons}")
    for each, score in scorer(result.kept).items():  # with what was measured last
        if not isinstance(score, str):
            result.scores[each] = score
    winner = result.kept[0]
    found = in_full(race, out, scorer) | {"machine": here, "described": described}
    found |= {"cells": data["cells"], "f1": {each.name: each.f1 for each in candidates}}
    found["confirmed"] = confirm(
        winner,
        result.scores[winner],
        scorer,
        left_s=race.left_s,
        beside_s=race.beside_s,
        serve=lambda rate, seconds: served(args, winner, rate, seconds),
    )
    write_text(args.text, as_text(found))
    write_json(args.json, found)
    print(as_text(found), end="")


if __name__ == "__main__":
    exit_with(main)
