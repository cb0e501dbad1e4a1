"""Show a call of the launcher to a reader: its command line, the processes, the findings."""

import shlex
from collections.abc import Mapping, Sequence

from bertsquad.console.errors import UserError
from bertsquad.modelzoo import settings
from bertsquad.modelzoo.checks.table import Finding
from bertsquad.modelzoo.command_line import CommandLine
from bertsquad.modelzoo.launcher import Machine, launched

WIDTH = 78


def explain(
    name: str, line: CommandLine, machine: Machine, findings: Sequence[Finding], *, image: str = ""
) -> str:
    """Text with the launcher's command line, the command that runs in the end, and the findings."""
    parts = [f"# {name}" + (f", in the image {image}" if image else ", on this machine")]
    parts += ["", "# The launcher's command line"]
    given = {"PYTHONPATH": f"$PYTHONPATH:{line.benchmarks}", **line.environment}
    parts += [f"export {key}={quoted(value)}" for key, value in given.items()]
    parts += [wrapped(settings.words(line)), "", "# What it runs in the end"]
    try:
        done = launched(line, machine)
    except (UserError, ValueError) as error:
        parts.append(f"# nothing: {error}")
    else:
        argv = [*done.prefix, *done.argv]
        parts += [variables(done.environment) + wrapped(argv), ""]
    parts += [f"# {finding}" for finding in findings]
    return "\n".join(parts).rstrip() + "\n"


def variables(environment: Mapping[str, str]) -> str:
    """NAME=value before a command, one a line."""
    return "".join(f"{name}={quoted(value)} \\\n" for name, value in environment.items())


def quoted(text: object) -> str:
    """The text quoted for a shell, except that `$PYTHONPATH` is expanded."""
    text = str(text)
    return f'"{text}"' if text.startswith("$PYTHONPATH") else shlex.quote(text)


def wrapped(words: Sequence[str]) -> str:
    """A command on short lines that can be pasted into a shell."""
    lines, current = [], ""
    for word in map(shlex.quote, words):
        starts = word.startswith("--") or "=" in word
        full = starts and len(current) + len(word) > WIDTH
        if current and (full or word == ":"):  # a new line for each MPI rank
            lines.append(current)
            current = ""
        current = f"{current} {word}".strip()
    lines.append(current)
    return " \\\n  ".join(lines)
