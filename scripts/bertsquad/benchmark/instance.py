"""One instance of a layout: a process that loads the model once and serves by its lanes.

fleet.py starts it as `python -m bertsquad.benchmark.instance FD` and tells it what to do over that
socket: a dictionary first, then ("warm up", features, seconds), ("serve", folder, schedule) and,
once all lanes wait, the moment of the start; to end, nothing.
"""

from __future__ import annotations

import ctypes
import importlib
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

from bertsquad.distributed.worker import die_with_parent
from bertsquad.machine import torch_environment
from bertsquad.machine.binding import bind_memory
from bertsquad.machine.threads import Threads, bind

_PR_SET_TIMERSLACK = 29  # prctl(2), in ns; threads that are started later inherit it


def main() -> None:
    die_with_parent()
    if sys.platform == "linux":  # by default a sleep may take 50 us longer than it was asked for
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this one
    connection: Connection[Any, Any] = Connection(int(sys.argv[1]))
    job = connection.recv()
    torch_environment.keep_memory()
    reasons = [bind(Threads(len(job["cpus"]), tuple(job["cpus"]), ()))]
    if job["memory_nodes"]:
        reasons.append(bind_memory(job["memory_nodes"]))

    # After NumPy's threads are bound, and before any clock runs.
    from bertsquad.benchmark.instance_work import serve_by, warm_up
    from bertsquad.console.errors import UserError
    from bertsquad.machine.memory import proportional_memory_mib

    module, _, name = job["opener"].partition(":")
    try:
        works, facts = getattr(importlib.import_module(module), name)(job)
    except UserError as error:
        connection.send(("refused", error))
        return
    lanes = [ThreadPoolExecutor(1, f"lane {number}") for number in range(len(works))]
    not_bound = "; ".join(filter(None, reasons)) or None
    connection.send(("loaded", facts | {"not_bound": not_bound}))

    def ready() -> int:
        """All lanes wait: ask when to start."""
        connection.send(("ready", {}))
        return int(connection.recv())

    while True:
        try:
            what, *given = connection.recv()
        except EOFError:
            break
        if what == "warm up":
            done = warm_up(lanes, works, *given)
        else:
            folder, schedule = given
            done = serve_by(lanes, works, folder, schedule, ready)
        connection.send(("done", done | {"pss_mib": proportional_memory_mib()}))


if __name__ == "__main__":
    main()
