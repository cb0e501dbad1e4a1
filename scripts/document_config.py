"""Write the table of hyperparameters in config/README.md anew, from their definitions.

Example:
    python scripts/document_config.py config/README.md

`make format` calls it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import exit_with


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("readme", type=Path, metavar="FILE", help="rewritten where it differs")
    return parser.parse_args()


def main() -> None:
    from bertsquad.experiment.run_keys import with_table
    from bertsquad.files import write_text

    args = parse_args()
    found = args.readme.read_text(encoding="utf-8")
    if (wanted := with_table(found)) != found:
        write_text(args.readme, wanted)


if __name__ == "__main__":
    exit_with(main)
