"""Run the workflow, or a part of it, by Snakemake: everything, a rule, a file; in any order.

Examples:
    bertsquad run --configfile config/minilm.yaml
    bertsquad run --configfile my.yaml report --dry-run
    bertsquad run accuracy -- --forcerun evaluate --keep-going

It prints the call of Snakemake that it makes. In that one targets come before --configfile, which
takes all words behind it. What stands behind -- is passed on.
"""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import UserError, exit_with

SNAKEFILE = Path(__file__).resolve().parent.parent / "Snakefile"


def parse_args() -> tuple[argparse.Namespace, list[str]]:
    """The options, and what is passed on as it is."""
    parser = command_parser(__doc__, usage="%(prog)s [TARGET ...] [options] [-- OPTIONS]")
    add = parser.add_argument
    add("targets", nargs="*", metavar="TARGET", help="a rule or a file; default: everything")
    add("--configfile", type=Path, action="append", default=[], metavar="YAML")
    add("--config", action="append", default=[], metavar="KEY=VALUE", help="a key of its own value")
    add("--cores", default="all", help="how many at once (default: all)")
    add(
        *("-n", "--dry-run"),
        action="store_true",
        help="only say what would run, a line a rule, and how long it would take",
    )
    given = sys.argv[1:]
    end = given.index("--") if "--" in given else len(given)
    return parser.parse_intermixed_args(given[:end]), given[end + 1 :]


def call(args: argparse.Namespace, more: Sequence[str]) -> list[str]:
    """Snakemake's options, in an order that it understands."""
    words = [*args.targets, "--cores", args.cores]
    if SNAKEFILE.parent != Path.cwd():
        words += ["--snakefile", str(SNAKEFILE)]
    words += ["--dry-run"] if args.dry_run else []
    words += ["--quiet", "host", "reason", "rules"]  # as `make run`; of a dry run a table of rules
    for name, values in (("--configfile", args.configfile), ("--config", args.config)):
        words += [name, *map(str, values)] if values else []
    return [*words, *more]


def main() -> None:
    args, more = parse_args()
    from importlib.util import find_spec

    for path in args.configfile:
        if not path.is_file():
            raise UserError(f"{path}: no such file; expected a configuration, as in config/")
    if find_spec("snakemake") is None:
        raise UserError("Snakemake is not installed; `make install` or pip install '.[workflow]'")
    words = call(args, more)
    print(shlex.join(["snakemake", *words]), file=sys.stderr, flush=True)
    os.execv(sys.executable, [sys.executable, "-m", "snakemake", *words])


if __name__ == "__main__":
    exit_with(main)
