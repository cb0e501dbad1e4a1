"""Turns: in every round every contender runs once, in an order drawn anew, and one at a time.

After some rounds the samples are looked at; a contender whose verdict stands takes no further turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Any, Protocol

import numpy as np

from bertsquad.benchmark.verdicts import LOOKS
from bertsquad.machine.activity import Watch
from bertsquad.peers.process import PeerFailed


class Runs(Protocol):
    """The part of a PeerProcess that is needed."""

    def run(self) -> dict[str, Any]: ...


def interleave(
    processes: Mapping[str, Runs],
    *,
    rounds: int,
    seed: int,
    on_sample: Callable[[dict[str, Any]], None] = lambda sample: None,
    undecided: Callable[[list[dict[str, Any]]], Set[str] | None] = lambda samples: None,
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The samples, in the order they were taken, and by name why a contender failed.

    A sample: `contender`, `round` from 1, `seconds`, `features`, `peak_memory_mib`, and the
    `activity` of the machine meanwhile. A contender that fails takes no further turn; the others
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
            watch = Watch()
            try:
                answer = processes[name].run()
            except PeerFailed as error:
                failed[name] = str(error)
                continue
            samples.append(
                {"contender": name, "round": number, **answer, "activity": watch.result()}
            )
            on_sample(samples[-1])
        if number in LOOKS and (names := undecided(samples)) is not None:
            running &= names
    return samples, failed
