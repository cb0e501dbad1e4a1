"""Run a model over one part of a file's features, and keep their start and end logits.

Example:
    python scripts/compute_logits_shard.py --shard 3 --shards 8 --engine torch --precision fp32 \\
        --threads 2 --model results/demo/model \\
        --features results/resources/features/dev.safetensors \\
        --output results/demo/torch-fp32/shards/3-of-8.safetensors

Parts are whole batches of what compute_logits.py would run: join_logits.py makes the same file of
them, byte for byte, where all are computed with as many threads and the same kernels.
"""

import argparse
import sys
from pathlib import Path

from bertsquad import engines
from bertsquad.console.arguments import add_engine_options, command_parser, positive
from bertsquad.console.errors import exit_with
from bertsquad.machine import torch_environment
from bertsquad.machine.threads import take_cores


def compute(args: argparse.Namespace, threads: int) -> None:
    """Load, run and write."""
    from bertsquad.answers import logit_shards
    from bertsquad.answers.logits import Logits
    from bertsquad.console.progress import Progress
    from bertsquad.data.features import Features
    from bertsquad.engines.shards import batches_of_shard, compute_shard
    from bertsquad.files import sha256
    from bertsquad.model.fit import check_fit

    features = Features.open(args.features)
    check_fit(args.model, features, args.features)
    engine = engines.load(
        args.engine,
        args.model,
        precision=args.precision,
        threads=threads,
        goal="throughput",
        quantized_dir=args.quantized,
    )
    if not engines.native(args.precision):
        print(f"warning: {args.precision} is emulated on this processor and slow", file=sys.stderr)
    which = (args.shard, args.shards)
    mine = sum(map(len, batches_of_shard(engine, features.lengths, *which)))
    what = f"logits, shard {args.shard} of {args.shards}"
    with Progress(mine, what=what, unit="features") as bar:
        computed = compute_shard(engine, features, *which, progress=bar)
    engine.close()
    texts = (args.engine, args.precision, sha256(args.features), engine.kernels)
    made = Logits(computed.start_logits, computed.end_logits, computed.starts, *texts)
    logit_shards.write(args.output, logit_shards.Shard(made, computed.indices, *which))


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add_engine_options(parser, engines.PRECISIONS)
    add = parser.add_argument
    add("--shard", required=True, type=positive, metavar="K", help="which part, counted from 1")
    add("--shards", required=True, type=positive, metavar="N", help="how many parts there are")
    add(
        "--threads",
        required=True,
        type=positive,
        help="at most so many threads, and no more than one socket has cores for this process",
    )
    add("--features", required=True, metavar="FILE", help="features made with its vocabulary")
    add("--output", required=True, type=Path, metavar="FILE", help="logits of this part to write")
    args = parser.parse_args()
    if args.shard > args.shards:
        parser.error(f"--shard is {args.shard}; expected 1 to {args.shards}, which --shards says")
    return args


def main() -> None:
    args = parse_args()
    torch_environment.prepare()
    compute(args, take_cores(args.threads))


if __name__ == "__main__":
    exit_with(main)
