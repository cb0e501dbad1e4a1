"""Try verdicts whose truth is known: 40 comparisons of a thing with itself, and slower ones.

Example:
    python scripts/check_verdicts.py --results results/trust --seconds 140
    python scripts/check_verdicts.py --results results/trust --page docs/results/trust

Each trial is a file, kept until it is deleted, so that it can be done in pieces: none is begun that
would end after `--seconds`. A trial that was disturbed is done again the next time. `--page` writes
the page, once all trials are done. The exit status is 1 while some are missing.
"""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsquad import engines
from bertsquad.console.arguments import add_measured_threads, command_parser
from bertsquad.console.errors import UserError, exit_with

if TYPE_CHECKING:
    from bertsquad.benchmark.trust import Trial

SIDE = Path(__file__).resolve().with_name("take_turns.py")
FIRST_GUESS_S = 40.0  # of a trial, as long as none of its kind was done


def tried(trial: "Trial", args: argparse.Namespace) -> dict[str, Any]:
    """One trial's comparison."""
    from bertsquad.benchmark.comparing import Rules
    from bertsquad.benchmark.pairs import compare_commands
    from bertsquad.benchmark.side_process import SideFailed
    from bertsquad.benchmark.small_model import make_small_model
    from bertsquad.machine.surroundings import describe_surroundings
    from bertsquad.machine.versions import versions

    model, features = make_small_model(args.results)
    side = [sys.executable, str(SIDE), "--engine", args.engine, "--precision", args.precision]
    side += ["--model", str(model), "--features", str(features), "--threads", str(args.threads)]
    side += ["--mode", "batches", "--batch-size", "1", "--count", str(trial.features)]
    side += ["--turn-seconds", str(trial.turn_seconds)]
    commands = {"a": side, "b": [*side, "--slow-down", str(trial.slow_down)]}
    surroundings = describe_surroundings(versions(engines.packages()))
    start = time.monotonic()
    try:
        found = compare_commands(
            trial.name,
            commands,
            dict.fromkeys("ab", os.environ),
            Rules(seed=trial.seed),
            args.results,
        )
    except SideFailed as error:
        raise UserError(str(error)) from None
    return {
        "name": trial.name,
        "slow_down": trial.slow_down,
        "turn_seconds": trial.turn_seconds,
        "seed": trial.seed,
        "engine": args.engine,
        "precision": args.precision,
        "took_s": time.monotonic() - start,
        **found,
        **surroundings,
    }


def do_trials(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Those that are done, after as many more as there is time for."""
    from bertsquad.benchmark.trust import trials
    from bertsquad.files import read_json, write_json

    start = time.monotonic()
    done: list[dict[str, Any]] = []
    longest: dict[float, float] = {}
    for trial in trials():
        path = args.results / f"{trial.name}.json"
        if path.exists():
            done.append(read_json(path))
        else:
            left = args.seconds - (time.monotonic() - start)
            if left < 1.2 * longest.get(trial.slow_down, FIRST_GUESS_S if done else 0):
                continue
            found = tried(trial, args)
            words = found["verdict"] or found["why"]
            print(f"{trial.name}: {words}; {found['took_s']:.0f} s", flush=True)
            if found["verdict"]:
                write_json(path, found)
                done.append(found)
            longest[trial.slow_down] = max(found["took_s"], longest.get(trial.slow_down, 0.0))
            continue
        took = done[-1]["took_s"]
        longest[trial.slow_down] = max(took, longest.get(trial.slow_down, 0.0))
    print(f"{len(done)} of {len(trials())} trials are done", flush=True)
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
    from bertsquad.benchmark.trust import outcomes, trials

    done = do_trials(args)
    for outcome in outcomes(done):
        print(f"b slower by {outcome.slow_down:.0%}: {outcome.words}, held: {outcome.held}")
    if len(done) < len(trials()):
        sys.exit(1)
    if args.page:
        write_page(done, args)


if __name__ == "__main__":
    exit_with(main)
