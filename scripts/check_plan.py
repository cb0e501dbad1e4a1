"""Run a plan's options that are for this machine as servers, and compare with what was predicted.

Example:
    python scripts/check_plan.py --plan results/plan/plan.json --asked '{"rate": 80, ...}' \\
        --cells here results/cells.json --machine results/machine.json --results results \\
        --run demo results/resources/features/dev.safetensors results/demo/model \\
        --record results/plan/record.jsonl --runs results/plan/runs

Each check is a line added to the record, which so tells how good the predictions are.
"""

import argparse
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsquad.console.arguments import add_machine_cells, command_parser, positive
from bertsquad.console.errors import UserError, exit_with

if TYPE_CHECKING:
    from bertsquad.planner.check import Measured

_SCRIPTS = Path(__file__).resolve().parent


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("--plan", required=True, type=Path, metavar="JSON", help="what make_plan.py wrote")
    add("--asked", required=True, metavar="JSON", help="the configuration's `plan`, resolved")
    add_machine_cells(parser)
    add("--machine", type=Path, metavar="JSON", help="machine.json of this one (looked at now)")
    add("--results", required=True, type=Path, metavar="DIR", help="where INT8 models are")
    add(
        "--run",
        action="append",
        nargs=3,
        required=True,
        metavar=("NAME", "FEATURES", "MODEL"),
        help="a run: its name, features file and model folder",
    )
    add("--seconds", type=positive, default=60, help="of a run (%(default)s)")
    add("--repeats", type=positive, default=2, help="runs of an option (%(default)s)")
    add("--record", required=True, type=Path, metavar="JSONL", help="the checks, added to")
    add("--runs", required=True, type=Path, metavar="DIR", help="for the runs' own files")
    return parser.parse_args()


def measured(
    args: argparse.Namespace, row: Mapping[str, Any], rate: float, seed: int
) -> "Measured":
    """One server run of an option, with arrivals of its own."""
    from bertsquad.benchmark.loads import Load
    from bertsquad.planner.benchmarking import Target, command
    from bertsquad.planner.check import read_measured

    run = next((each for each in args.run if each[0] == row["run"]), None)
    if run is None:
        raise UserError(f"--run: none is {row['run']}, which the plan uses")
    output = args.runs / f"{row['engine']}-{row['precision']}-{row['layout']}-seed{seed}.json"
    name, features, model = run
    target = Target(name, features, model, row["engine"], row["precision"], row["layout"])
    load = ("--load", str(Load("rate", rate)), "--seed", seed)
    args.runs.mkdir(parents=True, exist_ok=True)
    wanted = command(
        *(_SCRIPTS, args.results, target, output),
        scenario="check",
        seconds=args.seconds,
        more=load,
    )
    if (status := subprocess.run(wanted).returncode) != 0:
        raise UserError(f"{row['option']}: the server ended with status {status}; see above")
    return read_measured(output)


def main() -> None:
    args = parse_args()
    from bertsquad.files import write_text
    from bertsquad.planner.cells import read
    from bertsquad.planner.check import checks, in_words, read_record, summary
    from bertsquad.planner.demand import length_classes
    from bertsquad.planner.export import describe_machine
    from bertsquad.planner.wanted import parsed
    from bertsquad.reporting.summary.result_files import read_object

    plan, asked = read_object(args.plan), parsed(args.asked, "--asked", "the plan")
    files = {machine: read(path) for machine, path in args.cells}
    if args.machine is None:
        from bertsquad.machine.description import describe

        here = describe_machine(describe(), "this machine")["fingerprint"]
    else:
        here = describe_machine(read_object(args.machine), str(args.machine))["fingerprint"]
    record = read_record(args.record)
    first = next(iter(files.values()))
    questions = first.questions(next(iter(first.runs)))
    classes = dict.fromkeys(files, length_classes(asked, questions))
    for _ in range(args.repeats):
        seed = 1000 + len(record)  # arrivals that no cell and no check before had

        def serve(row: Mapping[str, Any], rate: float, seed: int = seed) -> "Measured":
            return measured(args, row, rate, seed)

        for row in checks(plan, files, classes, here, serve):
            print(in_words(row), flush=True)
            if row["verdict"] != "not checked":
                record.append(row)
        text = "".join(json.dumps(each, sort_keys=True) + "\n" for each in record)
        write_text(args.record, text)
    print(summary(record))


if __name__ == "__main__":
    exit_with(main)
