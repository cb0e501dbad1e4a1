"""Unpack what the launcher needs of a Model Zoo archive: bert_large and what is common.

Example:
    python scripts/unpack_modelzoo.py --archive downloads/models-1.6.1.zip --output modelzoo
"""

import argparse
import sys
import zipfile
from pathlib import Path

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import UserError, exit_with

# Below the archive's one folder: the launcher and its parts, and the scripts it starts.
WANTED = (
    "benchmarks/launch_benchmark.py",
    "benchmarks/common/",
    "benchmarks/language_modeling/__init__.py",
    "benchmarks/language_modeling/tensorflow/__init__.py",
    "benchmarks/language_modeling/tensorflow/bert_large/",
    "models/common/tensorflow/",
    "models/language_modeling/tensorflow/bert_large/",
    "LICENSE",
)
LAUNCHER = "benchmarks/launch_benchmark.py"


def wanted(names: list[str]) -> dict[str, str]:
    """member -> its path below the archive's one folder, the launcher last: it stands for all."""
    paths = {name: name.partition("/")[2] for name in names if not name.endswith("/")}
    kept = {name: path for name, path in paths.items() if path.startswith(WANTED)}
    return dict(sorted(kept.items(), key=lambda item: item[1] == LAUNCHER))


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--archive", type=Path, required=True, help="the zip that GitHub makes")
    parser.add_argument("--output", type=Path, required=True, help="folder for its content")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from bertsquad.artifacts.archive import BROKEN, damaged, extract_member

    try:
        with zipfile.ZipFile(args.archive) as archive:
            members = wanted(archive.namelist())
    except BROKEN as error:
        raise damaged(args.archive, str(error)) from error
    if LAUNCHER not in members.values():
        raise UserError(f"{args.archive}: no {LAUNCHER}; expected what GitHub packs")
    for member, path in members.items():
        extract_member(args.archive, member, args.output / path)
    print(f"{args.output}: {len(members)} files", file=sys.stderr)


if __name__ == "__main__":
    exit_with(main)
