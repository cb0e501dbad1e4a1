"""How a container ended, in words."""

import signal

SIGNAL_STATUS = 128  # a shell reports death by signal n as 128 + n
_MIB = 1024 * 1024


def explain(status: int, *, out_of_memory: bool, memory_limit: int) -> str | None:
    """One line about an exit status that the step itself cannot have explained, or None.

    `memory_limit` in bytes, 0 for none. The rest is in the step's own output.
    """
    if status and out_of_memory:
        if memory_limit:
            return (
                f"out of memory: the container may use {memory_limit // _MIB} MiB; allow more "
                "(BERTSQUAD_DOCKER_MEMORY), or use a smaller batch size or token budget"
            )
        return (
            "out of memory: the machine has no more; use a smaller batch size or token budget, or "
            "fewer jobs at a time (--cores)"
        )
    if status in (SIGNAL_STATUS + signal.SIGKILL, SIGNAL_STATUS + signal.SIGTERM):
        name = signal.Signals(status - SIGNAL_STATUS).name
        return (
            f"the container was ended from outside by {name} (docker kill, docker stop, or the "
            "engine was shut down); run again, finished files are kept"
        )
    return None
