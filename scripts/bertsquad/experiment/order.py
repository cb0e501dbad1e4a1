"""In which order the cells of the benchmark are measured: at random, one repeat after the other.

A machine drifts. In a fixed order the last engine would always meet the warmest machine; at random
the drift falls on all alike, and repeats far apart show it. The order follows from a seed and the
cells' names, so that it can be repeated, and a new cell finds a place without moving the others
against each other.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bertsquad.experiment.files import options

# Run, engine, precision, scenario, batch size, threads: what tells cells of one repeat apart.
Cell = tuple[str, ...]
# Below every rule that does not measure: a measurement waits for what could run beside it.
_FIRST_PRIORITY = -10
# Where cells tell each other how long they have waited.
_PATIENCE_FILE = ".snakemake/bertsquad/patience.json"


@dataclass(frozen=True, slots=True)
class Order:
    """The order of the cells of all repeats; make it by `order_of`."""

    seed: int
    drawn: tuple[tuple[str, ...], ...]  # for each repeat what its cells drew, ascending

    def place(self, cell: Cell, repeat: int) -> int:
        """From 1: how many cells of its repeat come before a cell, and it. Also for one that is not
        of the experiment."""
        drawn = self.drawn[repeat - 1] if repeat <= len(self.drawn) else ()
        return bisect_left(drawn, _draw(self.seed, repeat, cell)) + 1

    def facts(self, cell: Cell, repeat: int) -> list[tuple[str, int]]:
        """What a cell's file holds of its order, by the names of options; nothing of one that is
        not of the experiment."""
        drawn = self.drawn[repeat - 1] if repeat <= len(self.drawn) else ()
        if _draw(self.seed, repeat, cell) not in drawn:
            return []
        place = self.place(cell, repeat)
        return [("order_seed", self.seed), ("place", place), ("places", len(drawn))]

    def priority(self, cell: Cell, repeat: int) -> int:
        """Snakemake's: the higher, the sooner."""
        before = sum(map(len, self.drawn[: repeat - 1]))
        return _FIRST_PRIORITY + 1 - before - self.place(cell, repeat)


@dataclass(frozen=True, slots=True)
class Pace:
    """When the cells of an experiment are measured; all functions take a cell's names as they are
    in its path, and then its repeat."""

    order: Order
    quiet_seconds: int  # `benchmark.quiet_seconds`

    def priority(self, *cell_and_repeat: str) -> int:
        """Snakemake's."""
        *cell, repeat = cell_and_repeat
        return self.order.priority(tuple(cell), int(repeat))

    def place(self, *cell_and_repeat: str) -> int:
        """A cell's place in the order, from 1; 0 for one that is not of the experiment. A number of
        its own, since Snakemake groups only jobs whose texts are the same."""
        *cell, repeat = cell_and_repeat
        return dict(self.order.facts(tuple(cell), int(repeat))).get("place", 0)

    def options(self, *cell_and_repeat: str) -> str:
        """In which order a cell has its place, and how long it may wait for a quiet machine."""
        *cell, repeat = cell_and_repeat
        facts = self.order.facts(tuple(cell), int(repeat))
        of_all = [(name, value) for name, value in facts if name != "place"]
        wait = ("quiet_seconds", self.quiet_seconds)
        return options([*of_all, wait, ("patience", _PATIENCE_FILE)])


def pace_of(cells: Iterable[Cell], benchmark: dict[str, Any]) -> Pace:
    """The pace of these cells under the resolved `benchmark` of a configuration."""
    order = order_of(cells, benchmark["repeats"], benchmark["order_seed"])
    return Pace(order, benchmark["quiet_seconds"])


def order_of(cells: Iterable[Cell], repeats: int, seed: int) -> Order:
    """The order of these cells, measured so often."""
    cells = list(cells)
    return Order(
        seed,
        tuple(
            tuple(sorted(_draw(seed, repeat, cell) for cell in cells))
            for repeat in range(1, repeats + 1)
        ),
    )


def _draw(seed: int, repeat: int, cell: Cell) -> str:
    """As good as random, and different for every cell and repeat."""
    return hashlib.sha256(repr((seed, repeat, tuple(cell))).encode()).hexdigest()
