"""Run a model over every feature of a file and keep the start and end logits.

Example:
    python scripts/compute_logits.py --engine torch --precision bf16 --threads 2 \\
        --model results/demo/model --features results/resources/features/dev.safetensors \\
        --output results/demo/torch-bf16/logits.safetensors
"""

import argparse
import sys

from bertsquad import torch_environment
from bertsquad.arguments import positive
from bertsquad.errors import exit_with
from bertsquad.machine.threads import take_cores


def compute(
    *,
    engine_name: str,
    precision: str,
    threads: int,
    model: str,
    quantized: str | None,
    features_path: str,
    output: str,
) -> None:
    """Load, run and write; the logits are in the order of the features file."""
    from bertsquad import engines, logits
    from bertsquad.engines.whole_set import compute_logits
    from bertsquad.features import Features
    from bertsquad.files import sha256
    from bertsquad.model_fit import check_fit
    from bertsquad.progress import Progress

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
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--engine", required=True, help="what runs the model: torch, openvino or onnxruntime")
    add("--precision", required=True, help="fp32, bf16 or int8, as far as the engine has it")
    add(
        "--threads",
        required=True,
        type=positive,
        help="at most so many threads, and no more than one socket has cores for this process",
    )
    add("--model", required=True, metavar="DIR", help="folder with the fine-tuned model")
    add("--quantized", metavar="DIR", help="for int8: what quantize.py made of the model")
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
