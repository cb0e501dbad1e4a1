"""Measure where the time goes: matrix products, the engine alone, single requests, whole answers.

Example:
    python scripts/measure_waterfall.py --engine torch --precision fp32 --threads all \\
        --model results/demo/model --features results/resources/features/dev.safetensors \\
        --dataset dev.json --output results/demo/torch-fp32/waterfall.json

All parts are loaded as processes of their own and take turns of some seconds, in an order drawn
anew in every round, the others stopped meanwhile. show_waterfall.py makes the chain of them.
"""

import argparse
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bertsquad import engines
from bertsquad.benchmark.waterfall_parts import ALONE_ALL, SIDES, THREADS_OF
from bertsquad.console.arguments import (
    add_engine_options,
    add_measured_threads,
    command_parser,
    natural,
    natural_number,
    positive,
    positive_number,
)
from bertsquad.console.errors import UserError, exit_with, note

SIDE = Path(__file__).resolve().with_name("waterfall_side.py")


def command(args: argparse.Namespace, part: str) -> list[str]:
    """How a side is started."""
    found = [sys.executable, str(SIDE), "--part", part, "--engine", args.engine]
    found += ["--precision", args.precision, "--model", str(args.model)]
    found += ["--features", str(args.features), "--dataset", str(args.dataset)]
    found += ["--count", str(args.count), "--turn-seconds", str(args.turn_seconds)]
    found += ["--threads", str(THREADS_OF.get(part, args.threads))]
    if args.quantized:
        found += ["--quantized", str(args.quantized)]
    return found + (["--at-most", str(args.at_most)] if args.at_most else [])


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """The turns of all sides, and what they were given."""
    from bertsquad.benchmark.flops import useful_flops_of
    from bertsquad.benchmark.quiet import wait_for_quiet
    from bertsquad.benchmark.side_process import SideFailed, SideProcess
    from bertsquad.benchmark.turns import interleave
    from bertsquad.files import read_json
    from bertsquad.machine.activity import observe

    wait_for_quiet(observe(), args.quiet_seconds, tell=note)
    facts, processes = {}, {}
    folder = args.output.parent
    try:
        with ExitStack() as stack:
            for part in SIDES:
                log = folder / f".waterfall-{part}.log"
                process = SideProcess(part, command(args, part), os.environ, log)
                stack.callback(process.close)
                facts[part] = process.ready()
                processes[part] = process
                note(f"{part}: loaded")
            turns, failed = interleave(processes, rounds=args.rounds, seed=args.seed)
    except SideFailed as error:
        raise UserError(str(error)) from None
    if failed:
        raise UserError("; ".join(failed.values()))
    for part in SIDES:
        (folder / f".waterfall-{part}.log").unlink()
    config = read_json(args.model / "config.json")
    whole = facts[ALONE_ALL]
    features, longest = whole["features"], whole["max_seq_length"]
    return {
        "threads": whole["threads"],
        **{name: whole[name] for name in ("questions", "features", "tokens", "max_seq_length")},
        "flops_per_feature": useful_flops_of(config, whole["tokens"], whole["squared_lengths"])
        / features,
        "padded_flops_per_feature": useful_flops_of(config, longest, longest**2),
        "facts": facts,
        "turns": turns,
    }


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add_engine_options(parser, engines.PRECISIONS)
    add = parser.add_argument
    add("--features", required=True, type=Path, metavar="FILE", help="made with its vocabulary")
    add("--dataset", required=True, type=Path, metavar="JSON", help="what they were made from")
    add("--run", default="", help="its name, for the record")
    add("--count", type=positive, default=100, help="questions, at least (%(default)s)")
    add_measured_threads(parser)
    add("--rounds", type=positive, default=8, help="turns of each part (%(default)s)")
    add("--turn-seconds", type=positive_number, default=2.0,
        help="the least a turn takes (%(default)s)")  # fmt: skip
    add("--seed", type=natural, default=0, help="of the order of turns (%(default)s)")
    add("--quiet-seconds", type=natural_number, default=120.0, metavar="S",
        help="wait at most so long for a quiet machine before (%(default)s)")  # fmt: skip
    add("--output", required=True, type=Path, metavar="JSON", help="the measurement to write")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from bertsquad.files import write_json
    from bertsquad.machine.surroundings import describe_surroundings
    from bertsquad.machine.versions import versions

    head = {
        **{name: getattr(args, name) for name in ("run", "engine", "precision", "turn_seconds")},
        **describe_surroundings(versions(engines.packages())),
    }
    if engines.native(args.precision):
        args.output.parent.mkdir(parents=True, exist_ok=True)
        found = measure(args)
    else:
        found = {"refused": f"this processor has no {args.precision} and would emulate it"}
    write_json(args.output, head | found)
    note(found.get("refused") or f"{args.rounds} rounds of {len(SIDES)} parts")


if __name__ == "__main__":
    exit_with(main)
