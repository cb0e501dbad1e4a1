"""Raw samples of a run under load, pooled over all lanes: percentiles are those of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bertsquad.benchmark.lanes import Schedule
from bertsquad.benchmark.tickets import take


@dataclass(frozen=True, slots=True)
class Samples:
    """n requests that were served, in order of their tickets; times in ns after the start."""

    due_ns: np.ndarray  # int64[n], when it was to arrive
    start_ns: np.ndarray  # int64[n], when a lane began with it
    end_ns: np.ndarray  # int64[n]
    features: np.ndarray  # int64[n], numbers
    tokens: np.ndarray  # int64[n]
    lane: np.ndarray  # int64[n]; lanes of the first instance first
    batch: np.ndarray  # int64[n], the number of the batch it was computed in, in order of starts

    def __len__(self) -> int:
        return len(self.due_ns)

    @property
    def latency_ms(self) -> np.ndarray:
        """From the scheduled arrival, whether or not a lane was free to see it."""
        found: np.ndarray = (self.end_ns - self.due_ns) / 1e6
        return found

    @property
    def wait_ms(self) -> np.ndarray:
        found: np.ndarray = (self.start_ns - self.due_ns) / 1e6
        return found

    @property
    def firsts(self) -> np.ndarray:
        """Places of the first request of each batch."""
        return np.flatnonzero(np.diff(self.batch, prepend=-1))

    @property
    def service_ms(self) -> np.ndarray:
        """[batches]"""
        found: np.ndarray = (self.end_ns - self.start_ns)[self.firsts] / 1e6
        return found

    @property
    def batch_tokens(self) -> np.ndarray:
        """[batches]"""
        return np.add.reduceat(self.tokens, self.firsts)

    def arrays(self) -> dict[str, np.ndarray]:
        """By name, as they are stored."""
        return {name: getattr(self, name) for name in self.__slots__}


def pool(schedule: Schedule, lanes: Sequence[np.ndarray]) -> Samples:
    """What each lane wrote down (lanes.serve), as one set of samples."""
    rows = np.concatenate(
        [np.column_stack([taken, np.full(len(taken), n)]) for n, taken in enumerate(lanes)]
    )
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    first, count, start, end, lane = rows.T
    tickets = int(count.sum())
    if not np.array_equal(first, np.cumsum(count) - count):
        raise ValueError("a ticket was taken twice, or never")
    batch = np.repeat(np.arange(len(rows)), count)
    return Samples(
        schedule.due_ns[:tickets],
        start[batch],
        end[batch],
        schedule.features[:tickets],
        schedule.tokens[:tickets],
        lane[batch],
        batch,
    )


def late_ms(samples: Samples, schedule: Schedule) -> np.ndarray:
    """How much later than it could have each batch began: the lanes' own delay. A batch can begin
    once it is due, its lane is free, and the batch before it has begun. [batches]"""
    due, tokens = schedule.due_ns.tolist(), schedule.tokens.tolist()
    free: dict[int, int] = {}
    late, before = [], 0
    for place in samples.firsts.tolist():
        lane, start = int(samples.lane[place]), int(samples.start_ns[place])
        ready = max(free.get(lane, 0), before)
        _, begin = take(due, tokens, place, ready, schedule.max_tokens, schedule.wait_ns)
        late.append(start - min(begin, start))
        free[lane], before = int(samples.end_ns[place]), start
    return np.array(late) / 1e6
