"""Be one side of a comparison: load an engine, then run whenever a line on stdin says so.

Example:
    echo run | python scripts/take_turns.py --engine torch --precision bf16 --threads 2 \\
        --mode offline --count 128 --model results/demo/model \\
        --features results/resources/features/dev.safetensors --turn-seconds 2

It writes one JSON line when it is loaded and warm, and one after each turn: its `seconds`, how many
`features`, and the percentiles of `latency_ms` of requests. In every round compare_speed.py starts
two of these.
"""

import argparse
import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsquad import engines
from bertsquad.benchmark.modes import MODES
from bertsquad.console.arguments import (
    add_engine_options,
    add_measured_threads,
    command_parser,
    natural,
    natural_number,
    positive,
)
from bertsquad.console.errors import exit_with
from bertsquad.distributed.worker import die_with_parent
from bertsquad.machine import torch_environment
from bertsquad.machine.placement import settle_down

if TYPE_CHECKING:
    from bertsquad.benchmark.side import Pass

WARMUP_S = 0.5  # it is started for every turn


def loaded(args: argparse.Namespace, threads: int) -> "tuple[Pass, dict[str, Any]]":
    """What a turn runs, and facts of the engine."""
    from bertsquad.benchmark import side
    from bertsquad.benchmark.cell import Sources
    from bertsquad.data.features import Features
    from bertsquad.model.fit import check_fit

    features = Features.open(args.features)
    check_fit(args.model, features, args.features)
    begin = time.perf_counter()
    engine = engines.load(
        args.engine,
        args.model,
        precision=args.precision,
        threads=threads,
        goal=MODES[args.mode].goal,
        quantized_dir=args.quantized,
    )
    facts = {"load_s": time.perf_counter() - begin, "kernels": engine.kernels}
    if args.mode == "end_to_end":
        sources = Sources(args.model, args.features, args.dataset)
        work = side.end_to_end(engine, features, sources, count=args.count)
    elif args.mode == "offline":
        work = side.offline(engine, features, count=args.count)
    else:
        work = side.batches(
            engine,
            features,
            padding=args.padding,
            batch_size=args.batch_size,
            count=args.count,
            seed=args.seed,
        )
    return (side.slowed(work, args.slow_down) if args.slow_down else work), facts


def parser() -> argparse.ArgumentParser:
    parser = command_parser(__doc__)
    add_engine_options(parser, engines.PRECISIONS)
    add = parser.add_argument
    add("--features", required=True, type=Path, metavar="FILE", help="made with its vocabulary")
    add("--dataset", type=Path, metavar="JSON", help="end_to_end: what the features were made from")
    add("--scenario", metavar="NAME", help="name of the cell's scenario, for the record")
    add("--mode", default="batches", choices=("batches", "offline", "end_to_end"),
        help="batches: one after another; offline: all features at hand; end_to_end: from texts to "
        "answers (%(default)s)")  # fmt: skip
    add("--padding", default="none", choices=("max_length", "none"), help="batches (%(default)s)")
    add("--batch-size", type=batch_size, default=1, help="batches: features in one (%(default)s)")
    add("--count", type=positive, default=128, help="features or questions of a pass (%(default)s)")
    add_measured_threads(parser)
    add("--seed", default=0, type=natural, help="of the choice of features (%(default)s)")
    add(
        "--turn-seconds",
        type=natural_number,
        default=2.0,
        help="the least a turn takes (%(default)s)",
    )
    add("--requests", type=positive, default=1, help="the least samples of a turn (%(default)s)")
    add("--slow-down", type=natural_number, default=0.0, metavar="SHARE",
        help="wait after each sample for so much of its time: tests verdicts")  # fmt: skip
    return parser


def batch_size(text: str) -> int:
    return 1 if text == "auto" else positive(text)


def parse_args() -> argparse.Namespace:
    made = parser()
    args = made.parse_args()
    if args.mode == "end_to_end" and args.dataset is None:
        made.error("--mode end_to_end needs --dataset")
    return args


def main() -> None:
    args = parse_args()
    die_with_parent()  # also when this process is stopped, and no line or end of stdin reaches it
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is not an answer
    torch_environment.keep_memory()
    placement = settle_down(args.threads, args.at_most)

    from bertsquad.benchmark.side import take_turn
    from bertsquad.machine.memory import peak_memory_mib

    def answer(facts: dict[str, Any]) -> None:
        answers.write(json.dumps(facts) + "\n")
        answers.flush()

    work, facts = loaded(args, placement["threads"])
    take_turn(work, min(WARMUP_S, args.turn_seconds))  # at least a pass: all shapes have been met
    gc.collect()
    gc.freeze()
    facts |= placement | {"features": work.features, "peak_memory_mib": peak_memory_mib()}
    answer(facts | {"native": engines.native(args.precision)})
    for _ in sys.stdin:
        answer(take_turn(work, args.turn_seconds, args.requests))


if __name__ == "__main__":
    exit_with(main)
