"""torchrun on one host: runs this host's processes, and reports in one line why they ended.

Started by supervisor.py as
`python -m bertsquad.distributed.agent REPORT_FD HOST TORCHRUN_OPTIONS... -- COMMAND...`.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from bertsquad.console.errors import USAGE_STATUS
from bertsquad.distributed.worker import LOST_CONTACT_STATUS, die_with_parent

# For a process to end when asked to: time to save the state, 4 GB for BERT-Large. With the 10 s
# until a lost host is noticed that is within the 30 s promised to users, and those that Slurm
# leaves a job (KillWait).
TERMINATION_TIMEOUT_S = 12

GO_ON = "all processes have been ended; the same command goes on from the last saved state"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the processes of a host ended: an exit status, and a message not yet printed."""

    status: int
    message: str = ""


def verdict(failures: Iterable[tuple[int, int]], host: str = "") -> Verdict:
    """The verdict for the (rank, exit status) of every process that failed.

    Ranks are counted from 0 over all hosts.

    One that was ended because of another, or lost contact with another, is never the reason where
    there is a better one. A negative status is a signal's.
    """
    consequences = [LOST_CONTACT_STATUS, -signal.SIGTERM]
    rank, status = min(
        failures, key=lambda failure: (failure[1] in consequences, failure[1] == -signal.SIGTERM)
    )
    process = f"process {rank}{f' on host {host}' if host else ''}"
    if status == USAGE_STATUS:
        return Verdict(status)  # the process has said why
    if status == LOST_CONTACT_STATUS:
        return Verdict(1, f"{process} lost contact with the others; {GO_ON}")
    if status < 0:
        name = signal.Signals(-status).name
        memory = ", as the kernel does where memory runs out" if name == "SIGKILL" else ""
        return Verdict(1, f"{process} was killed ({name}{memory}); {GO_ON}")
    return Verdict(status, f"{process} ended with status {status}; {GO_ON}")


def main() -> None:
    die_with_parent()
    report, host, *arguments = sys.argv[1:]
    end = arguments.index("--")
    options, command = arguments[:end], arguments[end + 1 :]
    from torch.distributed.elastic.multiprocessing.api import PContext, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import parse_args, run

    # When one process is lost, torchrun gives a hanging other one 30 seconds to end, and only then
    # reports the loss.
    PContext.close.__defaults__ = (None, TERMINATION_TIMEOUT_S)
    logging.disable(logging.CRITICAL)  # a page of text for every process that ends
    # Options of the command are kept apart: some would pass for abbreviations of torchrun's.
    parsed = parse_args([f"--log-dir={os.devnull}", *options, command[0]])
    parsed.training_script_args = command[1:]
    try:
        run(parsed)
    except SignalException as stopped:
        sys.exit(128 + stopped.sigval)
    except ChildFailedError as error:
        found = verdict(((r, f.exitcode) for r, f in error.failures.items()), host)
        line = json.dumps({"status": found.status, "message": found.message})
        os.write(int(report), line.encode())
        sys.exit(1)


if __name__ == "__main__":
    main()
