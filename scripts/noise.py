"""Measure this machine's noise floor: which differences it can tell apart, in five minutes.

Example:
    python scripts/noise.py --engine torch --precision fp32 --threads all --output noise.json

A small model of random weights is compared with itself for 32 rounds, in each of which two
processes of it are started and take turns. From their spread follows which differences a
comparison finds here. The verdict must be `same` or `cannot tell`.
"""

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from bertsquad import engines
from bertsquad.console.arguments import (
    add_measured_threads,
    command_parser,
    natural,
    natural_number,
    positive,
    positive_number,
)
from bertsquad.console.errors import UserError, exit_with, note

SIDE = Path(__file__).resolve().with_name("take_turns.py")


def measured(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The noise floor's JSON."""
    from bertsquad.benchmark.comparing import Rules, sees
    from bertsquad.benchmark.pairs import compare_commands
    from bertsquad.benchmark.quiet import wait_for_quiet
    from bertsquad.benchmark.side_process import SideFailed
    from bertsquad.benchmark.small_model import FEATURES, make_small_model
    from bertsquad.benchmark.verdicts import LOOKS
    from bertsquad.machine.activity import observe
    from bertsquad.machine.surroundings import describe_surroundings
    from bertsquad.machine.versions import versions

    if not engines.native(args.precision):
        raise UserError(
            f"--precision {args.precision}: this processor would emulate it; expected another one"
        )
    rules = Rules(looks=(args.rounds,), seed=args.seed, seconds=args.turn_seconds)
    model, features = make_small_model(folder)
    command = [sys.executable, str(SIDE), "--engine", args.engine, "--precision", args.precision]
    command += ["--model", str(model), "--features", str(features), "--mode", "offline"]
    command += ["--count", str(FEATURES), "--threads", str(args.threads)]
    command += ["--turn-seconds", str(rules.turn_seconds)]
    if args.at_most:
        command += ["--at-most", str(args.at_most)]
    wait_for_quiet(observe(), args.quiet_seconds, tell=note)
    surroundings = describe_surroundings(versions(engines.packages()))
    sides = ("a", "b")
    try:
        found = compare_commands(
            "noise",
            dict.fromkeys(sides, command),
            dict.fromkeys(sides, os.environ),
            rules,
            folder,
            tell,
        )
    except SideFailed as error:
        raise UserError(str(error)) from None
    ratios = [one["ratio"] for one in found["rounds"] if one["undisturbed"]]
    return {
        "engine": args.engine,
        "precision": args.precision,
        "threads": found["facts"]["a"]["threads"],
        "turn_seconds": args.turn_seconds,
        "sees": sees(ratios, LOOKS) if found["verdict"] else None,
        **found,
        **surroundings,
    }


def tell(one: dict[str, Any]) -> None:
    words = "" if one["undisturbed"] else ", disturbed: does not count"
    print(f"a / b {one['ratio']:.4f}{words}", file=sys.stderr, flush=True)


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("--engine", default="torch", help=f"{', '.join(engines.PRECISIONS)} (%(default)s)")
    add("--precision", choices=("fp32", "bf16"), default="fp32", help="(%(default)s)")
    add_measured_threads(parser, required=False)
    add(
        "--turn-seconds",
        type=positive_number,
        default=2.0,
        help="the least that a side runs in a round (%(default)s)",
    )
    add("--rounds", type=positive, default=32, help="undisturbed ones (%(default)s)")
    add("--seed", type=natural, default=0, help="of who goes first (%(default)s)")
    add("--quiet-seconds", type=natural_number, default=120.0, metavar="S",
        help="wait at most so long for a quiet machine before (%(default)s)")  # fmt: skip
    add("--output", type=Path, metavar="JSON", help="file to write, beside machine.json")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that both sides are ended, too
    from bertsquad.files import write_json
    from bertsquad.reporting.verdicts import noise_line

    with tempfile.TemporaryDirectory() as folder:
        found = measured(args, Path(folder))
    if args.output:
        write_json(args.output, found)
    print(noise_line(found))


if __name__ == "__main__":
    exit_with(main)
