"""How processes share the examples of a step."""

from __future__ import annotations

import heapq

import numpy as np

from bertsquad.data.batching import by_length


def shares(batch: np.ndarray, lengths: np.ndarray, processes: int) -> list[np.ndarray]:
    """Each process's part of a step's examples, int64 each: every example in exactly one part.

    `lengths` are those of all examples that `batch` numbers. Tokens decide how long a process
    computes, so the longest example always goes to the process with the fewest tokens so far
    (Graham 1969): at the end two processes differ by at most the longest example. With fewer
    examples than processes some get none.
    """
    parts: list[list[int]] = [[] for _ in range(processes)]
    loads = [(0, process) for process in range(processes)]  # a heap
    for example in batch[by_length(lengths[batch])].tolist():
        tokens, process = loads[0]
        parts[process].append(example)
        heapq.heapreplace(loads, (tokens + int(lengths[example]), process))
    return [np.array(part, dtype=np.int64) for part in parts]
