"""What a plan is asked: which machines there are, what each can do, what is demanded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Status = Literal["optimal", "infeasible", "time_limit"]


@dataclass(frozen=True, slots=True)
class Machine:
    """A kind of machine that can be rented or is owned."""

    price: float  # per machine and hour, in the user's currency; at least 0
    most: int  # machines of this kind that can be had


@dataclass(frozen=True, slots=True)
class Option:
    """One way to run a kind of machine: an engine in a precision and a layout."""

    name: str
    machine: str
    # Machine seconds of a question at load, by class of length. A class that is missing takes
    # longer than the SLO on its own and is not sent here.
    seconds: Mapping[str, float]
    utilisation: float  # up to which the SLO is met, above 0 and at most 1


@dataclass(frozen=True, slots=True)
class Problem:
    """ValueError for an option of an unknown machine or a number out of range."""

    machines: Mapping[str, Machine]
    options: tuple[Option, ...]
    demand: Mapping[str, float]  # questions a second, by class of length
    budget: float | None = None  # per hour
    spare: int = 0  # machines of any one option that may fail; the others carry the demand

    def __post_init__(self) -> None:
        for name, machine in self.machines.items():
            _check(f"price of machine {name}", machine.price, 0 <= machine.price < math.inf)
            _check(f"most of machine {name}", machine.most, machine.most >= 0)
        for option in self.options:
            if option.machine not in self.machines:
                known = ", ".join(self.machines) or "none"
                raise ValueError(f"{option.name}: machine {option.machine} is unknown ({known})")
            used = option.utilisation
            _check(f"utilisation of {option.name}", used, 0 < used <= 1)
            for length, seconds in option.seconds.items():
                _check(f"seconds of {option.name}, {length}", seconds, 0 < seconds < math.inf)
        _check("spare", self.spare, self.spare >= 0)
        for length, rate in self.demand.items():
            _check(f"demand of {length}", rate, 0 <= rate < math.inf)
        if len({option.name for option in self.options}) < len(self.options):
            raise ValueError("two options have one name")


@dataclass(frozen=True, slots=True)
class Plan:
    """The cheapest fleet; of equal ones the smallest, then the one of the earlier options."""

    status: Status
    cost: float | None = None  # per hour; None unless optimal, as the rest is empty
    machines: Mapping[str, int] | None = None  # by option, those used
    rates: Mapping[str, Mapping[str, float]] | None = None  # questions/s by option and class


def _check(what: str, found: float, holds: bool) -> None:
    if not holds:
        raise ValueError(f"{what} is {found}, which is out of range")
