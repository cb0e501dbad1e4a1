"""plan.json in words: the answer first, then the fleet, what stands beside it, and what was left
out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from bertsquad.own_json import as_written, read_own_json

_Plan = Mapping[str, Any]
_OTHERS = 4  # dropped options that are told one by one


def as_text(plan: _Plan) -> str:
    """What `snakemake plan` prints."""
    lines = [answer(plan), *_warnings(plan)]
    if plan["status"] == "optimal":
        lines += ["", *_fleet(plan), "", *_beside(plan)]
    else:
        lines += ["", *_relaxations(plan)]
    return "\n".join([*lines, *_dropped(plan)]) + "\n"


def answer(plan: _Plan) -> str:
    """The plan in one sentence, or why there is none."""
    settings = plan["settings"]
    promise = f"p{settings['percentile']} within {number(settings['slo_ms'])} ms"
    if plan["status"] != "optimal":
        return _why_not(plan, promise)
    parts = [
        f"{row['machines']} x {row['machine']} ({row['engine']} {row['precision']}, layout "
        f"{row['layout']}{_f1(row)})"
        for row in plan["fleet"]
    ]
    several = len(parts) > 1 or any(row["machines"] > 1 for row in plan["fleet"])
    verb = "carry" if several else "carries"
    return (
        f"{' + '.join(parts)} {verb} {number(plan['rate'])} questions/s with {promise}{_for(plan)}"
    )


def opening(plan: _Plan) -> str:
    """The sentence that a report opens with. A disturbed cell leads no report, so a plan that takes
    one is no answer there."""
    taken = _disturbed(plan)
    if taken:
        were = "was disturbed while it was" if len(taken) == 1 else "were disturbed while they were"
        return (
            f"What to deploy cannot be said yet: the plan takes {' and '.join(taken)}, which "
            f"{were} measured; measure again on a quiet machine and run `snakemake plan`."
        )
    said = answer(plan)
    return f"{'The plan: ' if plan['status'] == 'optimal' else ''}{said[:1].upper()}{said[1:]}."


def opening_of(file: Path) -> str:
    """The same of a plan.json; `UserError` for one that is not as this version writes it."""
    plan = read_own_json(file)
    with as_written(file, again="`snakemake plan --forcerun make_plan` makes it again"):
        return opening(plan)


def _disturbed(plan: _Plan) -> list[str]:
    """The options of the fleet that were disturbed."""
    return sorted({row["option"] for row in plan["fleet"]} & set(plan["disturbed"]))


def _f1(row: _Plan) -> str:
    return "" if row["f1"] is None else f", F1 {row['f1']:.1f}"


def _for(plan: _Plan) -> str:
    settings = plan["settings"]
    if settings["prices_as_of"] is None or plan["cost"] is None:
        return ""
    cost = f"{number(plan['cost'])} {settings['currency']} an hour"
    return f", for {cost} (prices of {settings['prices_as_of']})"


def _why_not(plan: _Plan, promise: str) -> str:
    """The reason why there is no plan, the plainest one that there is."""
    settings, slowest = plan["settings"], plan.get("bottleneck")
    demand = "any" if settings["rate"] is None else number(settings["rate"])
    start = f"no plan carries {demand} questions/s with {promise}"
    if plan["status"] == "time_limit":
        return f"{start}: the solver ran out of time; plan fewer machines or kinds"
    reasons = {each["reason"] for each in plan["dropped"]}
    relaxed = {row["limit"]: row["to"] for row in plan["relaxations"]}
    if "F1" in reasons and slowest is None:
        return f"{start}: no engine and precision has the F1 asked for{_highest_f1(relaxed)}"
    if "memory" in reasons and slowest is None:
        return f"{start}: no machine has the memory{_least(relaxed, 'memory_mib', 'MiB')}"
    if slowest and slowest["service_ms"] > settings["slo_ms"]:
        classes = f" of the class {slowest['class']}" if len(settings["classes"]) > 1 else ""
        return (
            f"{start}: the quickest service alone{classes} ({slowest['option']}) takes "
            f"p{settings['percentile']} = {number(slowest['service_ms'])} ms; "
            f"give plan.slo.ms more{_least(relaxed, 'slo_ms', 'ms')}"
        )
    if settings["budget"] is not None and relaxed.get("budget") is not None:
        return (
            f"{start} for {number(settings['budget'])} {settings['currency']} an hour: the least "
            f"is {number(relaxed['budget'])} {settings['currency']}; raise plan.budget"
        )
    if [limit for limit, to in relaxed.items() if to is not None] == ["slo_ms"]:
        return (
            f"{start}: the services alone take almost as long, too near to be sure; give "
            f"plan.slo.ms more{_least(relaxed, 'slo_ms', 'ms')}"
        )
    return f"{start}: the machines that can be had are too few or too slow"


def _least(relaxed: Mapping[str, Any], limit: str, unit: str) -> str:
    to = relaxed.get(limit)
    return "" if to is None else f" (with {number(to)} {unit} there is a plan)"


def _highest_f1(relaxed: Mapping[str, Any]) -> str:
    found = {name: relaxed.get(name) for name in ("minimum_f1", "minimum_f1_share")}
    parts = [f"{name} {to:.4g}" for name, to in found.items() if to is not None]
    return f" (with {' or '.join(parts)} there is a plan)" if parts else ""


def _warnings(plan: _Plan) -> Iterator[str]:
    settings = plan["settings"]
    if not settings["slo_given"]:
        yield "plan.slo.ms is not given: it is five times the quickest median service"
    for name in _disturbed(plan):
        yield (
            f"not to be trusted: {name} was disturbed while it was measured, and its machine has "
            "no better cell; measure it again on a quiet machine"
        )
    for name, processes in plan["processes"].items():
        if processes["freedom"] == 0:
            yield (
                f"{name}: no cell was measured by two processes, so how much they differ is not "
                "known, and intervals are too narrow; benchmark.repeats: 3 tells"
            )


def _fleet(plan: _Plan) -> Iterator[str]:
    percentile = f"p{plan['settings']['percentile']}"
    yield (
        f"{'machines':>8}  {'option':44} {'questions/s':>11} {'busy':>6} {'at most':>8} "
        f"{percentile + ' predicted, ms':>26}"
    )
    for row in plan["fleet"]:
        expected = row["predicted_ms"]
        latency = (
            "-"
            if expected is None
            else f"{number(expected['value'])} ({number(expected['low'])} to "
            f"{number(expected['high'])})"
        )
        yield (
            f"{row['machines']:8}  {row['option']:44} {number(sum(row['rates'].values())):>11} "
            f"{row['utilisation']:6.0%} {row['most_utilisation']:8.0%} {latency:>26}"
        )


def _beside(plan: _Plan) -> Iterator[str]:
    settings = plan["settings"]
    money = f"{settings['currency']} an hour"
    confidence = f"{settings['confidence']:.0%}"
    room = plan["head_room"]
    if settings["objective"] != "rate":
        yield (
            f"head room: grows to {number(room['rate'])} questions/s "
            f"({100 * (room['times'] - 1):+.1f} %) with the same machines"
        )
    yield f"holds in {plan['holds_in']:.1%} of draws of what the machines carry"
    yield from _certainty(plan, confidence, money)
    if plan["cost_per_1000"] is not None:
        yield f"1,000 questions cost {number(plan['cost_per_1000'])} {settings['currency']}"
    yield f"energy: {plan['energy']}"
    if plan["marginal"]:
        per = ", ".join(
            f"{name} {number(each)}" for name, each in plan["marginal"]["per_question"].items()
        )
        gap = plan["cost"] / plan["marginal"]["cost"] - 1 if plan["marginal"]["cost"] else 0.0
        yield (
            f"one more question/s costs {per} {money} ({plan['marginal']['note']}; the plan is "
            f"{gap:.0%} above it)"
        )
    yield from _break_even(plan, money)
    second = plan["runner_up"]
    if second is not None:
        machines = " + ".join(f"{count} x {name}" for name, count in second["machines"].items())
        cost = f", {number(second['cost'])} {money}" if plan["marginal"] else ""
        yield f"runner-up: {machines}{cost}"


def _certainty(plan: _Plan, confidence: str, money: str) -> Iterator[str]:
    """The plan at the point values beside the one at the bound."""
    point = plan["point"]
    if point["status"] != "optimal":
        return
    if plan["settings"]["objective"] == "rate":
        yield (
            f"at the measured values, without the bound of {confidence}: "
            f"{number(point['rate'])} questions/s"
        )
    elif point["machines"] == {row["option"]: row["machines"] for row in plan["fleet"]}:
        yield f"certainty of {confidence} costs nothing: the measured values give the same machines"
    else:
        machines = " + ".join(f"{count} x {name}" for name, count in point["machines"].items())
        cost = (
            ""
            if plan["cost"] is None or point["cost"] is None
            else f", {number(plan['cost'] - point['cost'])} {money} less"
        )
        yield f"without the bound of {confidence}: {machines}{cost}"


def _break_even(plan: _Plan, money: str) -> Iterator[str]:
    for row in plan["break_even"] if len(plan["break_even"]) > 1 else []:
        if row["always"]:
            yield f"{row['machine']}: no plan without it, whatever it costs"
        elif row["below"] is None:
            yield f"{row['machine']}: not in the plan, not even for nothing"
        else:
            verb = "leaves the plan above" if row["used"] else "enters the plan below"
            yield f"{row['machine']}: {verb} {number(row['below'])} {money}"


def _relaxations(plan: _Plan) -> Iterator[str]:
    helps = [row for row in plan["relaxations"] if row["to"] is not None]
    if helps:
        yield "relax one of these:"
    for row in helps:
        yield f"  {row['limit']}: {number(row['to'])}"
    never = [row["limit"] for row in plan["relaxations"] if row["to"] is None]
    if never:
        yield f"none of these helps alone: {', '.join(never)}"


def _dropped(plan: _Plan) -> Iterator[str]:
    """What was not planned with: counted by reason, the first ones told."""
    dropped = plan["dropped"]
    if not dropped:
        return
    counts: dict[str, int] = {}
    for each in dropped:
        counts[each["reason"]] = counts.get(each["reason"], 0) + 1
    told = ", ".join(f"{reason} {count}" for reason, count in counts.items())
    yield f"left out {len(dropped)} of {plan['options_considered']} options: {told}"
    for each in dropped[:_OTHERS]:
        yield f"  {each['option']}: {each['detail']}"


def number(value: float) -> str:
    """Four significant digits, no exponent: 0.00003333, 0.02267, 4.4, 153.4, 12,480."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{Decimal(f'{value:.4g}'):f}"
