"""An engine, features and a clock whose times are known, to measure the measurement."""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class FakeClock:
    """Nanoseconds that pass only when somebody says so."""

    now: int = 0

    def __call__(self) -> int:
        return self.now

    def pass_ms(self, milliseconds: float) -> None:
        self.now += round(milliseconds * 1e6)


@dataclass
class FakeFeatures:
    """Features of these lengths; packing takes 1 ms."""

    lengths: np.ndarray
    clock: FakeClock
    max_seq_length: int = 384

    def packed(self, indices):
        self.clock.pass_ms(1)
        return ("packed", indices.tolist())

    def padded(self, indices):
        self.clock.pass_ms(1)
        return ("padded", indices.tolist(), None)


@dataclass
class FakeEngine:
    """Takes 10 ms for each feature, 100 ms more for the first batch; remembers what it ran."""

    clock: FakeClock
    calls: list = field(default_factory=list)

    def run(self, batch):
        form, indices = batch
        self.clock.pass_ms(10 * len(indices) + (0 if self.calls else 100))
        self.calls.append((form, indices))
        return np.zeros(1), np.zeros(1)

    def run_padded(self, input_ids, input_mask, segment_ids):
        return self.run((input_ids, input_mask))
