"""Run a command and kill it by SIGKILL at one line of the project's code; or count its lines.

    python tests/kill_at_line.py LINE COUNT_FILE SCRIPT OPTION...

At the line number LINE that it runs, counted from its start, it dies as if the power failed: no
handler, no tidying up. With LINE 0 it runs to its end and writes the number of lines to COUNT_FILE.
So the moment of a kill is a number that can be drawn from a seed, however busy the machine is.
"""

import os
import runpy
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

SCRIPTS = str(Path(__file__).resolve().parents[1] / "scripts")


def main() -> None:
    fatal, count_file = int(sys.argv[1]), Path(sys.argv[2])
    del sys.argv[:3]
    sys.path.insert(0, SCRIPTS)
    with counted_lines(SCRIPTS, fatal) as lines:
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        finally:
            if not fatal:
                count_file.write_text(str(lines[0]))


@contextmanager
def counted_lines(watched: str, fatal: int | None) -> Iterator[list[int]]:
    """Count the lines of files below `watched` that the block runs, in a list of one number; die
    before the `fatal`-th."""
    lines = [0]

    def on_line(_frame: FrameType, event: str, _argument: object) -> object:
        if event == "line":
            lines[0] += 1
            if lines[0] == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
        return on_line

    def on_call(frame: FrameType, _event: str, _argument: object) -> object:
        return on_line if frame.f_code.co_filename.startswith(watched) else None

    sys.settrace(on_call)
    try:
        yield lines
    finally:
        sys.settrace(None)


if __name__ == "__main__":
    main()
