"""What failed jobs said, for those whose call of Snakemake is quiet: `make run` shows no jobs."""

import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from bertsquad.console.errors import one_line

# As Snakemake writes it in its own log, quiet or not. A rule's command ends with its log's path.
_FAILED = re.compile(r"^Command '(.*)' returned non-zero exit status \d+", re.M)


def failures(logs: Iterable[Path]) -> Iterator[str]:
    """A line for each failed job in Snakemake's logs: what its own log ends with, and where that
    is. A job that was tried again counts once."""
    seen = set()
    for command in (found for log in logs for found in _FAILED.findall(_text(log))):
        try:
            its_log = shlex.split(command)[-1]
        except (ValueError, IndexError):
            continue
        if its_log not in seen:
            seen.add(its_log)
            said = last_words(Path(its_log)) or "it said nothing"
            yield f"a step failed: {one_line(said)} ({its_log})"


def last_words(log: Path) -> str:
    """The last error that a command wrote into its log, else the last line: of a bug's traceback
    that is what went wrong."""
    lines = [line for line in _text(log).splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"\w+\.py: error: ", line)]
    return (errors or lines or [""])[-1]


def _text(path: Path) -> str:
    """What the file holds; nothing where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
