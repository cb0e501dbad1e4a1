"""How far a training is, for people."""

import time
from collections import deque
from typing import Any, Self, TextIO

from bertsquad.console.progress import Progress

_AVERAGED_STEPS = 20  # a single step's loss says little


class TrainingProgress:
    """A context manager; call it with every line of training_log.jsonl.

    `training: 120 of 7299 steps (1 %), 0.6/s, 3 h 12 min left; loss 2.345, 1520 tokens/s`; the loss
    is the mean of the last _AVERAGED_STEPS steps, speed and time left are those of this process.
    """

    def __init__(self, total_steps: int, stream: TextIO | None = None) -> None:
        self.total_steps = total_steps
        self.stream = stream
        self.losses: deque[float] = deque(maxlen=_AVERAGED_STEPS)
        self.tokens = 0  # of this process
        self.started = time.monotonic()
        self.progress: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self.progress is not None:
            self.progress.__exit__(*error)

    def __call__(self, line: dict[str, Any]) -> None:
        if self.progress is None:  # only now it is known where a resumed training goes on
            self.progress = Progress(
                self.total_steps,
                what="training",
                unit="steps",
                done=line["step"] - 1,
                stream=self.stream,
            )
            self.progress.started = self.progress.last_line = self.started
        self.losses.append(line["loss"])
        self.tokens += line["tokens"]
        loss = sum(self.losses) / len(self.losses)
        speed = self.tokens / max(time.monotonic() - self.started, 1e-9)
        self.progress.update(1, f"loss {loss:.3f}, {speed:.0f} tokens/s")
