"""Verify a crate that make_crate.py wrote, and unpack it if asked: a zip archive, or its folder.

Every file against the manifest, the certificate against files, the chain, every step's inputs
against what earlier steps made, scores computed again from predictions and questions. Exit status 0
and a line for each where all is well, 2 and one line where not. Nothing in the crate is run.

Example:
    python scripts/verify_crate.py bertsquad-619ed8b3c2aa-3f9c01ab.zip --scores --unpack crate
"""

import argparse
from pathlib import Path

from bertsquad.console.arguments import command_parser, positive
from bertsquad.console.errors import UserError, exit_with, shown

DEFAULT_MAX_SIZE = 16 * 10**9  # as in bertsquad.artifacts.archive, which --help must not import


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add(
        "crate", type=Path, metavar="CRATE", help="bertsquad-*.zip, or the folder it is unpacked in"
    )
    add("--unpack", type=Path, metavar="DIR", help="unpack it there, once verified; a new folder")
    add(
        "--scores",
        action="store_true",
        help="scores that cannot be computed again are an error, not a remark",
    )
    add(
        "--dataset",
        type=Path,
        action="append",
        default=[],
        metavar="JSON",
        help="questions that the crate names and lacks; may be given more than once",
    )
    add(
        "--max-size",
        type=positive,
        default=DEFAULT_MAX_SIZE,
        metavar="BYTES",
        help="all that an archive may unpack to (default: 16 GB)",
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from bertsquad.certificate import bag
    from bertsquad.certificate.crate.fixed_zip import check_headers
    from bertsquad.certificate.holding import FolderHolding, check_empty, opened_zip, unpack
    from bertsquad.certificate.verify import verify

    if args.crate.is_dir():
        if args.unpack:
            raise UserError(f"{args.crate}: a folder already; --unpack is for archives")
        held = FolderHolding(args.crate, bag.PARTS)
        lines = verify(held, datasets=args.dataset, scores=args.scores)
    else:
        if args.unpack:
            check_empty(args.unpack)
        with opened_zip(args.crate, max_size=args.max_size) as archive:
            lines = verify(archive, datasets=args.dataset, scores=args.scores)
            check_headers(args.crate, archive.opened)
            if args.unpack:
                unpack(archive, args.unpack)
                lines.append(f"unpacked into {args.unpack}")
    for line in [*lines, f"{args.crate}: verified"]:
        print(shown(line))


if __name__ == "__main__":
    exit_with(main)
