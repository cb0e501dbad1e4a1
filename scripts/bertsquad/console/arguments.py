"""Options that several commands have, and types of options. The library itself takes values."""

import argparse
import math
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from bertsquad.console.errors import USAGE_STATUS, one_line
from bertsquad.console.suggestions import did_you_mean

COMPLETING = "_ARGCOMPLETE"  # set by a shell that asks for completions


def command_parser(doc: str | None, **settings: Any) -> argparse.ArgumentParser:
    """The parser of a command whose help begins with its module's docstring, lines as they are.

    Options go by their full names: an abbreviation may become another option's. Examples name the
    command as it was called: `python scripts/score.py`, or `bertsquad score`.
    """
    return _Parser(
        description=_as_called(doc or ""),
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


# A script that is called, and not one that is named in quotes or as an argument.
_CALLED = re.compile(r"(^ +|(?<=\s)python )scripts/(\w+)\.py", re.M)
_EXAMPLES = re.compile(r"^Examples?:\n((?: .*\n?)+)", re.M)
_LONGEST_EXAMPLE = 130  # characters; a longer one is left to --help


def _as_called(doc: str) -> str:
    """A docstring whose examples call verbs, where a verb was called."""
    if not os.path.basename(sys.argv[0]).startswith("bertsquad "):
        return doc
    return _CALLED.sub(
        lambda found: f"{found[1].removesuffix('python ')}bertsquad {found[2].replace('_', '-')}",
        doc,
    )


class _Parser(argparse.ArgumentParser):
    """A parser that says what was meant or is missing in one line, and completes words where a
    shell asks for that (bertsquad completion)."""

    _given: tuple[str, ...] = ()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        self._given = self._given or tuple(sys.argv[1:] if args is None else args)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Leave with one line in place of argparse's, behind all the options there are."""
        unknown = [name for name in map(_option, self._given_options()) if not self._has(name)]
        missing = message.partition("arguments are required: ")[2]
        choice = re.search(r"^(.*invalid choice: '(.*?)') \(choose from (.*)\)$", message)
        if unknown:
            said = f"no option {unknown[0]}; {did_you_mean(unknown[0], self._options())}"
        elif missing:
            said = f"missing: {missing}{self._example()}"
        elif choice:
            known = re.findall("'(.*?)'", choice[3])
            said = f"{choice[1]}; {did_you_mean(choice[2], known)}"
        else:
            said = message
        line = one_line(f"{self.prog}: error: {said}; {self.prog} --help says more")
        self.exit(USAGE_STATUS, f"{line}\n")

    def _given_options(self) -> list[str]:
        """The words that argparse takes for options, before a `--` alone."""
        words = self._given
        words = words[: words.index("--")] if "--" in words else words
        return [word for word in words if re.match(r"--?[A-Za-z]", word) and " " not in word]

    def _options(self) -> list[str]:
        named = {name for action in self._actions for name in action.option_strings}
        return [name for name in named if name.startswith("--")]

    def _has(self, name: str) -> bool:
        short = [name[:2]] if not name.startswith("--") else []  # -n3 is -n 3
        names = {known for action in self._actions for known in action.option_strings}
        return bool(names.intersection([name, *short]))

    def _example(self) -> str:
        """The first of the docstring's examples, or nothing where it is long."""
        found = _EXAMPLES.search(self.description or "")
        call = re.sub(r"\\\n *", "", found[1]).splitlines()[0] if found else ""
        call = " ".join(call.partition("  #")[0].split())
        return f"; as in: {call}" if 0 < len(call) <= _LONGEST_EXAMPLE else ""

    def parse_args(self, *arguments: Any, **named: Any) -> Any:
        if COMPLETING in os.environ:
            import argcomplete

            argcomplete.autocomplete(self)
        return super().parse_args(*arguments, **named)


def _option(word: str) -> str:
    """The name of `--name=value`."""
    return word.partition("=")[0]


def _whole(text: str, least: int) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number; expected a whole number from {least}"
        ) from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def finite_number(text: str) -> float:
    """A number that is neither infinite nor NaN."""
    number = _number(text)
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text} is not a finite number")
    return number


def whole_number(text: str) -> int:
    """A whole number, negative or not."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def positive(text: str) -> int:
    """A whole number from 1."""
    number = _whole(text, 1)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def place(text: str) -> int | None:
    """A place in an order, from 1; None for 0, which is none."""
    return natural(text) or None


def natural(text: str) -> int:
    """A whole number from 0."""
    number = _whole(text, 0)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is not 0 or more")
    return number


def natural_number(text: str) -> float:
    """A number from 0."""
    number = _number(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not 0 or more")
    return number


def positive_number(text: str) -> float:
    """A finite number above 0."""
    number = _number(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return number


def thread_count(text: str) -> str | int:
    """A number of threads, or `all`."""
    try:
        return "all" if text == "all" else positive(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}, or all") from None


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
