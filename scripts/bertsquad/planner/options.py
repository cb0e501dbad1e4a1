"""The ways to run each kind of machine: which cells may be planned with, and what they carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from bertsquad.benchmark.percentiles import needed
from bertsquad.console.errors import UserError
from bertsquad.planner.capacity import DRAWS, FEWER_DRAWS, Capacity, capacity, ratios
from bertsquad.planner.cells import Cell, CellFile, Questions, check_alike
from bertsquad.planner.demand import LengthClass, length_classes
from bertsquad.planner.problem import Option
from bertsquad.planner.services import Fit
from bertsquad.planner.wanted import Wanted

MEMORY_SHARE = 0.9  # of a machine's memory that may be used
SLO_SERVICES = 5  # the SLO where none is given: so many times the median service
_SCARCE = 1e-3  # utilisation below which nothing is carried


@dataclass(frozen=True, slots=True)
class Choice:
    """A cell that may be planned with."""

    name: str
    machine: str
    cell: Cell
    fit: Fit


@dataclass(frozen=True, slots=True)
class Dropped:
    """A cell that may not, and why."""

    name: str
    machine: str
    cell: Cell
    reason: str  # a word or two, as counted
    detail: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be relaxed beside the program's own limits."""

    slo_s: float
    minimum_f1: float | None
    minimum_f1_share: float | None
    memory_mib: float = 0.0  # that every machine is taken to have at least


class Choices:
    """The cells of all machines, and what each carries within an SLO; each is computed once."""

    def __init__(self, files: Mapping[str, CellFile], wanted: Wanted) -> None:
        """`UserError` for cells of other questions or another model than the first file's."""
        first = next(iter(files.values()))
        for other in files.values():
            check_alike(first, other)
        self.files, self.wanted = files, wanted
        self.run = next(iter(first.runs))
        self.questions: Questions = first.questions(self.run)
        self.classes: dict[str, LengthClass] = length_classes(wanted, self.questions)
        self.fits: dict[int, Fit] = {}
        self.capacities: dict[tuple[str, float], Capacity] = {}
        self.drawn: dict[str, np.ndarray] = {}

    def slo_s(self) -> float:
        """The SLO; where none is given, so many times the quickest median service. `UserError`
        where no cell can be planned with, whatever is demanded."""
        free = Limits(float("inf"), None, 0.0, memory_mib=float("inf"))
        if not self.sorted_out(free)[0]:
            raise UserError(f"no cell can be planned with: {self._why_none(free)}")
        if self.wanted.slo_ms is not None:
            return self.wanted.slo_ms / 1000
        asked = Limits(float("inf"), self.wanted.minimum_f1, self.wanted.minimum_f1_share)
        choices = self.sorted_out(asked)[0] or self.sorted_out(free)[0]
        lengths = np.repeat(self.questions.lengths, self.questions.counts)
        medians = [float(np.median(choice.fit.pool(lengths))) for choice in choices]
        return SLO_SERVICES * min(medians)

    def _why_none(self, limits: Limits) -> str:
        """Each reason with its number and its first detail, and what to do."""
        reasons: dict[str, list[Dropped]] = {}
        for each in self.sorted_out(limits)[1]:
            reasons.setdefault(each.reason, []).append(each)
        parts = [
            f"{reason}: {len(found)} ({found[0].name}: {found[0].detail})"
            for reason, found in reasons.items()
        ]
        if "too few requests" in reasons:
            count = needed(self.wanted.percentile)
            parts.append(f"measure more with benchmark.iterations {count} or above")
        if "invalid" in reasons:
            parts.append(
                "measure again on a quiet machine: snakemake --forcerun benchmark_inference"
            )
        return "; ".join(parts)

    def sorted_out(self, limits: Limits) -> tuple[list[Choice], list[Dropped]]:
        """Which cells may be planned with, before any SLO, and which not."""
        choices, dropped = [], []
        for machine, file in self.files.items():
            valid = any(self._why(machine, cell, limits, "") is None for cell in file.cells)
            for cell in file.cells:
                name = f"{machine}: {cell.name}"
                why = self._why(machine, cell, limits, "" if valid else "disturbed")
                if why is None:
                    fit = self.fits.get(id(cell)) or cell.at_load.fit()
                    self.fits[id(cell)] = fit
                    choices.append(Choice(name, machine, cell, fit))
                else:
                    dropped.append(Dropped(name, machine, cell, *why))
        return choices, dropped

    def _why(
        self, machine: str, cell: Cell, limits: Limits, also_take: str
    ) -> tuple[str, str] | None:
        """Why a cell is dropped, by a word and a sentence's part; None: it is not.

        `also_take`: a verdict that counts as valid, where a machine has no other cell.
        """
        file = self.files[machine]
        if file.questions(cell.run).sha256 != self.questions.sha256:
            return "other questions", f"measured on other questions than run {self.run}"
        if cell.validity not in ("valid", also_take):
            return cell.validity, cell.disturbed_by or cell.validity
        if not cell.native:
            return "emulated", f"the processor has no {cell.precision}"
        needs = needed(self.wanted.percentile)
        requests = len(cell.services.seconds)
        if requests < needs:
            detail = f"{requests} requests, p{self.wanted.percentile} takes {needs}"
            return "too few requests", detail
        return why_not_good(cell, limits) or self._why_too_large(machine, cell, limits)

    def _why_too_large(self, machine: str, cell: Cell, limits: Limits) -> tuple[str, str] | None:
        memory = max(self.memory_mib(machine), limits.memory_mib)
        if cell.peak_mib and cell.peak_mib > MEMORY_SHARE * memory:
            share = f"{MEMORY_SHARE:.0%} of {memory:,.0f} MiB"
            return "memory", f"takes {cell.peak_mib:,.0f} MiB, more than {share}"
        return None

    def memory_mib(self, machine: str) -> float:
        """What a machine of this kind has."""
        own = self.wanted.machines[machine].memory_mib
        return self.files[machine].memory_mib if own is None else own

    def capacity(self, choice: Choice, slo_s: float) -> Capacity:
        """What a choice carries within an SLO."""
        key = (choice.name, slo_s)
        if key not in self.capacities:
            lanes, percentile = choice.cell.lanes, self.wanted.percentile
            found = capacity(choice.fit, self.classes, lanes, slo_s, percentile)
            self.capacities[key] = found
        return self.capacities[key]

    def ratios(self, choice: Choice, slo_s: float) -> np.ndarray:
        """How sure that is: `capacity.ratios`, for the SLO that it is first asked with."""
        if choice.name not in self.drawn:
            shares = {
                name: self.classes[name].share for name in self.capacity(choice, slo_s).eligible
            }
            self.drawn[choice.name] = ratios(
                choice.cell.at_load,
                self.classes,
                shares,
                choice.cell.lanes,
                slo_s,
                self.wanted.percentile,
                DRAWS if choice.cell.lanes == 1 else FEWER_DRAWS,
            )
        return self.drawn[choice.name]

    def low_ratio(self, choice: Choice, slo_s: float) -> float:
        """The bound of `ratios` at the plan's confidence, one-sided; at most 1."""
        found = self.ratios(choice, slo_s)
        return min(1.0, float(np.quantile(found, 1 - self.wanted.confidence, method="lower")))

    def options(
        self, limits: Limits, *, sure: bool
    ) -> tuple[list[Option], dict[str, Choice], list[Dropped]]:
        """Options of a program, the choice of each by name, and what was dropped; `sure`: at the
        lower bound of what they carry."""
        choices, dropped = self.sorted_out(limits)
        options = []
        # Of equal fleets the one of earlier options is taken: first what carries the most.
        choices.sort(key=lambda choice: -self.capacity(choice, limits.slo_s).rate)
        for choice in choices:
            found = self.capacity(choice, limits.slo_s)
            factor = self.low_ratio(choice, limits.slo_s) if sure and found.eligible else 1.0
            utilisation = found.utilisation * factor
            if not found.eligible or utilisation < _SCARCE:
                detail = self._too_slow(found)
                dropped.append(Dropped(choice.name, choice.machine, choice.cell, "SLO", detail))
                continue
            windows = self.questions.windows
            seconds = {
                name: windows * found.mean_s[name] / choice.cell.lanes for name in found.eligible
            }
            options.append(Option(choice.name, choice.machine, seconds, utilisation))
        return options, {choice.name: choice for choice in choices}, dropped

    def _too_slow(self, found: Capacity) -> str:
        least = min(found.alone_s.values())
        percentile = f"p{self.wanted.percentile}"
        return f"the service alone takes {percentile} = {1000 * least:.4g} ms"

    def bottleneck(self, limits: Limits) -> tuple[str, Choice, float] | None:
        """The class of length whose quickest service alone takes longest: its name, who is the
        quickest, and the percentile of that service in seconds. None without choices."""
        choices = self.sorted_out(limits)[0]
        if not choices:
            return None

        def quickest(length: str) -> tuple[float, Choice]:
            found = [(self.capacity(c, limits.slo_s).alone_s[length], c) for c in choices]
            return min(found, key=lambda each: each[0])

        (service, choice), length = max(
            ((quickest(name), name) for name in self.classes), key=lambda each: each[0][0]
        )
        return length, choice, service


class Scored(Protocol):
    """What a cell or a candidate for one has of F1."""

    @property
    def f1(self) -> float | None: ...
    @property
    def f1_share(self) -> float | None: ...
    @property
    def passed(self) -> bool | None: ...


def why_not_good(scored: Scored, limits: Limits) -> tuple[str, str] | None:
    """Why it is not planned with for its F1, by a word and a sentence's part; None: it is."""
    share = limits.minimum_f1_share
    if share is None and scored.passed is False:
        return "F1", f"keeps {scored.f1_share or 0:.1%} of the reference's F1: failed"
    if share and scored.f1_share is None and scored.passed is not None:
        return "F1", "how much of the reference's F1 it keeps is not known"
    # What nothing was compared with is the reference itself.
    if share is not None and (1.0 if scored.f1_share is None else scored.f1_share) < share:
        return "F1", f"keeps {scored.f1_share:.1%} of the reference's F1, less than {share:.1%}"
    if limits.minimum_f1 is not None and (scored.f1 is None or scored.f1 < limits.minimum_f1):
        found = "not scored" if scored.f1 is None else f"F1 {scored.f1:.1f}"
        return "F1", f"{found}, less than {limits.minimum_f1:g}"
    return None


def used(options: Sequence[Option], name: str) -> Option:
    """The option of this name."""
    return next(option for option in options if option.name == name)


def with_utilisation(options: Sequence[Option], changed: Mapping[str, float]) -> list[Option]:
    """The options, some with another utilisation."""
    return [
        replace(option, utilisation=changed.get(option.name, option.utilisation))
        for option in options
    ]
