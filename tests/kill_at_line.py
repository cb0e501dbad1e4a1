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
from pathlib import Path
from types import FrameType

SCRIPTS = str(Path(__file__).resolve().parents[1] / "scripts")


def main() -> None:
    fatal, count_file = int(sys.argv[1]), Path(sys.argv[2])
    del sys.argv[:3]
    sys.path.insert(0, SCRIPTS)
    count = 0

    def on_line(_frame: FrameType, event: str, _argument: object) -> object:
        nonlocal count
        if event == "line":
            count += 1
            if count == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
        return on_line

    def on_call(frame: FrameType, _event: str, _argument: object) -> object:
        return on_line if frame.f_code.co_filename.startswith(SCRIPTS) else None

    sys.settrace(on_call)
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    finally:
        sys.settrace(None)
        if not fatal:
            count_file.write_text(str(count))


if __name__ == "__main__":
    main()
