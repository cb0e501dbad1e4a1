"""Try verdicts whose truth is known: 40 comparisons of a thing with itself, and slower ones.

Example:
    python scripts/check_verdicts.py --results results/trust --seconds 1800
    python scripts/check_verdicts.py --results results/trust --page docs/results/trust

Each trial is a file, kept until it is deleted, so that it can be done in pieces: no group is begun
in the last fifteen minutes of `--seconds`. A trial that was disturbed is done again the next time.
`--page` writes the page, which says how many are done. The exit status is 1 while some are missing.
"""

import argparse
import os
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsquad import engines
from bertsquad.console.arguments import add_measured_threads, command_parser
from bertsquad.console.errors import UserError, exit_with

if TYPE_CHECKING:
    from bertsquad.benchmark.trust import Trial

SIDE = Path(__file__).resolve().with_name("take_turns.py")
LONGEST_S = 900.0  # of a group of trials, its processes' starts included


def commands_of(
    trial: "Trial", turn_seconds: float, args: argparse.Namespace
) -> dict[str, list[str]]:
    """Both sides' commands; b waits."""
    from bertsquad.benchmark.small_model import make_small_model

    model, features = make_small_model(args.results)
    side = [sys.executable, str(SIDE), "--engine", args.engine, "--precision", args.precision]
    side += ["--model", str(model), "--features", str(features), "--threads", str(args.threads)]
    side += ["--mode", "batches", "--batch-size", "1", "--count", str(trial.features)]
    side += ["--turn-seconds", str(turn_seconds)]
    return {"a": side, "b": [*side, "--slow-down", str(trial.slow_down)]}


def try_group(missing: "list[Trial]", args: argparse.Namespace) -> None:
    """Write a file for each of these trials, which share processes, that is not disturbed."""
    from bertsquad.benchmark.comparing import Rules, compare_all
    from bertsquad.benchmark.pairs import Pair
    from bertsquad.benchmark.side_process import SideFailed
    from bertsquad.files import write_json
    from bertsquad.machine.surroundings import describe_surroundings
    from bertsquad.machine.versions import versions

    rules = [
        Rules(seed=trial.seed, looks=trial.looks, seconds=trial.turn_seconds) for trial in missing
    ]
    commands = commands_of(missing[0], rules[0].turn_seconds, args)
    environments = dict.fromkeys(commands, os.environ)
    surroundings = describe_surroundings(versions(engines.packages()))
    head = {"engine": args.engine, "precision": args.precision, **surroundings}
    pair = Pair(missing[0].group, commands, environments, args.results)
    try:
        results = compare_all(pair.started, rules)
    except SideFailed as error:
        raise UserError(str(error)) from None
    for trial, found in zip(missing, results, strict=True):
        print(f"{trial.name}: {found['verdict'] or found['why']}", flush=True)
        if found["verdict"]:
            path = args.results / f"{trial.name}.json"
            write_json(path, {**asdict(trial), **head, "facts": pair.facts, **found})


def do_trials(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Those that are done, after as many more as there is time for."""
    from bertsquad.benchmark.trust import trials
    from bertsquad.reporting.summary.result_files import read_object

    every = trials()
    groups: dict[str, list[Trial]] = {}
    for trial in every:
        if not (args.results / f"{trial.name}.json").exists():
            groups.setdefault(trial.group, []).append(trial)
    end = time.monotonic() + args.seconds - LONGEST_S
    for missing in groups.values():
        if time.monotonic() > end:
            break
        try_group(missing, args)
    paths = [args.results / f"{trial.name}.json" for trial in every]
    done = [read_object(path) for path in paths if path.exists()]
    print(f"{len(done)} of {len(every)} trials are done", flush=True)
    return done


def write_page(done: list[dict[str, Any]], args: argparse.Namespace) -> None:
    from bertsquad.files import write_text
    from bertsquad.reporting import style, trust, verdicts

    noise = verdicts.read_noise([args.noise] if args.noise and args.noise.exists() else [])
    with style.styled():
        style.save(trust.draw(done), args.page / "verdicts.svg", trust.TITLE)
    write_text(args.page / "verdicts.csv", trust.table(done))
    write_text(args.page / "README.md", trust.page(done, noise))
    print(args.page / "README.md")


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("--results", type=Path, required=True, metavar="DIR", help="a file for each trial")
    add("--seconds", type=float, default=float("inf"), help="begin none that would end later")
    add("--page", type=Path, metavar="DIR", help="README.md, verdicts.csv and verdicts.svg")
    add("--noise", type=Path, metavar="JSON", help="the file of noise.py, shown on the page")
    add("--engine", default="torch", help=f"{', '.join(engines.PRECISIONS)} (%(default)s)")
    add("--precision", choices=("fp32", "bf16"), default="fp32", help="(%(default)s)")
    add_measured_threads(parser, required=False)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that both sides are ended, too
    from bertsquad.benchmark.trust import outcomes, trials
    from bertsquad.own_json import as_written

    done = do_trials(args)
    with as_written(args.results, again="delete the trial's file and run again"):
        for outcome in outcomes(done):
            print(f"b slower by {outcome.slow_down:.0%}: {outcome.words}, held: {outcome.held}")
        if args.page and done:
            write_page(done, args)
    if len(done) < len(trials()):
        sys.exit(1)


if __name__ == "__main__":
    exit_with(main)
