"""Progress for people: a bar on a terminal, a line now and then in a log file."""

import sys
import time
from typing import Any, Self, TextIO

from bertsquad.console.errors import LongUserError, note
from bertsquad.console.quantities import duration, readable_bytes

_SECONDS_BETWEEN_LINES = 5.0  # in a log file a bar would be thousands of lines


def say(message: str) -> None:
    """One line to stderr; long enough for an address and a checksum beside a path."""
    note(message, LongUserError.longest)


class Progress:
    """A context manager; `update(count, note)` counts. tqdm's bar on a terminal, else lines like

    `logits: 5000 of 10833 features (46 %), 83.2/s, 1 min 10 s left`.

    `total` is None where it is unknown; `done` was done before, and does not count for the speed;
    `unit` "B" is written as kB, MB and GB. `note` is shown behind the numbers.
    """

    def __init__(
        self,
        total: int | None,
        *,
        what: str,
        unit: str,
        done: int = 0,
        stream: TextIO | None = None,
    ) -> None:
        self.total, self.what, self.unit = total, what, unit
        self.done = self.done_before = self.printed = done
        self.stream = stream or sys.stderr
        self.note = ""
        self.started = self.last_line = time.monotonic()
        self.bar: Any = None
        if self.stream.isatty():
            from tqdm import tqdm

            self.bar = tqdm(
                total=total,
                initial=done,
                desc=what,
                unit="B" if unit == "B" else f" {unit}",
                unit_scale=unit == "B",
                file=self.stream,
                dynamic_ncols=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()
        # A transfer closes with a line of its own.
        elif kind is None and self.done != self.printed and self.unit != "B":
            self.print_line(time.monotonic())

    def update(self, count: int = 1, note: str = "") -> None:
        """Count `count` more."""
        self.done += count
        self.note = note
        if self.bar is not None:
            if note:
                self.bar.set_postfix_str(note, refresh=False)
            self.bar.update(count)
            return
        now = time.monotonic()
        if now - self.last_line >= _SECONDS_BETWEEN_LINES:
            self.last_line = now
            self.print_line(now)

    def print_line(self, now: float) -> None:
        self.printed = self.done
        rate = (self.done - self.done_before) / max(now - self.started, 1e-9)
        if self.unit == "B":
            count, speed = readable_bytes(self.done), f"{readable_bytes(rate)}/s"
            total = readable_bytes(self.total) if self.total else ""
        else:
            count, speed = str(self.done), f"{rate:.1f}/s"
            total = f"{self.total} {self.unit}"
        share = f" of {total} ({100 * self.done // self.total} %)" if self.total else ""
        left = ""
        if self.total and self.done < self.total and rate > 0:
            left = f", {duration(round((self.total - self.done) / rate))} left"
        note = f"; {self.note}" if self.note else ""
        print(f"{self.what}: {count}{share}, {speed}{left}{note}", file=self.stream, flush=True)
