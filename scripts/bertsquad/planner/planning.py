"""A plan from cells and demand: the fleet at the confidence bound, and what stands beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from bertsquad.benchmark.twin import Streams, TooSlowError, highest_rate, latency_percentile
from bertsquad.files import sha256
from bertsquad.planner import beside
from bertsquad.planner.capacity import DRAWN, PLANNED, mixed
from bertsquad.planner.cells import CellFile
from bertsquad.planner.options import Choice, Choices, Limits, used, with_utilisation
from bertsquad.planner.problem import Machine, Option, Plan, Problem
from bertsquad.planner.program import most_questions, solve
from bertsquad.planner.wanted import Wanted

CUTS = 5  # how often an option whose routed mix is too slow is cut before routing goes by shares
_P99_DRAWS = 40
ALL = "all"  # the one class where every option takes the natural mix


class Planning:
    """One plan: `Choices` for the machines' files, the limits, and the program at each step."""

    def __init__(self, files: Mapping[str, CellFile], wanted: Wanted) -> None:
        self.wanted = wanted
        self.choices = Choices(files, wanted)
        self.limits = Limits(self.choices.slo_s(), wanted.minimum_f1, wanted.minimum_f1_share)

    def problem(self, limits: Limits, *, sure: bool) -> Problem:
        """The integer program's data; the demand is 1 question/s in all where a rate is sought."""
        options = self.choices.options(limits, sure=sure)[0]
        rate = 1.0 if self.wanted.rate is None else self.wanted.rate
        priced = self.wanted.objective != "machines"
        return Problem(
            {
                name: Machine((kind.price or 0.0) if priced else 1.0, kind.most)
                for name, kind in self.wanted.machines.items()
            },
            tuple(options),
            {name: rate * each.share for name, each in self.choices.classes.items()},
            self.wanted.budget if priced else None,
            self.wanted.spare,
        )

    def best(self, problem: Problem) -> tuple[Plan, Problem]:
        """The plan, and the problem with the demand that it carries."""
        if self.wanted.objective != "rate":
            return solve(problem), problem
        plan, times = most_questions(problem)
        demand = {name: rate * times for name, rate in problem.demand.items()}
        return plan, (replace(problem, demand=demand) if plan.status == "optimal" else problem)

    def checked(self, problem: Problem) -> tuple[Plan, Problem]:
        """The plan whose options meet the SLO with the mix that each is sent, not only with the
        mix of all: an option that does not is cut to what it carries, and the rest solved anew."""
        for _ in range(CUTS):
            plan, carried = self.best(problem)
            cut = self._cuts(plan, carried)
            if not cut:
                return plan, carried
            problem = replace(problem, options=tuple(with_utilisation(problem.options, cut)))
        return self._by_shares(problem)

    def _by_shares(self, problem: Problem) -> tuple[Plan, Problem]:
        """The plan in which every option is sent the mix of all."""
        total = sum(problem.demand.values())
        shares = {name: rate / total for name, rate in problem.demand.items()}
        options = tuple(
            replace(option, seconds={ALL: sum(shares[c] * option.seconds[c] for c in shares)})
            for option in problem.options
            if set(option.seconds) >= set(shares)
        )
        plan, carried = self.best(replace(problem, options=options, demand={ALL: total}))
        rates = {
            name: {c: share * each[ALL] for c, share in shares.items()}
            for name, each in (plan.rates or {}).items()
        }
        demand = {c: share * carried.demand[ALL] for c, share in shares.items()}
        kept = tuple(each for each in problem.options if set(each.seconds) >= set(shares))
        return replace(plan, rates=rates), replace(problem, options=kept, demand=demand)

    def _cuts(self, plan: Plan, problem: Problem) -> dict[str, float]:
        """New utilisations of the options that miss the SLO with the mix they are sent."""
        found = {}
        for name, count in (plan.machines or {}).items():
            rates = (plan.rates or {}).get(name, {})
            if len(rates) == len(self.choices.classes) == 1 or not rates:
                continue
            choice = self._choice(name)
            pool = mixed(choice.fit, self.choices.classes, rates)
            requests = self.choices.questions.windows * sum(rates.values()) / count
            lanes, percentile = choice.cell.lanes, self.wanted.percentile
            slo_s, block = self.limits.slo_s, choice.fit.block
            if latency_percentile(pool, lanes, requests, percentile, PLANNED, block) <= slo_s:
                continue
            try:
                most = highest_rate(pool, lanes, slo_s, percentile, PLANNED, block)
            except TooSlowError:
                most = 0.5 * requests
            now = used(problem.options, name).utilisation
            found[name] = now * min(0.99, most / requests)
        return found

    def _choice(self, name: str) -> Choice:
        return self.choices.options(self.limits, sure=False)[1][name]

    def predicted(self, name: str, rates: Mapping[str, float], count: int) -> dict[str, float]:
        """The percentile that the twin expects of one of `count` machines, in milliseconds, with
        the ends between which 95 % of the bootstraps lie."""
        choice = self._choice(name)
        lanes, percentile = choice.cell.lanes, self.wanted.percentile
        requests = self.choices.questions.windows * sum(rates.values()) / count
        pool = mixed(choice.fit, self.choices.classes, rates)

        def of(pool: np.ndarray, size: Streams) -> float:
            return latency_percentile(pool, lanes, requests, percentile, size, choice.fit.block)

        value, base = of(pool, PLANNED), of(pool, DRAWN)
        random = np.random.default_rng([0, 6])
        drawn = []
        for _ in range(_P99_DRAWS):
            fit = choice.cell.at_load.again(random).fit()
            drawn.append(of(mixed(fit, self.choices.classes, rates), DRAWN) / base)
        low, high = np.quantile(drawn, [0.025, 0.975])
        return {
            "value": 1000 * value,
            "low": 1000 * value * min(1.0, float(low)),
            "high": 1000 * value * max(1.0, float(high)),
        }


def make_plan(files: Mapping[str, CellFile], wanted: Wanted) -> dict[str, Any]:
    """plan.json: the plan at the confidence bound, and what stands beside it.

    `files`: cells.json of each machine of `wanted`, by its name. `UserError` where no cell can be
    planned with, or where files do not belong together.
    """
    planning = Planning(files, wanted)
    choices, limits = planning.choices, planning.limits
    dropped = choices.options(limits, sure=False)[2]
    problem = planning.problem(limits, sure=True)
    plan, carried = planning.checked(problem)
    point, point_carried = planning.checked(planning.problem(limits, sure=False))
    result: dict[str, Any] = {
        "settings": _settings(planning),
        "machines": {
            name: {"cpu": file.cpu, "cores": file.cores, "fingerprint": file.fingerprint}
            for name, file in files.items()
        },
        "processes": {name: asdict(file.cells[0].spread) for name, file in files.items()},
        "options_considered": sum(len(file.cells) for file in files.values()),
        "dropped": [
            {"option": each.name, "reason": each.reason, "detail": each.detail} for each in dropped
        ],
        "disturbed": sorted(
            {each.name for each in choices.sorted_out(limits)[0] if each.cell.validity != "valid"}
        ),
        "status": plan.status,
        "rate": sum(carried.demand.values()) if plan.status == "optimal" else wanted.rate,
        "cost": plan.cost if wanted.objective != "machines" else None,
        "fleet": _fleet(planning, plan, carried) if plan.status == "optimal" else [],
        "point": {
            "status": point.status,
            "rate": sum(point_carried.demand.values()) if point.status == "optimal" else None,
            "cost": point.cost if wanted.objective != "machines" else None,
            "machines": dict(point.machines or {}),
        },
        "versions": _versions(),
        "cells_sha256": {name: sha256(file.path) for name, file in files.items()},
    }
    if plan.status == "optimal":
        return result | beside.of_plan(planning, plan, carried)
    slowest = choices.bottleneck(limits)
    return result | {
        "bottleneck": None
        if slowest is None
        else {
            "class": slowest[0],
            "option": slowest[1].name,
            "service_ms": 1000 * slowest[2],
        },
        "relaxations": beside.relaxed(planning),
    }


def _settings(planning: Planning) -> dict[str, Any]:
    wanted = planning.wanted
    return {
        "rate": wanted.rate,
        "classes": {name: each.share for name, each in planning.choices.classes.items()},
        "percentile": wanted.percentile,
        "slo_ms": 1000 * planning.limits.slo_s,
        "slo_given": wanted.slo_ms is not None,
        "minimum_f1": wanted.minimum_f1,
        "minimum_f1_share": wanted.minimum_f1_share,
        "objective": wanted.objective,
        "budget": wanted.budget,
        "confidence": wanted.confidence,
        "spare": wanted.spare,
        "currency": wanted.currency,
        "prices_as_of": wanted.prices_as_of,
        "windows": planning.choices.questions.windows,
        "machines": {
            name: {"price": kind.price, "most": kind.most} for name, kind in wanted.machines.items()
        },
    }


def _fleet(planning: Planning, plan: Plan, problem: Problem) -> list[dict[str, Any]]:
    """A row for each option that is used."""
    rows = []
    for name, count in (plan.machines or {}).items():
        choice, option = planning._choice(name), used(problem.options, name)
        rates = (plan.rates or {}).get(name, {})
        rows.append(
            {
                "option": name,
                "machine": choice.machine,
                "run": choice.cell.run,
                "engine": choice.cell.engine,
                "precision": choice.cell.precision,
                "layout": choice.cell.layout,
                "machines": count,
                "rates": dict(rates),
                "utilisation": _load(option, rates) / count,
                "most_utilisation": option.utilisation,
                "predicted_ms": planning.predicted(name, rates, count) if rates else None,
                "f1": choice.cell.f1,
                "f1_share": choice.cell.f1_share,
                "validity": choice.cell.validity,
                "price": planning.wanted.machines[choice.machine].price,
            }
        )
    return rows


def _load(option: Option, rates: Mapping[str, float]) -> float:
    """Machines that are busy all the time."""
    return sum(option.seconds[length] * rate for length, rate in rates.items())


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package in ("pulp", "scipy", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found
