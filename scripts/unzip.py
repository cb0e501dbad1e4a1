"""Take one member out of a zip archive, checked, and put it in place whole.

    python scripts/unzip.py --archive downloads/wwm_cased_L-24_H-1024_A-16.zip \
        --member wwm_cased_L-24_H-1024_A-16/vocab.txt --output vocab.txt
"""

import argparse
from pathlib import Path

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import exit_with

DEFAULT_MAX_SIZE = 16 * 10**9  # as in bertsquad.artifacts.archive, which --help must not import
DEFAULT_MAX_RATIO = 200.0


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--archive", type=Path, required=True, help="the zip file")
    parser.add_argument("--member", required=True, help="the member's full name in the archive")
    parser.add_argument("--output", type=Path, required=True, help="where its bytes shall be")
    parser.add_argument(
        "--max-size",
        type=int,
        default=DEFAULT_MAX_SIZE,
        help="bytes that all members together may declare (default: 16 GB)",
    )
    parser.add_argument(
        "--max-ratio",
        type=float,
        default=DEFAULT_MAX_RATIO,
        help="how many times its own size an archive may declare (default: 200)",
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from bertsquad.artifacts.archive import extract_member
    from bertsquad.console.progress import say
    from bertsquad.console.quantities import readable_bytes

    size = extract_member(
        args.archive,
        args.member,
        args.output,
        max_size=args.max_size,
        max_ratio=args.max_ratio,
    )
    say(f"{args.output}: {readable_bytes(size)} from {args.archive}, CRC verified")


if __name__ == "__main__":
    exit_with(main)
