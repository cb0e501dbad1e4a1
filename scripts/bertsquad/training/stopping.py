"""A training that is asked to stop leaves between two steps, so that its state can be saved.

Batch systems send SIGTERM, or a signal of the user's choice such as SIGUSR1, some time before they
kill a job (Slurm: scancel, --signal); Ctrl-C sends SIGINT. A step may take longer than that time.
So it is given up, not finished: until weights are updated nothing has changed, and the same step is
done again later.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
_SIGNAL_STATUS = 128  # and the signal's number: a shell's status for a command that it ended


class Stopped(BaseException):
    """A signal asks this process to end. No `Exception`, so that nothing takes it for a failure."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.name = signal.Signals(number).name
        self.status = _SIGNAL_STATUS + number
        self.steps = 0  # that are done and saved


class Stopping:
    """Within its block the first of SIGNALS raises `Stopped`; further ones do nothing.

    What the caller has this process ignore stays ignored. Does nothing unless `active`, or outside
    the main thread, which alone hears signals.
    """

    def __init__(self, *, active: bool = True) -> None:
        self._active = active and threading.current_thread() is threading.main_thread()
        self._before: dict[int, Any] = {}
        self._asked: int | None = None
        self._held = False

    def __enter__(self) -> Self:
        for number in SIGNALS if self._active else ():
            if signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Do all of the block, and only then raise `Stopped` where it was asked for."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        self.look()

    def look(self) -> None:
        """Raise `Stopped` where it was asked for: library code may have swallowed the first."""
        if self._asked is not None:
            raise Stopped(self._asked)

    def _hear(self, number: int, _: FrameType | None) -> None:
        if self._asked is None:
            self._asked = number
            if not self._held:
                raise Stopped(number)
