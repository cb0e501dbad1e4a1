"""Progress for people: a bar on a terminal, a line now and then in a log file."""

import sys
import time
from types import TracebackType
from typing import Any, Self, TextIO

SECONDS_BETWEEN_LINES = 10.0


def progress_bar(total: int, *, what: str, unit: str, stream: TextIO | None = None) -> Any:
    """A context manager with `update(count)`: tqdm's bar on a terminal, plain lines elsewhere.

    `what` is the work ("logits"), `unit` what is counted ("features").
    """
    stream = stream or sys.stderr
    if stream.isatty():
        from tqdm import tqdm

        return tqdm(total=total, desc=what, unit=f" {unit}", file=stream, dynamic_ncols=True)
    return PlainProgress(total, what, unit, stream)


class PlainProgress:
    """`logits: 5000 of 10833 features (46 %), 83.2/s, 70 s left`, at most every ten seconds."""

    def __init__(self, total: int, what: str, unit: str, stream: TextIO) -> None:
        self.total, self.what, self.unit, self.stream = total, what, unit, stream
        self.done = 0
        self.started = self.last_line = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def update(self, count: int = 1) -> None:
        self.done += count
        now = time.monotonic()
        if now - self.last_line >= SECONDS_BETWEEN_LINES:
            self.last_line = now
            self.line(now)

    def line(self, now: float) -> None:
        rate = self.done / max(now - self.started, 1e-9)
        left = (
            f", {(self.total - self.done) / rate:.0f} s left" if 0 < self.done < self.total else ""
        )
        percent = 100 * self.done // max(self.total, 1)
        text = f"{self.what}: {self.done} of {self.total} {self.unit} ({percent} %), {rate:.1f}/s"
        print(text + left, file=self.stream, flush=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.line(time.monotonic())
