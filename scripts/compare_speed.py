"""Measure two cells by turns, and say which is faster, or that it cannot be told.

Example:
    python scripts/compare_speed.py --name bf16 --output results/comparisons/bf16.json \\
        --a "--engine torch --precision bf16 --threads all --mode offline --model M --features F" \\
        --b "--engine torch --precision fp32 --threads all --mode offline --model M --features F"

`--a` and `--b` are options of take_turns.py. In every round both are started anew, in an order that
is drawn, and each takes a turn of some seconds while the other one is stopped. After 8, 16 and 32
rounds an exact test of signed ranks looks at the ratios of a's speed over b's. A round in which
something else disturbed a turn does not count.
"""

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from bertsquad import engines
from bertsquad.console.arguments import (
    command_parser,
    natural,
    natural_number,
    positive,
    positive_number,
)
from bertsquad.console.errors import UserError, exit_with, note

SIDE = Path(__file__).resolve().with_name("take_turns.py")
METRICS = ("rate", "p50", "p90", "p95", "p99")


def side_options(text: str) -> list[str]:
    """An argparse type: options of take_turns.py, as a shell splits them."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def settings_of(options: list[str]) -> dict[str, Any]:
    """What a side is, for the record; take_turns.py itself refuses what it does not know."""
    names = ("engine", "precision", "scenario", "mode", "padding", "batch-size", "count", "threads")
    pairs = dict(pairwise(options))
    found = {name.replace("-", "_"): pairs.get(f"--{name}") for name in names}
    run = Path(pairs["--model"]).parent.name if "--model" in pairs else None
    return {"run": run, **found, "slow_down": _slow_down(pairs)}


def _slow_down(pairs: Mapping[str, str]) -> float:
    try:
        return natural_number(pairs.get("--slow-down", "0"))
    except (ValueError, argparse.ArgumentTypeError):
        found = pairs["--slow-down"]
        raise UserError(f"--slow-down: found {found!r}, expected a share from 0") from None


def emulated(sides: dict[str, dict[str, Any]]) -> str:
    """Why nothing is measured: a precision that this processor would emulate; "" where none is."""
    for name, side in sides.items():
        if side["precision"] and not engines.native(side["precision"]):
            return f"{name}: this processor has no {side['precision']} and would emulate it"
    return ""


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Start both sides and let them take turns."""
    from bertsquad.benchmark.comparing import Rules
    from bertsquad.benchmark.pairs import compare_commands
    from bertsquad.benchmark.percentiles import needed
    from bertsquad.benchmark.quiet import wait_for_quiet
    from bertsquad.benchmark.side_process import SideFailed
    from bertsquad.machine.activity import observe

    wait_for_quiet(observe(), args.quiet_seconds, tell=note)
    looks = tuple(sorted(set(args.looks)))
    rules = Rules(args.metric, looks, args.same_within, args.seed, args.turn_seconds)
    requests = 1 if args.metric == "rate" else needed(int(args.metric[1:]))
    more = ["--turn-seconds", str(rules.turn_seconds), "--requests", str(requests)]
    if args.at_most:
        more += ["--at-most", str(args.at_most)]
    sides = {"a": args.a, "b": args.b}
    commands = {name: [sys.executable, str(SIDE), *sides[name], *more] for name in sides}
    environments = dict.fromkeys(sides, os.environ)
    folder = args.output.parent
    try:
        return compare_commands(args.name, commands, environments, rules, folder, tell)
    except (SideFailed, LookupError) as error:
        raise UserError(str(error)) from None


def tell(one: dict[str, Any]) -> None:
    words = "" if one["undisturbed"] else ", disturbed: does not count"
    print(f"a / b {one['ratio']:.4f}, {one['first']} first{words}", file=sys.stderr, flush=True)


def compared(args: argparse.Namespace) -> dict[str, Any]:
    """The comparison's JSON."""
    from bertsquad.benchmark.comparing import nothing_measured
    from bertsquad.machine.surroundings import describe_surroundings
    from bertsquad.machine.versions import versions

    sides = {name: settings_of(getattr(args, name)) for name in ("a", "b")}
    head = {
        "name": args.name,
        **sides,
        **{name: getattr(args, name) for name in ("metric", "same_within", "turn_seconds", "seed")},
        "looks": sorted(set(args.looks)),
        **describe_surroundings(versions(engines.packages())),
    }
    why = emulated(sides)
    return head | (nothing_measured(why) if why else measure(args))


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("--name", required=True, help="of the comparison")
    for name in ("a", "b"):
        add(f"--{name}", required=True, type=side_options, metavar="OPTIONS",
            help="a side: options of take_turns.py in one word")  # fmt: skip
    add("--metric", choices=METRICS, default="rate",
        help="features per second, or a turn's percentile of latency (%(default)s)")  # fmt: skip
    add(
        "--turn-seconds",
        type=positive_number,
        default=2.0,
        help="the least that a side runs in a round (%(default)s)",
    )
    add("--looks", type=rounds, nargs="+", default=[8, 16, 32],
        help="rounds after which there may be a verdict (8 16 32)")  # fmt: skip
    add("--same-within", type=natural_number, default=0.01,
        help="a difference that nobody would act on (%(default)s)")  # fmt: skip
    add("--at-most", type=positive, metavar="N", help="threads `all` is no more than N")
    add(
        "--seed", type=natural, default=0, help="of who is started and who goes first (%(default)s)"
    )
    add("--quiet-seconds", type=natural_number, default=120.0, metavar="S",
        help="wait at most so long for a quiet machine before (%(default)s)")  # fmt: skip
    add("--output", required=True, type=Path, metavar="JSON", help="the comparison to write")
    return parser.parse_args()


def rounds(text: str) -> int:
    """An argparse type: fewer than 8 rounds decide nothing."""
    number = positive(text)
    if number < 8:
        raise argparse.ArgumentTypeError(f"{text} rounds cannot decide; expected 8 or more")
    return number


def main() -> None:
    args = parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that both sides are ended, too
    from bertsquad.files import write_json
    from bertsquad.reporting.verdicts import sentence

    found = compared(args)
    write_json(args.output, found)
    print(sentence(found))


if __name__ == "__main__":
    exit_with(main)
