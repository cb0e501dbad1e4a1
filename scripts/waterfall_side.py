"""Be one side of a waterfall: run its part whenever a line on stdin says so.

Example:
    echo run | python scripts/waterfall_side.py --part single --engine torch --precision fp32 \\
        --threads 2 --model results/demo/model --dataset dev.json --count 100 --turn-seconds 2 \\
        --features results/resources/features/dev.safetensors

All parts but the products take the same features, those of the same questions, so that no rate
differs for its questions. measure_waterfall.py starts one of these for each part.
"""

import argparse
import gc
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bertsquad import engines
from bertsquad.benchmark.waterfall_parts import ALONE_ALL, ALONE_ONE, SIDES, SINGLE, TEXTS
from bertsquad.console.arguments import (
    add_engine_options,
    add_measured_threads,
    command_parser,
    natural_number,
    positive,
)
from bertsquad.console.errors import exit_with
from bertsquad.distributed.worker import die_with_parent
from bertsquad.machine import torch_environment
from bertsquad.machine.placement import settle_down

PRODUCT_S = 0.25  # for each of a layer's four products
Turn = Callable[[], dict[str, Any]]


def products(args: argparse.Namespace, threads: int) -> tuple[Turn, dict[str, Any]]:
    """The ceiling of matrix products, `gflops` a turn."""
    from bertsquad.benchmark.ceilings import measure_precision, tried_paths

    clock = time.perf_counter
    paths, left_out = tried_paths(args.precision, threads, clock)

    def turn() -> dict[str, Any]:
        begin = clock()
        found = measure_precision(paths, left_out, True, PRODUCT_S, clock)
        return {"gflops": found["gflops"], "seconds": clock() - begin, "features": 0}

    return turn, {"left_out": left_out}


def engine_part(args: argparse.Namespace, threads: int) -> tuple[Turn, dict[str, Any]]:
    """What the engine does with the questions' features, or with their texts."""
    from bertsquad.benchmark.cell import Sources
    from bertsquad.benchmark.side import of_questions, take_turn
    from bertsquad.data.features import Features
    from bertsquad.model.fit import check_fit

    features = Features.open(args.features)
    check_fit(args.model, features, args.features)
    engine = engines.load(
        args.engine,
        args.model,
        precision=args.precision,
        threads=threads,
        goal="latency" if args.part == SINGLE else "throughput",
        quantized_dir=args.quantized,
    )
    sources = Sources(args.model, args.features, args.dataset)
    parts = of_questions(engine, features, sources, count=args.count)
    work = {
        ALONE_ONE: parts.alone,
        ALONE_ALL: parts.alone,
        SINGLE: parts.single,
        TEXTS: parts.texts,
    }
    return lambda: take_turn(work[args.part], args.turn_seconds), {
        "questions": parts.questions,
        "features": parts.alone.features,
        "tokens": parts.tokens,
        "squared_lengths": parts.squared_lengths,
        "max_seq_length": features.metadata["max_seq_length"],
        "kernels": engine.kernels,
    }


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add_engine_options(parser, engines.PRECISIONS)
    add = parser.add_argument
    add("--part", required=True, choices=SIDES, help="what a turn does")
    add("--features", required=True, type=Path, metavar="FILE", help="made with its vocabulary")
    add("--dataset", required=True, type=Path, metavar="JSON", help="what they were made from")
    add("--count", type=positive, default=100, help="questions, at least (%(default)s)")
    add_measured_threads(parser)
    add(
        "--turn-seconds",
        type=natural_number,
        default=2.0,
        help="the least a turn takes (%(default)s)",
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    die_with_parent()  # also when this process is stopped, and no line or end of stdin reaches it
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is not an answer
    torch_environment.keep_memory()
    placement = settle_down(args.threads, args.at_most)
    make = products if args.part.startswith("product") else engine_part
    turn, facts = make(args, placement["threads"])
    turn()  # warm-up: all shapes have been met
    gc.collect()
    gc.freeze()

    def answer(found: dict[str, Any]) -> None:
        answers.write(json.dumps(found) + "\n")
        answers.flush()

    answer(placement | facts)
    for _ in sys.stdin:
        answer(turn())


if __name__ == "__main__":
    exit_with(main)
