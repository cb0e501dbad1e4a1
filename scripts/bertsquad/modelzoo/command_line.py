"""Parse a command line of the launcher as its argparse does, and write one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from bertsquad.console.errors import UserError
from bertsquad.modelzoo.options import BY_NAME, Option, normalised

LAUNCHER = "launch_benchmark.py"
ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)

Value = str | int | bool | list[str]


@dataclass(frozen=True)
class CommandLine:
    """One call of launch_benchmark.py."""

    launcher: str  # path of launch_benchmark.py
    python: str = "python3"
    prefix: tuple[str, ...] = ()  # words before Python: numactl and its options
    environment: Mapping[str, str] = field(default_factory=dict)  # leading NAME=value words
    options: Mapping[str, Value] = field(default_factory=dict)  # those given, key -> value
    arguments: tuple[str, ...] = ()  # model arguments and unknown options, as typed

    @property
    def mode(self) -> str:
        """`training`, `inference`, or whatever else was given."""
        return str(self.options.get("mode", ""))

    @property
    def benchmarks(self) -> PurePosixPath:
        """The folder that holds the launcher."""
        return PurePosixPath(self.launcher).parent

    def given(self, key: str, default: Value | None = None) -> Value | None:
        """The value of an option, or `default` if it was not given."""
        return self.options.get(key, default)

    def number(self, key: str, default: int) -> int:
        """The value of an option that is a whole number, or `default` if it was not given."""
        value = self.options.get(key, default)
        assert not isinstance(value, list), key
        return int(value)

    def values(self) -> dict[str, str]:
        """Model arguments by the name under which the launcher exports them.

        Of `a=b=c` it keeps `b`; of two arguments with one name it keeps the last. An argument
        without `=`, which stops the launcher, is left out.
        """
        pairs = [argument.split("=") for argument in self.arguments if "=" in argument]
        return {normalised(name): rest[0] for name, *rest in pairs}


def parse(words: Sequence[str]) -> CommandLine:
    """Parse the words of a command line.

    Raises `UserError` where argparse would stop with status 2, and if no word ends in
    launch_benchmark.py.
    """
    places = [place for place, word in enumerate(words) if word.endswith(LAUNCHER)]
    if not places:
        raise UserError(f"not a call of {LAUNCHER}: {' '.join(words)}")
    before, after = list(words[: places[0]]), list(words[places[0] + 1 :])
    environment = {}
    while before and (match := ASSIGNMENT.fullmatch(before[0])):
        environment[match[1]] = match[2]
        before.pop(0)
    options, arguments = parse_options(after)
    return CommandLine(
        launcher=words[places[0]],
        python=before.pop() if before else "",
        prefix=tuple(before),
        environment=environment,
        options=options,
        arguments=tuple(arguments),
    )


def parse_options(words: Sequence[str]) -> tuple[dict[str, Value], list[str]]:
    """The options that were given, by key, and the words that become model arguments."""
    options: dict[str, Value] = {}
    arguments: list[str] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            arguments += waiting
            break
        name, equals, value = word.partition("=")
        option = find(name)
        if option is None:
            arguments.append(word)
        elif option.kind == "flag":
            if equals:
                raise UserError(f"{name}: takes no value; found {value!r}")
            options[option.key] = True
        else:
            if not equals and not waiting:
                raise UserError(f"{name}: expected a value after it")
            text = value if equals else waiting.pop(0)
            if option.kind == "list":
                earlier = options.get(option.key)
                options[option.key] = [*(earlier if isinstance(earlier, list) else []), text]
            else:
                options[option.key] = whole(name, text) if option.kind == "whole" else text
    return options, arguments


def find(name: str) -> Option | None:
    """The option with this name, or the only one whose name begins so (argparse allows both)."""
    if name in BY_NAME:
        return BY_NAME[name]
    if not name.startswith("--"):
        return None
    near = {id(option): option for known, option in BY_NAME.items() if known.startswith(name)}
    if len(near) > 1:
        raise UserError(f"{name}: stands for several options of {LAUNCHER}; write it out")
    return next(iter(near.values()), None)


def whole(name: str, text: str) -> int:
    """The whole number in a text; `UserError` names the option."""
    try:
        return int(text)
    except ValueError:
        raise UserError(f"{name}: found {text!r}, expected a whole number") from None


def words_of(line: CommandLine, order: Sequence[str] = ()) -> list[str]:
    """The words of a command line, without its NAME=value words (they are the environment).

    `order` lists options in the form in which they are written: "--batch-size=" is one word,
    "--checkpoint " two words, a flag its name. Options that are not listed follow, one word each.
    """
    words = [*line.prefix, line.python, line.launcher]
    written = set()
    for form in [*order, *(f"{option.names[0]}=" for option in BY_NAME.values())]:
        option = BY_NAME[form.rstrip("= ")]
        if option.key in written or option.key not in line.options:
            continue
        written.add(option.key)
        words += option_words(option, line.options[option.key], separate=form.endswith(" "))
    return [*words, *(["--", *line.arguments] if line.arguments else [])]


def option_words(option: Option, value: Value, *, separate: bool) -> list[str]:
    """The words of one option: name and value as two words if `separate`, else as one."""
    name = option.names[0]
    if option.kind == "flag":
        return [name] if value else []
    values = value if isinstance(value, list) else [value]
    return [
        word for each in values for word in ([name, str(each)] if separate else [f"{name}={each}"])
    ]
