"""How near a plan is to another, on the worked example."""

from dataclasses import replace

import pytest

from bertsquad.planner.problem import Machine, Option, Problem
from bertsquad.planner.program import solve
from bertsquad.planner.sensitivity import (
    Relaxation,
    break_even,
    head_room,
    marginal,
    relaxations,
    runner_up,
)

SMALL = Option("small", "small", {"short": 0.020}, 0.60)
BIG = Option("big", "big", {"short": 0.005, "long": 0.012}, 0.75)
EXAMPLE = Problem(
    {"small": Machine(1.0, 4), "big": Machine(3.4, 3)}, (SMALL, BIG), {"short": 130, "long": 20}
)


def test_head_room_is_what_the_same_machines_carry():
    # 30 short on small; (0.75 - 0.24 t) / 0.005 on big: 180 - 48 t = 130 t.
    assert head_room(EXAMPLE, solve(EXAMPLE)) == pytest.approx(180 / 178, rel=1e-9)


def test_marginal_cost_is_the_relaxations():
    found = marginal(EXAMPLE)
    assert found.cost == pytest.approx(4.034667, abs=1e-6)
    assert found.per_question["short"] == pytest.approx(0.022667, abs=1e-6)
    assert found.per_question["long"] == pytest.approx(0.0544, abs=1e-6)


@pytest.mark.parametrize("spare", [0, 1])
@pytest.mark.parametrize("length", ["short", "long"])
def test_one_more_question_costs_what_the_relaxation_with_it_costs_more(spare, length):
    machines = {"small": Machine(1.0, 40), "big": Machine(3.4, 30)}
    problem = replace(EXAMPLE, machines=machines, spare=spare)
    more = {**problem.demand, length: problem.demand[length] + 0.1}
    rise = marginal(replace(problem, demand=more)).cost - marginal(problem).cost
    assert rise > 0
    assert marginal(problem).per_question[length] == pytest.approx(rise / 0.1, rel=1e-3)


def test_the_runner_up_has_other_options():
    plan = runner_up(EXAMPLE, solve(EXAMPLE))
    assert plan.cost == pytest.approx(6.8)
    assert plan.machines == {"big": 2}


def test_there_may_be_no_runner_up():
    alone = replace(EXAMPLE, options=(BIG,))
    assert runner_up(alone, solve(alone)).status == "infeasible"


def test_small_machines_leave_where_a_second_big_one_is_as_cheap():
    price = break_even(EXAMPLE, "small")
    assert price == pytest.approx(3.4, rel=1e-5)
    for factor, there in ((0.999, True), (1.001, False)):
        machines = {**EXAMPLE.machines, "small": Machine(price * factor, 4)}
        assert ("small" in solve(replace(EXAMPLE, machines=machines)).machines) == there


def test_a_machine_without_which_there_is_no_plan_has_no_break_even_price():
    assert break_even(EXAMPLE, "big") == float("inf")


def test_a_machine_that_never_helps_has_none_either():
    useless = replace(EXAMPLE, options=(BIG,))
    assert break_even(useless, "small") is None


def test_an_infeasible_problem_names_each_limit_that_alone_would_help():
    found = relaxations(replace(EXAMPLE, budget=4.0))
    assert [each.limit for each in found] == ["rate", "budget"]
    # One big machine and no small one: 0.005 · 130 t + 0.012 · 20 t = 0.75.
    assert found[0].to == pytest.approx(150 * 0.75 / 0.89, rel=1e-6)
    assert found[1].to == pytest.approx(4.4)


def test_machines_that_are_missing_are_counted():
    few = replace(EXAMPLE, machines={"small": Machine(1.0, 0), "big": Machine(3.4, 1)})
    found = relaxations(few)
    assert Relaxation("most of small", 1) in found
    assert Relaxation("most of big", 2) in found
