"""The integer program of a plan, and its solution by CBC through PuLP.

How many machines run each option is whole; which share of a class of questions goes to an option
is not. A share, not a rate, is the variable, so that every coefficient is near 1: CBC's tolerance
is absolute.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bertsquad.planner.problem import Plan, Problem, Status

TIME_LIMIT_S = 30
# Of the demand. CBC accepts fleets that miss it by 1e-6; such a fleet is refused.
SHORTFALL = 1e-9
MARGIN = 2e-6  # that a refused fleet's successor must have to spare, above CBC's tolerance
_OPEN = 2.0
EQUAL_COST = 1e-7  # relative: costs that differ by rounding alone


class Program:
    """One integer program, `machines[option]` and `shares[option, class]` its variables."""

    def __init__(
        self,
        problem: Problem,
        *,
        margin: float = 0.0,
        whole: bool = True,
        at_most_once: bool = True,
    ) -> None:
        import pulp

        self.problem = problem
        self.model = pulp.LpProblem("plan", pulp.LpMinimize)
        self.lengths = [length for length, rate in problem.demand.items() if rate > 0]
        category = "Integer" if whole else "Continuous"
        self.machines: dict[str, Any] = {
            option.name: pulp.LpVariable(f"machines_{place}", lowBound=0, cat=category)
            for place, option in enumerate(problem.options)
        }
        self.shares = self._new_shares(pulp, "share")
        # The demand is served so many times: fixed here, the unknown where a rate is sought.
        self.times: Any = pulp.LpVariable("times", lowBound=1 + margin, upBound=1 + margin)
        self.cost = pulp.lpSum(
            problem.machines[option.machine].price * self.machines[option.name]
            for option in problem.options
        )
        # Of machines that may be divided, or of a demand that is served many times, it is not true.
        self.opens = whole and at_most_once
        # Of each class: that it is served, and that it is without the spare machines of an option.
        self.demands: dict[str, list[Any]] = {length: [] for length in self.lengths}
        self._add_demand(pulp, self.shares, "demand")
        self._add_capacity(pulp, self.shares, self.machines, "capacity")
        self._add_availability(pulp)
        if problem.spare:
            self._add_spare(pulp, "Binary" if whole else "Continuous")
        if problem.budget is not None:
            self.model += self.cost <= problem.budget, "budget"

    def _new_shares(self, pulp: Any, name: str) -> dict[tuple[str, str], Any]:
        """Which share of each class goes to each option, a variable each."""
        return {
            (option.name, length): pulp.LpVariable(f"{name}_{place}_{number}", lowBound=0)
            for place, option in enumerate(self.problem.options)
            for number, length in enumerate(self.lengths)
            if length in option.seconds
        }

    def _add_demand(self, pulp: Any, shares: Mapping[Any, Any], name: str) -> None:
        for number, length in enumerate(self.lengths):
            served = [share for (_, of), share in shares.items() if of == length]
            constraint = pulp.lpSum(served) - self.times == 0
            self.model += constraint, f"{name}_{number}"
            self.demands[length].append(constraint)

    def _add_capacity(
        self, pulp: Any, shares: Mapping[Any, Any], machines: Mapping[str, Any], name: str
    ) -> None:
        for place, option in enumerate(self.problem.options):
            load = pulp.lpSum(
                option.seconds[length]
                * self.problem.demand[length]
                / option.utilisation
                * shares[option.name, length]
                for length in self.lengths
                if length in option.seconds
            )
            self.model += load <= machines[option.name], f"{name}_{place}"
            if self.opens:
                self._add_opening(option.name, shares, machines[option.name], f"{name}_{place}")

    def _add_opening(
        self, option: str, shares: Mapping[Any, Any], machines: Any, name: str
    ) -> None:
        """Whoever is sent a share has a machine. Of a load below CBC's tolerance it would not
        follow from the capacity; the factor leaves a share of 1 its margin."""
        for number, length in enumerate(self.lengths):
            if (option, length) in shares:
                opened = shares[option, length] <= _OPEN * machines
                self.model += opened, f"{name}_opens_{number}"

    def _add_spare(self, pulp: Any, category: str) -> None:
        """For each option: without its spare machines the fleet carries the demand, too."""
        for place, option in enumerate(self.problem.options):
            machines = self.machines[option.name]
            most = self.problem.machines[option.machine].most
            left = pulp.LpVariable(f"left_{place}", lowBound=0)
            any_left = pulp.LpVariable(f"any_left_{place}", lowBound=0, upBound=1, cat=category)
            self.model += left <= machines - self.problem.spare * any_left
            self.model += left <= most * any_left
            shares = self._new_shares(pulp, f"share_without_{place}")
            self._add_demand(pulp, shares, f"demand_without_{place}")
            remaining = {**self.machines, option.name: left}
            self._add_capacity(pulp, shares, remaining, f"capacity_without_{place}")

    def _add_availability(self, pulp: Any) -> None:
        for place, (name, machine) in enumerate(self.problem.machines.items()):
            used = [self.machines[o.name] for o in self.problem.options if o.machine == name]
            if used:
                self.model += pulp.lpSum(used) <= machine.most, f"most_{place}"

    def solve(self, objective: Any) -> Status:
        """The status, where "optimal" is proven.

        After its time limit CBC's best fleet so far has the status Optimal as well; only
        sol_status tells the two apart (PuLP 3.3, apis/coin_api.py).
        """
        import pulp

        self.model.setObjective(objective)
        self.model.solve(pulp.PULP_CBC_CMD(msg=False, threads=1, timeLimit=TIME_LIMIT_S, gapRel=0))
        if self.model.sol_status == pulp.LpSolutionOptimal:
            return "optimal"
        return "infeasible" if self.model.status == pulp.LpStatusInfeasible else "time_limit"

    def counts(self) -> dict[str, int]:
        """Machines by option, those that are used."""
        found = {name: round(variable.value() or 0) for name, variable in self.machines.items()}
        return {name: count for name, count in found.items() if count}


def solve(problem: Problem, *, any_of_equal: bool = False) -> Plan:
    """The cheapest fleet that carries the demand; the same one every time. With `any_of_equal` one
    of those that cost the least, in a third of the time."""
    for margin in (0.0, MARGIN):
        program = Program(problem, margin=margin)
        status = program.solve(program.cost) if any_of_equal else cheapest(program)
        if status != "optimal":
            return Plan(status)
        counts = program.counts()
        carried, rates = carry(problem, counts)
        if carried >= 1 - SHORTFALL:
            return Plan("optimal", cost_of(problem, counts), counts, rates)
    raise AssertionError(f"a fleet with a margin does not carry the demand: {counts}")


def cheapest(program: Program) -> Status:
    """Solve for the least cost, then the fewest machines, then the earlier options."""
    import pulp

    status = program.solve(program.cost)
    if status != "optimal":
        return status
    cost = cost_of(program.problem, program.counts())
    program.model += program.cost <= cost + EQUAL_COST * max(1.0, cost)
    number = pulp.lpSum(program.machines.values())
    status = program.solve(number)
    if status != "optimal":
        return status
    program.model += number <= sum(program.counts().values())
    places = enumerate(program.machines.values())
    return program.solve(pulp.lpSum(place * variable for place, variable in places))


def most_questions(problem: Problem) -> tuple[Plan, float]:
    """The plan that carries the most, and how many times the demand that is; among equal ones as
    `solve` chooses. ValueError without a demand: its classes' rates say only their shares."""
    if not any(problem.demand.values()):
        raise ValueError("no class of length has a demand")
    program = Program(problem, at_most_once=False)
    program.times.bounds(0, None)
    status = program.solve(-program.times)
    if status != "optimal":
        return Plan(status), 0.0
    times = carry(problem, program.counts())[0]
    if times <= SHORTFALL:
        return Plan("infeasible"), 0.0
    # A little less, so that a fleet that carries the same but for rounding counts as one.
    demand = {length: rate * times * (1 - EQUAL_COST) for length, rate in problem.demand.items()}
    plan = solve(replace(problem, demand=demand))
    return plan, times * (1 - EQUAL_COST)


def carry(problem: Problem, counts: Mapping[str, int]) -> tuple[float, dict[str, dict[str, float]]]:
    """How many times the demand a fleet carries at most, also when its spare machines fail (inf
    without a demand), and the questions a second by option and class that it is sent at the demand
    itself, while none has failed.

    By HiGHS: CBC hands its solution over with 7 digits, too few to check a fleet with.
    """
    times, rates = _carry_whole(problem, counts)
    if problem.spare and math.isfinite(times):
        for name, count in counts.items():
            left = {**counts, name: max(0, count - problem.spare)}
            times = min(times, _carry_whole(problem, left)[0])
    return times, rates


def _carry_whole(
    problem: Problem, counts: Mapping[str, int]
) -> tuple[float, dict[str, dict[str, float]]]:
    """The same where no machine fails."""
    from scipy.optimize import linprog

    lengths = [length for length, rate in problem.demand.items() if rate > 0]
    if not lengths:
        return math.inf, {}
    used = [option for option in problem.options if counts.get(option.name)]
    routes = [(o, length) for o in used for length in lengths if length in o.seconds]
    # Columns: the times, then the share of each route. Rows: classes, then options.
    served = [[-1.0] + [float(to == length) for _, to in routes] for length in lengths]
    load = [
        [0.0]
        + [
            o.seconds[length] * problem.demand[length] / o.utilisation if o is option else 0.0
            for o, length in routes
        ]
        for option in used
    ]
    machines = [float(counts[option.name]) for option in used]
    # HiGHS takes coefficients below 1e-9 for 0, so the unknowns are multiples of the greatest.
    greatest = max((each for row in load for each in row), default=0.0) or 1.0
    load = [[each / greatest for each in row] for row in load]
    objective = [-1.0] + [0.0] * len(routes)
    found = linprog(objective, load or None, machines or None, served, [0.0] * len(lengths))
    most = float(found.x[0]) if found.status == 0 else 0.0
    rates: dict[str, dict[str, float]] = {option.name: {} for option in used}
    for (option, length), share in zip(routes, found.x[1:] if most else [], strict=False):
        if share > 0:
            rates[option.name][length] = problem.demand[length] * float(share) / most
    return most / greatest, rates


def cost_of(problem: Problem, counts: Mapping[str, int]) -> float:
    """Per hour."""
    prices = {option.name: problem.machines[option.machine].price for option in problem.options}
    return sum(prices[name] * count for name, count in counts.items())
