"""How long a plan of 40 options, 4 classes of length and 5 kinds of machines takes, printed.

    make plan-time

The goals are 2 s for the plan and 10 s for what stands beside it.
"""

import time
import warnings

import numpy as np

from bertsquad.planner.problem import Machine, Option, Problem
from bertsquad.planner.program import solve
from bertsquad.planner.sensitivity import break_even, head_room, marginal, runner_up

OPTIONS, CLASSES, KINDS = 40, 4, 5


def problem(seed: int) -> Problem:
    """A made-up demand that several kinds of machines carry."""
    random = np.random.default_rng(seed)
    machines = {
        f"m{kind}": Machine(round(float(random.uniform(0.5, 8)), 2), 10) for kind in range(KINDS)
    }
    options = tuple(
        Option(
            f"o{number}",
            f"m{number % KINDS}",
            {
                f"c{place}": float(random.uniform(0.002, 0.02)) * (1 + place)
                for place in range(CLASSES)
            },
            float(random.uniform(0.4, 0.9)),
        )
        for number in range(OPTIONS)
    )
    demand = {f"c{place}": float(random.uniform(20, 120)) for place in range(CLASSES)}
    return Problem(machines, options, demand)


def main() -> None:
    warnings.simplefilter("ignore")
    for seed in range(3):
        asked = problem(seed)
        start = time.perf_counter()
        plan = solve(asked)
        solved = time.perf_counter() - start
        start = time.perf_counter()
        head_room(asked, plan)
        marginal(asked)
        runner_up(asked, plan)
        for machine in asked.machines:
            break_even(asked, machine)
        beside = time.perf_counter() - start
        print(f"seed {seed}: {plan.status}, plan {solved:.2f} s, beside it {beside:.2f} s")


if __name__ == "__main__":
    main()
