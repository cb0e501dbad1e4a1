"""Fetch one artifact, verify it, and put it in place whole.

    python scripts/download.py --output downloads/dev-v1.1.json \
        --url https://rajpurkar.github.io/SQuAD-explorer/dataset/dev-v1.1.json \
        --sha256 95aa6a52d5d6a735563366753ca50492a658031da74f301ac5238b03966972c9
"""

import argparse
import re
from pathlib import Path

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import exit_with


def sha256_digest(text: str) -> str:
    """64 hex digits, in lower case."""
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise argparse.ArgumentTypeError(f"expected 64 hex digits, found {text!r}")
    return text.lower()


def byte_count(text: str) -> int:
    """A number of bytes."""
    if not re.fullmatch(r"\d+", text):
        raise argparse.ArgumentTypeError(f"expected a number of bytes, found {text!r}")
    return int(text)


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument(
        "--url",
        action="append",
        required=True,
        help="address of the file; repeat it for mirrors, which are tried in this order. "
        "http://, https://, file:///absolute or file:relative (to the working directory)",
    )
    parser.add_argument("--output", type=Path, required=True, help="where the file shall be")
    parser.add_argument("--sha256", type=sha256_digest, help="the only content accepted")
    parser.add_argument("--size", type=byte_count, help="the only size accepted, in bytes")
    parser.add_argument(
        "--lock",
        type=Path,
        help="JSON file that remembers the sha256 of files downloaded without --sha256; "
        "later downloads must match",
    )
    parser.add_argument(
        "--drop-folder",
        type=Path,
        default=Path("downloads"),
        help="a file of the output's name in this folder is verified and used instead of a "
        "download (default: downloads)",
    )
    parser.add_argument(
        "--offline",
        action="store_true",
        help="never touch the network; say which file to put where",
    )
    parser.add_argument(
        "--retries",
        type=byte_count,
        default=3,
        help="further attempts per address while nothing arrives (default: 3)",
    )
    parser.add_argument(
        "--backoff",
        type=float,
        default=1.0,
        help="seconds before the first retry; doubles with each (default: 1)",
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from bertsquad.artifacts.download import Request, download

    download(
        Request(
            urls=tuple(args.url),
            output=args.output,
            sha256=args.sha256,
            size=args.size,
            lock=args.lock,
            drop_folder=args.drop_folder,
            offline=args.offline,
            retries=args.retries,
            backoff_s=args.backoff,
        )
    )


if __name__ == "__main__":
    exit_with(main)
