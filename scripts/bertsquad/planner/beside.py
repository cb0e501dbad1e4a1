"""What plan.json says beside the plan: how near another one is, what would make one possible."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bertsquad.planner.options import MEMORY_SHARE, Limits
from bertsquad.planner.problem import Plan, Problem
from bertsquad.planner.program import solve
from bertsquad.planner.sensitivity import (
    break_even,
    head_room,
    marginal,
    relaxations,
    runner_up,
)

if TYPE_CHECKING:
    from bertsquad.planner.planning import Planning

STEPS = 40  # of the staircase, at most
REACH = 2.0  # up to so many times the demand
SLO_FACTORS = (0.5, 0.7, 1.0, 1.5, 2.0, 3.0)
_NEXT = 1e-4  # beyond a step's end, relative: well above the solver's tolerance
_FIRST = 1e-3  # of the demand, where the first step is taken
_DRAWS = 2000
_MOST_SLO = 1000.0  # times the SLO: no plan beyond is looked for
_CLOSE_SLO = 1.01  # an SLO is found to 1 %


def of_plan(planning: Planning, plan: Plan, problem: Problem) -> dict[str, Any]:
    """The keys of plan.json that stand beside an optimal plan."""
    point = planning.problem(planning.limits, sure=False)
    priced = planning.wanted.objective == "cost" and any(
        kind.price for kind in planning.wanted.machines.values()
    )
    second = runner_up(problem, plan)
    room = head_room(problem, plan)
    rate = sum(problem.demand.values())
    return {
        "head_room": {"times": room, "rate": rate * room},
        "break_even": _break_even(planning, problem, plan) if priced else [],
        "marginal": _marginal(problem) if priced else None,
        "staircase": {
            "sure": list(staircase(problem)),
            "point": list(staircase(replace(point, demand=problem.demand))),
        },
        "slo_curve": list(_slo_curve(planning)),
        "runner_up": None
        if second.status != "optimal"
        else {"cost": second.cost, "machines": dict(second.machines or {})},
        "holds_in": holds_in(planning, plan, problem),
        "cost_per_1000": None
        if not priced or plan.cost is None
        else 1000 * plan.cost / (3600 * rate),
        "energy": "not measured",
        "relaxations": [],
    }


def staircase(problem: Problem) -> Iterator[dict[str, Any]]:
    """The least cost of each demand up to REACH times this one, in the same mix: a step for each
    cost, with the demand at which it ends."""
    total = sum(problem.demand.values())
    if not total:
        return
    times = 0.0
    last: dict[str, Any] | None = None
    for _ in range(STEPS):
        start = max(times * (1 + _NEXT), _FIRST)
        scaled = replace(
            problem, demand={name: rate * start for name, rate in problem.demand.items()}
        )
        plan = solve(scaled)
        if plan.cost is None:
            break
        times = start * head_room(scaled, plan)
        if last is not None and math.isclose(last["cost"], plan.cost, rel_tol=1e-9):
            last["to"] = total * times  # another fleet at the same cost
        else:
            if last is not None:
                yield last
            last = {"cost": plan.cost, "to": total * times, "machines": dict(plan.machines or {})}
        if times >= REACH:
            break
    if last is not None:
        yield last


def holds_in(planning: Planning, plan: Plan, problem: Problem) -> float:
    """The share of draws of what each option carries in which the fleet, routed as planned, still
    meets the SLO. Options' draws are independent of each other."""
    random = np.random.default_rng([0, 7])
    holds = np.ones(_DRAWS, bool)
    point = {each.name: each for each in planning.choices.options(planning.limits, sure=False)[0]}
    for name, count in (plan.machines or {}).items():
        rates = (plan.rates or {}).get(name, {})
        option = point[name]
        load = sum(option.seconds[length] * rate for length, rate in rates.items())
        choice = planning._choice(name)
        drawn = planning.choices.ratios(choice, planning.limits.slo_s)
        holds &= random.choice(drawn, _DRAWS) * option.utilisation * count >= load * (1 - 1e-9)
    return float(np.mean(holds))


def _break_even(planning: Planning, problem: Problem, plan: Plan) -> list[dict[str, Any]]:
    """For each kind of machine the price below which the cheapest fleet has it."""
    kinds = {option.name: option.machine for option in problem.options}
    inside = {kinds[name] for name in plan.machines or {}}
    found = []
    for name in problem.machines:
        if name not in kinds.values():
            continue
        price = break_even(problem, name)
        found.append(
            {
                "machine": name,
                "used": name in inside,
                "price": problem.machines[name].price,
                "below": None if price is None or math.isinf(price) else price,
                "always": price is not None and math.isinf(price),
            }
        )
    return found


def _marginal(problem: Problem) -> dict[str, Any] | None:
    found = marginal(problem)
    if found is None:
        return None
    return {
        "cost": found.cost,
        "per_question": dict(found.per_question),
        "note": "lower bound; machines come whole",
    }


def _slo_curve(planning: Planning) -> Iterator[dict[str, Any]]:
    """Cost, or rate, at other SLOs; the bound is taken to be as near the point as at this one."""
    for factor in SLO_FACTORS:
        limits = replace(planning.limits, slo_s=factor * planning.limits.slo_s)
        plan, carried = planning.best(planning.problem(limits, sure=True))
        yield {
            "slo_ms": 1000 * limits.slo_s,
            "cost": plan.cost,
            "rate": sum(carried.demand.values()) if plan.status == "optimal" else None,
        }


def relaxed(planning: Planning) -> list[dict[str, Any]]:
    """For a plan that is impossible: each limit that alone can be moved to make it possible, with
    the least that does, and each that never helps (`to` null)."""
    problem = planning.problem(planning.limits, sure=True)
    found = {each.limit: each.to for each in relaxations(problem)} if problem.options else {}
    limits = ["rate"] if planning.wanted.rate is not None else []
    limits += ["budget"] if problem.budget is not None else []
    limits += [f"most of {name}" for name in problem.machines]
    rows = [{"limit": name, "to": found.get(name)} for name in limits]
    rows.append({"limit": "slo_ms", "to": _least_slo(planning)})
    rows += _least_f1(planning)
    rows += _least_memory(planning)
    if problem.spare:
        rows.append({"limit": "spare", "to": _most_spare(problem)})
    return sorted(rows, key=lambda row: row["to"] is None)


def _possible(planning: Planning, limits: Limits) -> bool:
    problem = planning.problem(limits, sure=True)
    return bool(problem.options) and planning.best(problem)[0].status == "optimal"


def _least_slo(planning: Planning) -> float | None:
    """Milliseconds, to 1 %, from above."""
    now = planning.limits.slo_s

    def possible(slo_s: float) -> bool:
        return _possible(planning, replace(planning.limits, slo_s=slo_s))

    low, high = now, 2 * now
    while not possible(high):
        low, high = high, 2 * high
        if high > _MOST_SLO * now:
            return None
    while high > _CLOSE_SLO * low:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if possible(middle) else (middle, high)
    return 1000 * high


def _least_f1(planning: Planning) -> Iterator[dict[str, Any]]:
    """The next lower F1 that is there, of each floor."""
    limits, cells = planning.limits, _cells(planning)
    if limits.minimum_f1 is not None:
        values = {cell.f1 for cell in cells if cell.f1 is not None}
        yield _next_lower(planning, "minimum_f1", values, lambda to: replace(limits, minimum_f1=to))
    if limits.minimum_f1_share is not None or any(cell.passed is False for cell in cells):
        shares = {cell.f1_share for cell in cells if cell.f1_share is not None}
        yield _next_lower(
            planning, "minimum_f1_share", shares, lambda to: replace(limits, minimum_f1_share=to)
        )


def _next_lower(
    planning: Planning, name: str, values: set[float], limits: Callable[[float], Limits]
) -> dict[str, Any]:
    for value in sorted(values, reverse=True):
        if _possible(planning, limits(value)):
            return {"limit": name, "to": value}
    return {"limit": name, "to": None}


def _least_memory(planning: Planning) -> Iterator[dict[str, Any]]:
    """The least memory of every machine with which there is a plan, of those that would let in
    another of the dropped options."""
    dropped = planning.choices.options(planning.limits, sure=False)[2]
    too_large = [each for each in dropped if each.reason == "memory"]
    if not too_large:
        return
    # Rounded up, since the share of it that may be used is compared with the peak.
    sizes = {math.ceil((each.cell.peak_mib or 0.0) / MEMORY_SHARE) for each in too_large}
    enough = (
        size
        for size in sorted(sizes)
        if _possible(planning, replace(planning.limits, memory_mib=size))
    )
    yield {"limit": "memory_mib", "to": next(enough, None)}


def _most_spare(problem: Problem) -> int | None:
    for spare in range(problem.spare - 1, -1, -1):
        if solve(replace(problem, spare=spare)).status == "optimal":
            return spare
    return None


def _cells(planning: Planning) -> list[Any]:
    return [cell for file in planning.choices.files.values() for cell in file.cells]
