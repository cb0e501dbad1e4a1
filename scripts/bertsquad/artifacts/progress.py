"""Show how a long transfer goes: a bar on a terminal, now and then a line in a log."""

import sys
import time
from typing import Self

LINE_EVERY_S = 10.0  # in a log file, a bar would be thousands of lines


def say(message: str) -> None:
    """One line to stderr."""
    print(message, file=sys.stderr, flush=True)


def readable_bytes(count: int) -> str:
    """`1.25 GB`, `30.3 MB`, `3.4 kB`, `17 bytes`: decimal units, as on the web."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            number = count / factor
            return f"{number:.3g} {unit}" if number < 999.5 else f"{number:,.0f} {unit}"
    return f"{count} bytes"


class Progress:
    """Counts bytes of `total` (None: unknown), starting at `done`."""

    def __init__(self, label: str, total: int | None, done: int = 0) -> None:
        self.label, self.total, self.done = label, total, done
        self.started_at = self.spoke_at = time.monotonic()
        self.started_with = done
        self.bar = None
        if sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(
                desc=label, total=total, initial=done, unit="B", unit_scale=True, dynamic_ncols=True
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def advance(self, count: int) -> None:
        """Count `count` more bytes."""
        self.done += count
        if self.bar is not None:
            self.bar.update(count)
            return
        now = time.monotonic()
        if now - self.spoke_at >= LINE_EVERY_S:
            self.spoke_at = now
            rate = (self.done - self.started_with) / (now - self.started_at)
            share = ""
            if self.total:
                share = f" of {readable_bytes(self.total)} ({self.done / self.total:.0%})"
            say(f"{self.label}: {readable_bytes(self.done)}{share}, {readable_bytes(int(rate))}/s")
