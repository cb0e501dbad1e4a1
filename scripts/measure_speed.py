"""Measure how fast one engine answers in one precision: offline, padded, and single requests.

Example:
    python scripts/measure_speed.py --engine torch --precision fp32 --threads all --seconds 12 \\
        --model results/resources/speed/model \\
        --features results/resources/speed/features.safetensors \\
        --output results/speed/torch-fp32.json

Any model folder and features made for it will do. The process should do nothing else: its peak
memory is part of what is measured.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from bertsquad import engines
from bertsquad.console.arguments import (
    add_engine_options,
    add_measured_threads,
    command_parser,
)
from bertsquad.console.errors import exit_with
from bertsquad.machine import torch_environment
from bertsquad.machine.placement import settle_down

if TYPE_CHECKING:
    from bertsquad.data.features import Features

CEILING_SECONDS = 0.5  # for each of a layer's four products


def measure(args: argparse.Namespace, features: Features, threads: int) -> dict[str, Any]:
    """Both goals of the engine, one after the other: each loads the model anew."""
    from bertsquad.benchmark import speed
    from bertsquad.files import read_json

    config = read_json(args.model / "config.json")
    load_s = {}

    def load(goal: engines.Goal) -> engines.Engine:
        start = time.perf_counter()
        engine = engines.load(
            args.engine,
            args.model,
            precision=args.precision,
            threads=threads,
            goal=goal,
            quantized_dir=args.quantized,
        )
        load_s[goal] = time.perf_counter() - start
        return engine

    engine = load("latency")
    requests = speed.measure_requests(engine, features, args.seconds)
    padded = speed.measure_padded(engine, features, config, args.seconds)
    engine.close()
    del engine
    samples = requests["over_lengths"]["latency_samples_ms"]
    rate = 1000 * len(samples) / sum(samples)
    engine = load("throughput")
    offline = speed.measure_offline(engine, features, config, args.seconds, rate)
    engine.close()
    return {
        "requests": requests,
        "padded": padded,
        "offline": offline,
        "model_load_s": load_s,
        "kernels": engine.kernels,
    }


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add_engine_options(parser, engines.PRECISIONS)
    add = parser.add_argument
    add("--features", required=True, metavar="FILE", help="features made with its vocabulary")
    add_measured_threads(parser)
    add("--seconds", required=True, type=float, help="to spend on each number, about")
    add("--output", required=True, metavar="JSON", help="what was measured, to write")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    torch_environment.prepare()
    placement = settle_down(args.threads, args.at_most)

    from bertsquad.data.features import Features
    from bertsquad.files import write_json
    from bertsquad.machine.activity import Watch
    from bertsquad.machine.memory import peak_memory_mib
    from bertsquad.machine.surroundings import describe_surroundings
    from bertsquad.machine.versions import versions
    from bertsquad.model.fit import check_fit

    features = Features.open(args.features)
    check_fit(args.model, features, args.features)
    surroundings = describe_surroundings(versions(engines.packages())) | placement
    engines.library(args.engine, args.precision)
    watch = Watch()
    measured = measure(args, features, placement["threads"])
    measured |= {"peak_memory_mib": peak_memory_mib(), "activity": watch.result()}
    # Only now: it takes PyTorch, and memory of its own. Later the clock may be another one.
    from bertsquad.benchmark.ceilings import measure_ceiling
    from bertsquad.benchmark.percentiles import in_words

    ceiling = measure_ceiling(args.precision, placement["threads"], CEILING_SECONDS)
    write_json(
        args.output,
        {
            "engine": args.engine,
            "precision": args.precision,
            "native": engines.native(args.precision),
            "seconds": args.seconds,
            **measured,
            "ceiling": ceiling,
            **surroundings,
        },
    )
    offline, latency = measured["offline"], measured["requests"]["over_lengths"]["latency_ms"]
    print(
        f"{offline['features_per_second']:.2f} features/s, {offline['useful_gflops']:.0f} useful "
        f"GFLOP/s; latency {in_words(latency, 0)}"
    )


if __name__ == "__main__":
    exit_with(main)
