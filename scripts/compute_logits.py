"""Run a model over every feature of a file and keep the start and end logits.

Example:
    python scripts/compute_logits.py --engine torch --precision bf16 --threads 2 \\
        --model results/demo/model --features results/resources/features/dev.safetensors \\
        --output results/demo/torch-bf16/logits.safetensors
"""

import argparse
import sys
from pathlib import Path

from bertsquad import engines
from bertsquad.console.arguments import add_engine_options, command_parser, positive
from bertsquad.console.errors import exit_with
from bertsquad.machine import torch_environment
from bertsquad.machine.threads import take_cores


def compute(
    *,
    engine_name: str,
    precision: str,
    threads: int,
    model: Path,
    quantized: Path | None,
    features_path: str,
    output: str,
) -> None:
    """Load, run and write; the logits are in the order of the features file."""
    from bertsquad.answers import logits
    from bertsquad.console.progress import Progress
    from bertsquad.data.features import Features
    from bertsquad.engines.whole_set import compute_logits
    from bertsquad.files import sha256
    from bertsquad.model.fit import check_fit

    features = Features.open(features_path)
    check_fit(model, features, features_path)
    engine = engines.load(
        engine_name,
        model,
        precision=precision,
        threads=threads,
        goal="throughput",
        quantized_dir=quantized,
    )
    if not engines.native(precision):
        print(f"warning: {precision} is emulated on this processor and slow", file=sys.stderr)
    with Progress(len(features), what="logits", unit="features") as bar:
        start_logits, end_logits, starts = compute_logits(engine, features, progress=bar)
    engine.close()
    checksum = sha256(features_path)
    texts = (engine_name, precision, checksum, engine.kernels)
    logits.write(output, logits.Logits(start_logits, end_logits, starts, *texts))


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add_engine_options(parser, engines.PRECISIONS)
    add = parser.add_argument
    add(
        "--threads",
        required=True,
        type=positive,
        help="at most so many threads, and no more than one socket has cores for this process",
    )
    add("--features", required=True, metavar="FILE", help="features made with its vocabulary")
    add("--output", required=True, metavar="FILE", help="logits to write, as safetensors")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    torch_environment.prepare()
    threads = take_cores(args.threads)
    compute(
        engine_name=args.engine,
        precision=args.precision,
        threads=threads,
        model=args.model,
        quantized=args.quantized,
        features_path=args.features,
        output=args.output,
    )


if __name__ == "__main__":
    exit_with(main)
