"""Make the logits file of all features from the files of all parts.

Example:
    python scripts/join_logits.py --output results/demo/torch-fp32/logits.safetensors \\
        --parts results/demo/torch-fp32/shards/*-of-8.safetensors
"""

import argparse

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import exit_with


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("--parts", required=True, nargs="+", metavar="FILE", help="by compute_logits_shard.py")
    add("--output", required=True, metavar="FILE", help="logits to write, as safetensors")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from bertsquad.answers import logit_shards, logits

    logits.write(args.output, logit_shards.join(args.parts))


if __name__ == "__main__":
    exit_with(main)
