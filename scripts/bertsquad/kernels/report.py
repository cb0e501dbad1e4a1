"""The kernels' status without PyTorch in the asking process: for the doctor and machine.json."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bertsquad.machine.reading import unavailable

TIMEOUT_S = 300  # five kernels compiled and tested one after the other, on a busy machine


def status_of_a_child() -> dict[str, Any]:
    """`Status` as a dictionary, or `unavailable` with what Python said."""
    command = [sys.executable, "-m", "bertsquad.kernels.status"]
    folder = Path(__file__).parents[2]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found
    except (OSError, subprocess.SubprocessError) as error:
        return unavailable(str(error))
    except ValueError:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        return unavailable(lines[-1])
