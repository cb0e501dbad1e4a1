"""A command that a rule called records what it really used: `x.record.json` beside its log.

Code is hashed before it is imported, inputs before they are read, outputs when they are whole. A
command that somebody calls by hand records nothing, and neither does one that fails or is killed.
A record that cannot be made or written costs a line in the log, never a result.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bertsquad.certificate.sheets import find_sheet, log_of_messages
from bertsquad.console.errors import UserError, note

if TYPE_CHECKING:
    from bertsquad.certificate.recorded_job import RecordedJob

# JSON of the process that records a job. Those that it starts do not, those that it becomes do.
CLAIM = "BERTSQUAD_RECORDING"
_LONGEST_ARGV = 50_000  # characters that the variable may hold; the system allows 131,072
_LONGEST_START_S = 30.0  # from a process's start to its first line here
_CLOCK_TICK_S = 0.02  # how far times of files lag behind

_Result = TypeVar("_Result")


@contextmanager
def recorded() -> Iterator[None]:
    """Record the job whose command this process runs in the block, once the block ends well: by
    itself or by exit status 0."""
    job = _attempt(_begin)
    try:
        yield
    except SystemExit as leaving:
        if not leaving.code and job is not None:
            _attempt(job.end)
        raise
    if job is not None:
        _attempt(job.end)


def _attempt(step: Callable[[], _Result]) -> _Result | None:
    try:
        return step()
    except Exception as error:
        said = str(error) if isinstance(error, UserError | OSError) else repr(error)
        note(f"what this step used is not recorded: {said}")
        return None


def _begin() -> "RecordedJob | None":
    path = find_sheet(log_of_messages())
    claim = _claim(path) if path is not None else None
    if path is None or claim is None:
        return None
    from bertsquad.certificate.recorded_job import RecordedJob

    return RecordedJob.begin(path, claim)


def _claim(sheet: Path) -> dict[str, Any] | None:
    """What is known of the job's start; None where another process records it."""
    held = json.loads(os.environ.get(CLAIM, "{}"))
    if held.get("sheet") == str(sheet):
        return held if held["process"] == os.getpid() else None
    started = datetime.now(UTC).isoformat(timespec="milliseconds")
    claim = {"process": os.getpid(), "sheet": str(sheet), "started": started}
    claim["began"] = _process_began()
    if sum(map(len, sys.argv)) < _LONGEST_ARGV:
        claim["argv"] = sys.argv
    os.environ[CLAIM] = json.dumps(claim)
    return claim


def _process_began() -> float:
    """When this process began, in seconds since 1970 as files have them.

    Its start in clock ticks since boot is field 22 of /proc/PID/stat (proc_pid_stat(5)).
    """
    try:
        text = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace")
        ticks = int(text.rpartition(")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, AttributeError):
        age = 0.0
    return time.time() - min(max(age, 0.0), _LONGEST_START_S) - _CLOCK_TICK_S
