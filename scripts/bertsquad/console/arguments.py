"""Options that several commands have, and types of options. The library itself takes values."""

import argparse
from typing import Any


def command_parser(doc: str | None, **settings: Any) -> argparse.ArgumentParser:
    """The parser of a command whose help begins with its module's docstring, lines as they are.

    Options go by their full names: an abbreviation may become another option's.
    """
    return argparse.ArgumentParser(
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        **settings,
    )


def positive(text: str) -> int:
    """A whole number from 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def natural(text: str) -> int:
    """A whole number from 0."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is not 0 or more")
    return number


def thread_count(text: str) -> str | int:
    """A number of threads, or `all`."""
    return "all" if text == "all" else positive(text)


def add_measured_threads(parser: argparse.ArgumentParser) -> None:
    """`--threads` and `--at-most` of a command that measures, for `machine.placement`."""
    parser.add_argument(
        "--threads",
        required=True,
        type=thread_count,
        help="how many; `all`: one for each core of a socket, as far as this process may use them, "
        "within its CPU quota",
    )
    parser.add_argument(
        "--at-most", type=positive, metavar="N", help="`all` is no more than N threads"
    )
