"""Fetch a model's folder from a hub: config.json, vocabulary, weights, single or in several files.

Example:
    python scripts/fetch_model.py --hub deepset/bert-base-cased-squad2 --output models/squad2

An interrupted transfer is continued by the next call; fetched.json, written last, lists the files.
"""

import argparse
import sys
from pathlib import Path

from bertsquad.artifacts.locations import HUB
from bertsquad.console.arguments import command_parser, natural
from bertsquad.console.errors import exit_with


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("--hub", required=True, metavar="ORG/NAME", help="the model's name there")
    add("--revision", default="main", help="branch, tag or commit (%(default)s)")
    add("--address", default=HUB, metavar="URL", help="of the hub or a mirror (%(default)s)")
    add("--output", required=True, type=Path, metavar="DIR", help="folder for the files")
    add("--lock", type=Path, help="JSON file that remembers checksums; later fetches must match")
    add(
        "--drop-folder",
        type=Path,
        metavar="DIR",
        help="files in this folder are used instead of a transfer",
    )
    add("--offline", action="store_true", help="never touch the network; say what is missing")
    add("--retries", type=natural, default=3, help="while nothing arrives (default: 3)")
    add("--backoff", type=float, default=1.0, help="seconds before the first retry (default: 1)")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from bertsquad.artifacts.hub import HubModel, fetch

    model = HubModel(
        hub=args.hub,
        revision=args.revision,
        address=args.address,
        lock=args.lock,
        drop_folder=args.drop_folder,
        offline=args.offline,
        retries=args.retries,
        backoff_s=args.backoff,
    )
    files = fetch(model, args.output)
    print(f"{args.output}: {args.hub} at {args.revision}, {len(files)} files", file=sys.stderr)


if __name__ == "__main__":
    exit_with(main)
