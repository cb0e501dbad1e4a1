"""What stands beside a plan: how near it is to another one, and what would make one possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bertsquad.planner.problem import Machine, Plan, Problem
from bertsquad.planner.program import Program, carry, cheapest, cost_of, solve

CLOSE = 1e-6  # relative: a price is no longer improved upon


@dataclass(frozen=True, slots=True)
class Marginal:
    """Of the relaxation, in which machines may be divided: a lower bound of what is paid."""

    cost: float  # per hour
    per_question: Mapping[str, float]  # cost per hour of one more question a second, by class


@dataclass(frozen=True, slots=True)
class Relaxation:
    """The least change of one limit that alone makes an infeasible problem feasible."""

    limit: str  # "rate", "budget" or "most of MACHINE"
    to: float  # questions/s of all classes, cost per hour, or machines


def head_room(problem: Problem, plan: Plan) -> float:
    """How many times the demand the plan's machines carry at most; inf without a demand."""
    if plan.machines is None:
        raise ValueError(f"a plan that is {plan.status} has no head room")
    return carry(problem, plan.machines)[0]


def marginal(problem: Problem) -> Marginal | None:
    """None where even divided machines do not carry the demand."""
    program = Program(problem, whole=False)
    if program.solve(program.cost) != "optimal":
        return None
    per_question = {
        length: sum(demand.pi for demand in program.demands[length]) / problem.demand[length]
        for length in program.lengths
    }
    return Marginal(float(program.cost.value() or 0.0), per_question)


def runner_up(problem: Problem, plan: Plan) -> Plan:
    """The cheapest plan that uses another set of options (a no-good cut)."""
    import pulp

    program = Program(problem)
    used = plan.machines or {}
    differs = []
    for place, option in enumerate(problem.options):
        machines = program.machines[option.name]
        taken = pulp.LpVariable(f"taken_{place}", cat="Binary")
        program.model += machines <= problem.machines[option.machine].most * taken
        program.model += machines >= taken
        differs.append(1 - taken if option.name in used else taken)
    program.model += pulp.lpSum(differs) >= 1
    status = cheapest(program)
    if status != "optimal":
        return Plan(status)
    counts = program.counts()
    return Plan("optimal", cost_of(problem, counts), counts, carry(problem, counts)[1])


def break_even(problem: Problem, machine: str) -> float | None:
    """The price per hour below which the cheapest fleet has machines of this kind, above which it
    has none; inf where there is no fleet without them, None where they never help.

    The least cost is the lowest of lines over the price, one line a number of machines, so
    Newton's steps from below find where it meets the cost without them. The budget is left out:
    it would bound the price by itself.
    """
    free = replace(problem, budget=None)
    without = solve(_with(free, machine, most=0), any_of_equal=True)
    price = 0.0
    best: float | None = None
    while True:
        plan = solve(_with(free, machine, price=price), any_of_equal=True)
        if plan.status != "optimal" or plan.cost is None or plan.machines is None:
            return best
        if without.status != "optimal" or without.cost is None:
            return float("inf")
        count = sum(n for name, n in plan.machines.items() if _kind(problem, name) == machine)
        gain = without.cost - plan.cost
        if count == 0 or gain <= CLOSE * max(1.0, without.cost):
            return best
        price += gain / count
        best = price


def relaxations(problem: Problem) -> list[Relaxation]:
    """For an infeasible problem: each limit that alone can be moved to make it feasible."""
    import pulp

    found = []
    program = Program(problem)
    program.times.bounds(0, 1)
    if program.solve(-program.times) == "optimal" and program.times.value() > CLOSE:
        total = sum(problem.demand.values())
        found.append(Relaxation("rate", total * float(program.times.value())))
    if problem.budget is not None:
        plan = solve(replace(problem, budget=None))
        if plan.cost is not None:
            found.append(Relaxation("budget", plan.cost))
    for name in problem.machines:
        program = Program(_with(problem, name, most=10**6))
        kinds = [program.machines[o.name] for o in problem.options if o.machine == name]
        if kinds and program.solve(pulp.lpSum(kinds)) == "optimal":
            counts = program.counts()
            needed = sum(n for option, n in counts.items() if _kind(problem, option) == name)
            found.append(Relaxation(f"most of {name}", needed))
    return found


def _kind(problem: Problem, option: str) -> str:
    return next(each.machine for each in problem.options if each.name == option)


def _with(
    problem: Problem, machine: str, *, price: float | None = None, most: int | None = None
) -> Problem:
    old = problem.machines[machine]
    new = Machine(old.price if price is None else price, old.most if most is None else most)
    return replace(problem, machines={**problem.machines, machine: new})
