"""Options that several commands have, and types of options. The library itself takes values."""

import argparse
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

COMPLETING = "_ARGCOMPLETE"  # set by a shell that asks for completions


def command_parser(doc: str | None, **settings: Any) -> argparse.ArgumentParser:
    """The parser of a command whose help begins with its module's docstring, lines as they are.

    Options go by their full names: an abbreviation may become another option's.
    """
    return _Parser(
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        **settings,
    )


def add_machine_cells(parser: argparse.ArgumentParser) -> None:
    """`--cells MACHINE JSON`, once for each kind of machine of a plan."""
    parser.add_argument(
        "--cells",
        action="append",
        nargs=2,
        required=True,
        metavar=("MACHINE", "JSON"),
        help="a kind of machine, and its cells.json",
    )


def add_machines(parser: argparse.ArgumentParser, what: str) -> None:
    """`--machine JSON`, or `--kind NAME JSON` once for each kind of machine."""
    parser.add_argument("--machine", type=Path, metavar="JSON", help=f"machine.json: {what}")
    parser.add_argument(
        "--kind",
        action="append",
        nargs=2,
        default=[],
        metavar=("NAME", "JSON"),
        help="the same of each kind of machine, where there are several",
    )


def machine_files(args: argparse.Namespace) -> dict[str, Path]:
    """The files of `add_machines` by kind of machine; "" where there is one."""
    one = {"": args.machine} if args.machine is not None else {}
    return one | {name: Path(path) for name, path in args.kind}


class _Parser(argparse.ArgumentParser):
    """A parser that completes words where a shell asks for that (bertsquad completion)."""

    def parse_args(self, *arguments: Any, **named: Any) -> Any:
        if COMPLETING in os.environ:
            import argcomplete

            argcomplete.autocomplete(self)
        return super().parse_args(*arguments, **named)


def positive(text: str) -> int:
    """A whole number from 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def place(text: str) -> int | None:
    """A place in an order, from 1; None for 0, which is none."""
    return natural(text) or None


def natural(text: str) -> int:
    """A whole number from 0."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is not 0 or more")
    return number


def natural_number(text: str) -> float:
    """A number from 0."""
    number = float(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not 0 or more")
    return number


def positive_number(text: str) -> float:
    """A finite number above 0."""
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return number


def thread_count(text: str) -> str | int:
    """A number of threads, or `all`."""
    return "all" if text == "all" else positive(text)


def add_engine_options(parser: argparse.ArgumentParser, engines: Iterable[str]) -> None:
    """`--engine`, `--precision`, `--model` and `--quantized` of a command that runs a model, for
    `engines.load`; `engines` are the names that the help shows."""
    add = parser.add_argument
    add("--engine", required=True, help=f"what runs the model: {', '.join(engines)}")
    add("--precision", required=True, help="fp32, bf16 or int8, as far as the engine has it")
    add("--model", required=True, type=Path, metavar="DIR", help="folder with the fine-tuned model")
    add(
        "--quantized", type=Path, metavar="DIR", help="for int8: what quantize.py made of the model"
    )


def add_measured_threads(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """`--threads` and `--at-most` of a command that measures, for `machine.placement`."""
    parser.add_argument(
        "--threads",
        required=required,
        default=None if required else "all",
        type=thread_count,
        help="how many; `all`: one for each core of a socket, as far as this process may use them, "
        "within its CPU quota",
    )
    parser.add_argument(
        "--at-most", type=positive, metavar="N", help="`all` is no more than N threads"
    )


def add_pace(parser: argparse.ArgumentParser) -> None:
    """When a cell of the benchmark is measured: its place in the order, waiting for quiet."""
    add = parser.add_argument
    add(
        "--quiet-seconds",
        type=natural,
        default=0,
        help="wait at most so long for a quiet machine, and measure again once what was disturbed "
        "(default: 0, neither)",
    )
    add(
        "--patience",
        type=Path,
        metavar="JSON",
        help="what is left of --quiet-seconds in this hour, for all cells that share the file",
    )
    add("--first-try", metavar="JSON", help=argparse.SUPPRESS)  # by the command itself
    add("--order-seed", type=natural, metavar="N", help="the cell's file holds this of the")
    add("--place", type=place, metavar="N", help="random order in which the cells of a")
    add("--places", type=positive, metavar="N", help="repeat are measured: seed, place, of many")
