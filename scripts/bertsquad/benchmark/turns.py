"""Turns: in every round every side runs once, in an order drawn anew, and one at a time.

After some rounds the samples are looked at; a contender whose verdict stands takes no further turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Any, Protocol

import numpy as np

from bertsquad.benchmark.side_process import SideFailed
from bertsquad.benchmark.validity import validity
from bertsquad.benchmark.verdicts import LOOKS
from bertsquad.machine.activity import Watch
from bertsquad.machine.noise import disturbance, read


class Runs(Protocol):
    """The part of a SideProcess that is needed."""

    @property
    def pid(self) -> int | None: ...  # whose noise is read; None: this process's

    def run(self) -> dict[str, Any]: ...


def take_turn(side: Runs) -> dict[str, Any]:
    """What the side answers, the `activity` of the machine meanwhile, the side's `noise`, and the
    `validity` that follows."""
    watch, first = Watch(), read(process=side.pid)
    answer = side.run()
    last, activity = read(process=side.pid), watch.result()
    noise = disturbance(first, last, activity)
    found = validity(noise | {"other_cpus": activity.get("other_cpus")})
    return {**answer, "activity": activity, "noise": noise, "validity": found}


def interleave(
    processes: Mapping[str, Runs],
    *,
    rounds: int,
    seed: int,
    on_sample: Callable[[dict[str, Any]], None] = lambda sample: None,
    undecided: Callable[[list[dict[str, Any]]], Set[str] | None] = lambda samples: None,
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The samples, in the order they were taken, and by name why a contender failed.

    A sample: `contender`, `round` from 1, `seconds`, `features`, `peak_memory_mib`, and what
    `take_turn` says of the machine meanwhile. A contender that fails takes no further turn; others
    go on. After each of LOOKS rounds, `undecided` gets the samples so far and returns who goes on;
    None: all do.
    """
    rng = np.random.default_rng(seed)
    samples: list[dict[str, Any]] = []
    failed: dict[str, str] = {}
    running = set(processes)
    for number in range(1, rounds + 1):
        for name in rng.permutation(sorted(running)).tolist():
            if name in failed:
                continue
            try:
                sample = take_turn(processes[name])
            except SideFailed as error:
                failed[name] = str(error)
                continue
            samples.append({"contender": name, "round": number, **sample})
            on_sample(samples[-1])
        if number in LOOKS and (names := undecided(samples)) is not None:
            running &= names
    return samples, failed
