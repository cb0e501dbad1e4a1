"""Make a fine-tuned model an INT8 one for an engine, and write down how.

Example:
    python scripts/quantize.py --engine openvino --threads 2 --model results/demo/model \\
        --features results/resources/features/train.safetensors \\
        --output results/demo/openvino-int8/quantized
"""

import argparse
from pathlib import Path

from bertsquad import engines
from bertsquad.console.arguments import command_parser, positive
from bertsquad.console.errors import exit_with
from bertsquad.machine.threads import take_cores


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    able = [name for name in engines.PRECISIONS if engines.about(name).INT8_FILES]
    asking = [name for name in able if engines.about(name).INT8_CALIBRATED]
    add("--engine", required=True, help=f"what will run the model: {', '.join(able)}")
    add("--model", required=True, type=Path, metavar="DIR", help="folder with the fine-tuned model")
    add(
        "--features",
        type=Path,
        metavar="FILE",
        help=f"for {', '.join(asking)}: training features to calibrate on, made with the model's "
        "vocabulary",
    )
    add("--count", type=positive, default=256, help="of features to calibrate on (default: 256)")
    add("--seed", type=int, default=0, help="of their choice (default: 0)")
    add("--threads", required=True, type=positive, help="at most so many threads")
    add("--output", required=True, type=Path, metavar="DIR", help="folder to write the model to")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    take_cores(args.threads)

    from bertsquad.engines import quantizing

    record = quantizing.make(
        args.engine,
        args.model,
        args.output,
        features_path=args.features,
        count=args.count,
        seed=args.seed,
    )
    on = f"calibrated on {len(record['features'])} features" if record["features"] else ""
    print(f"{args.output}: {record['method']}" + (f"; {on}" if on else ""))


if __name__ == "__main__":
    exit_with(main)
