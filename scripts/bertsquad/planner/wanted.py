"""What a plan is to meet, from the configuration's `plan`. It imports nothing heavy: the
configuration is read whenever Snakemake starts."""

from __future__ import annotations

import datetime
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bertsquad.console.errors import UserError

Objective = Literal["cost", "machines", "rate"]
HERE = "here"  # the machine that a plan without machines is for
SHARES_SUM = 1e-6  # how far from 1 the shares of lengths may be


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of machine that can be had."""

    cells: str | None  # path of its cells.json; None: that of this experiment
    price: float | None  # per hour
    most: int
    memory_mib: float | None  # None: as its cells.json says


@dataclass(frozen=True, slots=True)
class Wanted:
    """The demand, the limits, and the machines."""

    rate: float | None  # questions a second; None: as many as can be carried
    lengths: Mapping[str, float] | None  # shares by class of length; None: the dataset's
    length_classes: tuple[int, ...]  # upper ends, word pieces
    percentile: int
    slo_ms: float | None  # None: five times the median service
    minimum_f1: float | None
    minimum_f1_share: float | None  # None: as evaluation.minimum_f1_share judged
    objective: Objective
    budget: float | None  # per hour
    confidence: float
    spare: int
    currency: str
    prices_as_of: str | None
    machines: Mapping[str, Kind]


def dates_as_text(config: dict[str, Any]) -> None:
    """YAML reads 2026-11-01 as a date; JSON, which records the configuration, has none."""
    plan = config.get("plan")
    if isinstance(plan, dict) and isinstance(plan.get("prices_as_of"), datetime.date):
        plan["prices_as_of"] = plan["prices_as_of"].isoformat()[:10]


def parsed(text: str, option: str, source: str) -> Wanted:
    """Of the JSON that rules give as an option of a command; `UserError` for anything else."""
    try:
        return wanted(json.loads(text), source)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{option}: not the configuration's `plan` with all its defaults ({error!r}); "
            "`snakemake plan` gives it"
        ) from None


def wanted(plan: Mapping[str, Any], source: str, own: Collection[str] = ()) -> Wanted:
    """The checked `plan` of a configuration with its defaults; `source` names it in messages, `own`
    are the configuration's `machines`, whose cells this experiment measures.

    `UserError` for what the schema cannot say: prices without a date or a date without prices,
    lengths that fit no classes, an objective without what it needs.
    """
    machines = {name: Kind(**each) for name, each in plan["machines"].items()}
    found = Wanted(
        rate=plan["rate"],
        lengths=None if plan["lengths"] == "dataset" else dict(plan["lengths"]),
        length_classes=tuple(plan["length_classes"]),
        percentile=plan["slo"]["percentile"],
        slo_ms=plan["slo"]["ms"],
        minimum_f1=plan["minimum_f1"],
        minimum_f1_share=plan["minimum_f1_share"],
        objective=plan["objective"] or _objective(plan["rate"], machines),
        budget=plan["budget"],
        confidence=plan["confidence"],
        spare=plan["spare"],
        currency=plan["currency"],
        prices_as_of=plan["prices_as_of"],
        machines=machines,
    )
    _check_machines(found, source, own)
    _check_prices(found, source)
    _check_lengths(found, source)
    _check_objective(found, source)
    return found


def _objective(rate: float | None, machines: Mapping[str, Kind]) -> Objective:
    if rate is None:
        return "rate"
    return "cost" if all(each.price is not None for each in machines.values()) else "machines"


def _check_machines(found: Wanted, source: str, own: Collection[str]) -> None:
    """Only one kind can be this experiment's, unless it names several: the others bring a file."""
    kinds = found.machines.items()
    without = [name for name, each in kinds if each.cells is None and name not in own]
    if len(without) > (0 if own else 1):
        name = next((each for each in without if each != HERE), without[-1])
        known = ", ".join(own or [each for each in found.machines if each != name])
        raise UserError(
            f"{source}: plan.machines.{name}: an unknown machine, without a file of cells; give "
            f"`cells`, the cells.json that `snakemake export_cells` made there (known: {known})"
        )


def _check_prices(found: Wanted, source: str) -> None:
    priced = [name for name, each in found.machines.items() if each.price is not None]
    if priced and found.prices_as_of is None:
        raise UserError(
            f"{source}: plan.machines.{priced[0]}.price: a price without a date; add "
            "plan.prices_as_of, the day that the prices were read (2026-11-01)"
        )
    if found.prices_as_of is not None:
        try:
            datetime.date.fromisoformat(found.prices_as_of)
        except ValueError:
            raise UserError(
                f"{source}: plan.prices_as_of: found {found.prices_as_of!r}, expected a day as "
                "2026-11-01"
            ) from None


def _check_lengths(found: Wanted, source: str) -> None:
    classes = list(found.length_classes)
    if classes != sorted(set(classes)):
        raise UserError(
            f"{source}: plan.length_classes: found {classes}, expected ascending upper ends"
        )
    if found.lengths is None:
        return
    if len(found.lengths) != len(classes):
        raise UserError(
            f"{source}: plan.lengths: {len(found.lengths)} shares for {len(classes)} "
            f"length_classes {classes}; give one for each, the shortest first"
        )
    total = sum(found.lengths.values())
    if abs(total - 1) > SHARES_SUM:
        raise UserError(f"{source}: plan.lengths: the shares sum to {total:g}, expected 1")


def _check_objective(found: Wanted, source: str) -> None:
    unpriced = [name for name, each in found.machines.items() if each.price is None]
    if found.objective != "rate" and found.rate is None:
        raise UserError(
            f"{source}: plan.objective: {found.objective} needs plan.rate, the questions a second "
            "to carry"
        )
    if found.objective == "rate" and found.rate is not None:
        raise UserError(
            f"{source}: plan.rate: {found.rate:g} beside objective rate, which seeks the highest "
            "one; remove one of the two"
        )
    if unpriced and (found.objective == "cost" or found.budget is not None):
        why = "objective cost" if found.objective == "cost" else "plan.budget"
        raise UserError(
            f"{source}: plan.machines.{unpriced[0]}: no price, which {why} needs; add `price`, per "
            "hour, and plan.prices_as_of"
        )
