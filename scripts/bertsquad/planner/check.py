"""A plan beside a real server: what the twin expects of one run, and whether it came so."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bertsquad.benchmark.twin import fcfs, in_blocks
from bertsquad.console.errors import UserError
from bertsquad.planner.capacity import mixed
from bertsquad.planner.cells import Cell, CellFile
from bertsquad.planner.demand import LengthClass
from bertsquad.planner.page import number
from bertsquad.planner.services import Services
from bertsquad.reporting.summary.result_files import read_object

DRAWS = 200
_COVERED = (0.025, 0.5, 0.975)
_POOL = 4000
_SHARES = 0.01  # by which the mix that an option is sent may differ from that of all questions


@dataclass(frozen=True, slots=True)
class Measured:
    """A run of a server."""

    latencies_ms: np.ndarray  # float64[n], from the scheduled arrival
    validity: str
    twin: str  # whether the run's own queue fits: "fits" or "refuted"
    inflation: float | None  # mean service at load over that with all lanes busy
    started_at: str


def read_measured(cell: Path) -> Measured:
    """A run from its cell of mode server, beside which its samples are."""
    data = read_object(cell)
    with np.load(cell.with_name(f"{cell.stem}-samples.npz")) as samples:
        latencies = (samples["end_ns"] - samples["due_ns"]) / 1e6
    return Measured(
        latencies,
        data["validity"]["verdict"],
        data["twin"]["verdict"],
        data["service"]["inflation"],
        data["started_at"],
    )


def expected_run(
    services: Services,
    classes: Mapping[str, LengthClass],
    shares: Mapping[str, float],
    lanes: int,
    rate: float,
    requests: int,
    percentile: int,
) -> dict[str, float]:
    """The percentile of one run of so many Poisson requests, milliseconds: `value`, the median of
    what is expected, and the ends of 95 % of it. The doubt is that of the services, which are
    bootstrapped, of the process that will serve, and of the run's own arrivals."""
    random = np.random.default_rng([0, 8])
    found = []
    for _ in range(DRAWS):
        fit = services.again(random).fit()
        pool = mixed(fit, classes, shares, _POOL)
        arrivals = np.cumsum(random.exponential(1 / rate, requests))
        latencies = fcfs(arrivals, in_blocks(pool, requests, fit.block, random), lanes)
        found.append(np.percentile(latencies, percentile, method="inverted_cdf"))
    low, value, high = (1000 * float(each) for each in np.quantile(found, _COVERED))
    return {"low": low, "value": value, "high": high}


def checks(
    plan: Mapping[str, Any],
    files: Mapping[str, CellFile],
    classes: Mapping[str, Mapping[str, LengthClass]],
    fingerprint: str,
    serve: Callable[[Mapping[str, Any], float], Measured],
) -> list[dict[str, Any]]:
    """A row for each option of the plan: checked on this machine, or why it was not.

    `classes`: of each machine; `serve` runs one machine of a row of the fleet at requests a
    second. `UserError` where no machine of the plan is this one, and where there is no plan.
    """
    if plan["status"] != "optimal":
        raise UserError("the plan is not possible, so there is nothing to check: see plan.txt")
    known = {name: each["fingerprint"] for name, each in plan["machines"].items()}
    here = {name for name, each in known.items() if each == fingerprint}
    if not here:
        names = ", ".join(f"{name} is a {plan['machines'][name]['cpu']}" for name in known)
        raise UserError(
            f"this machine is not one of the plan ({names}); copy plan.json and cells.json to one "
            "of them and run `snakemake check_plan` there"
        )
    rows = []
    for row in plan["fleet"]:
        why = _why_not(plan, row, here)
        if why:
            rows.append({"option": row["option"], "verdict": "not checked", "why": why})
            continue
        cell = _cell(files, row)
        rate = plan["settings"]["windows"] * sum(row["rates"].values()) / row["machines"]
        measured = serve(row, rate)
        expected = expected_run(
            cell.at_load,
            classes[row["machine"]],
            row["rates"],
            cell.lanes,
            rate,
            len(measured.latencies_ms),
            plan["settings"]["percentile"],
        )
        rows.append(_checked(plan, row, rate, expected, measured))
    return rows


def _cell(files: Mapping[str, CellFile], row: Mapping[str, Any]) -> Cell:
    """The cell that a row of the fleet was planned with."""
    file = files.get(row["machine"])
    for each in file.cells if file is not None else ():
        if f"{row['machine']}: {each.name}" == row["option"]:
            return each
    raise UserError(
        f"{row['option']}: planned, but not among the cells that are given; run `snakemake plan` "
        "again, with the machines of that plan"
    )


def _why_not(plan: Mapping[str, Any], row: Mapping[str, Any], here: set[str]) -> str:
    """Why an option cannot be checked here; "" where it can."""
    if row["machine"] not in here:
        return f"it runs on another machine, {row['machine']}"
    total = sum(row["rates"].values())
    if total == 0:
        return "it is sent nothing: it is there for when others fail"
    for name, share in plan["settings"]["classes"].items():
        if abs(row["rates"].get(name, 0.0) / total - share) > _SHARES:
            return "it is sent another mix of lengths than all questions have"
    return ""


def _checked(
    plan: Mapping[str, Any],
    row: Mapping[str, Any],
    rate: float,
    expected: Mapping[str, float],
    measured: Measured,
) -> dict[str, Any]:
    percentile, slo_ms = plan["settings"]["percentile"], plan["settings"]["slo_ms"]
    found = float(np.percentile(measured.latencies_ms, percentile, method="inverted_cdf"))
    inside = expected["low"] <= found <= expected["high"]
    return {
        "option": row["option"],
        "rate": rate,
        "requests": len(measured.latencies_ms),
        "percentile": percentile,
        "slo_ms": slo_ms,
        "predicted_ms": dict(expected),
        "measured_ms": found,
        "within_slo": found <= slo_ms,
        "verdict": "confirmed" if inside else "refuted",
        "validity": measured.validity,
        "twin": measured.twin,
        "inflation": measured.inflation,
        "started_at": measured.started_at,
    }


def in_words(row: Mapping[str, Any]) -> str:
    """A row as one line."""
    if row["verdict"] == "not checked":
        return f"not checked: {row['option']}: {row['why']}"
    expected = row["predicted_ms"]
    met = "within" if row["within_slo"] else "BEYOND"
    trust = "" if row["validity"] == "valid" else f"; the run was {row['validity']}"
    return (
        f"{row['verdict']}: {row['option']} at {number(row['rate'])} requests/s: p"
        f"{row['percentile']} {number(row['measured_ms'])} ms of {row['requests']} requests, "
        f"predicted {number(expected['low'])} to {number(expected['high'])}, {met} the SLO of "
        f"{number(row['slo_ms'])} ms{trust}"
    )


def read_record(path: Path) -> list[dict[str, Any]]:
    """All checks so far, the oldest first; `UserError` for a line that is none."""
    if not path.exists():
        return []
    rows = []
    for place, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            rows.append({**row, "verdict": str(row["verdict"])})
        except (ValueError, TypeError, KeyError):
            raise UserError(
                f"{path}: line {place} is no check of a plan; remove the line, or the file"
            ) from None
    return rows


def summary(record: Sequence[Mapping[str, Any]]) -> str:
    """How good the predictions were: hits and misses of all checks."""
    checked = [row for row in record if row["verdict"] in ("confirmed", "refuted")]
    hits = sum(row["verdict"] == "confirmed" for row in checked)
    return f"{hits} of {len(checked)} predictions so far within their interval"
