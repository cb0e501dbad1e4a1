"""A scenario under load: its cells, and what a schema cannot say about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bertsquad.benchmark.loads import Load
from bertsquad.console.errors import UserError

# What each kind of arrivals takes beside its rate.
TAKES = {
    "poisson": (),
    "constant": (),
    "gamma": ("burstiness",),
    "on_off": ("high", "on_s", "off_s"),
    "trace": ("file",),
}


# Keys of a scenario that modes under load alone have.
KEYS = (
    *("layouts", "shares", "rates", "slo_ms", "seconds", "requests", "capacity_seconds"),
    *("arrivals", "max_tokens", "wait_ms", "seed"),
)


# Those of them that mode server alone has.
SERVER_KEYS = (
    *("shares", "rates", "slo_ms", "requests", "capacity_seconds", "arrivals", "wait_ms"),
)


def take_out(scenario: dict[str, Any], given: Mapping[str, Any], place: str) -> None:
    """Leave out KEYS, which say nothing in another mode; UserError where one was given."""
    for key in KEYS:
        if key in given:
            raise UserError(
                f"{place}: {key} has no part in mode {scenario['mode']}, which serves no layout; "
                "leave it out, or take mode saturated or server"
            )
        del scenario[key]


def cells(scenario: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Layout and load of each of a scenario's cells."""
    if scenario["mode"] == "saturated":
        loads = [Load("saturated")]
    else:
        loads = [Load("share", share) for share in scenario["shares"]]
        loads += [Load("rate", rate) for rate in scenario["rates"]]
        loads += [Load("slo", scenario["slo_ms"])] if scenario["slo_ms"] is not None else []
    return [(layout, str(load)) for layout in scenario["layouts"] for load in loads]


def check(scenario: Mapping[str, Any], given: Mapping[str, Any], place: str) -> None:
    """What a schema cannot say: UserError for a server without a load, for arrivals that lack
    something or have what they do not take, and for a key that would do nothing."""
    if scenario["mode"] == "saturated":
        for key in SERVER_KEYS:
            if key in given:
                raise UserError(
                    f"{place}: {key} has no part in mode saturated, whose lanes are always busy; "
                    "leave it out, or take mode server"
                )
    if scenario["wait_ms"] and scenario["max_tokens"] is None:
        raise UserError(
            f"{place}: wait_ms is {scenario['wait_ms']}, but without max_tokens a lane waits for "
            "no other request; leave it out, or give max_tokens"
        )
    if scenario["mode"] == "server" and not cells(scenario):
        raise UserError(f"{place}: mode server has no load; give shares, rates or slo_ms")
    arrivals = scenario["arrivals"]
    kind, found = arrivals["kind"], set(arrivals) - {"kind"}
    if found != set(TAKES[kind]):
        takes = ", ".join(TAKES[kind]) or "nothing else"
        raise UserError(
            f"{place}.arrivals: found {', '.join(sorted(found)) or 'no more than the kind'}, but "
            f"{kind} takes {takes}"
        )
    if kind == "on_off":
        most = (arrivals["on_s"] + arrivals["off_s"]) / arrivals["on_s"]
        if arrivals["high"] > most:
            raise UserError(
                f"{place}.arrivals: high is {arrivals['high']}; expected at most {most:g}, "
                "(on_s + off_s) / on_s, which keeps the rate"
            )
