"""What an instance does when it is told: warm up, or serve a schedule, by all of its lanes."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from bertsquad.benchmark.lanes import Schedule, Work, serve
from bertsquad.benchmark.timing import garbage_collector_off
from bertsquad.machine import noise


def warm_up(
    lanes: list[ThreadPoolExecutor], works: list[Work], features: np.ndarray, seconds: float
) -> dict[str, Any]:
    """Every lane computes these features, one by one, or as many as it has time for."""
    end = time.monotonic() + seconds

    def visit(work: Work) -> int:
        for done in range(len(features)):
            if time.monotonic() > end:
                return done
            work(features[done : done + 1])
        return len(features)

    visits = [lane.submit(visit, work) for lane, work in zip(lanes, works, strict=True)]
    return {"visited": min(visit.result() for visit in visits)}


def serve_by(
    lanes: list[ThreadPoolExecutor],
    works: list[Work],
    folder: str,
    schedule: Schedule,
    ready: Callable[[], int],
) -> dict[str, Any]:
    """What each lane took (lanes.serve), and the counters of noise.py before and after. `ready`
    tells the fleet that all lanes wait, and returns when the schedule starts."""
    start: Future[int] = Future()
    with garbage_collector_off():
        running = [
            lane.submit(serve, work, schedule, Path(folder), start.result)
            for lane, work in zip(lanes, works, strict=True)
        ]
        first = noise.read()
        start.set_result(ready())
        taken = [each.result() for each in running]
        last = noise.read()
    return {"taken": taken, "noise": (first, last)}
