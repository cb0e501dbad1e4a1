"""The first sentence of the report: what to deploy on this machine, or why that cannot be said yet.

It rests on measured cells alone: a rate within a limit of p99 that a server was seen to keep, else
single requests at real lengths. What failed, is emulated or was disturbed never leads.
"""

from __future__ import annotations

from collections.abc import Sequence

from bertsquad.benchmark.modes import DEFAULT
from bertsquad.benchmark.percentiles import needed
from bertsquad.reporting.formats import score, short
from bertsquad.reporting.summary.columns import Row
from bertsquad.reporting.summary.standing import DISTURBED, FAILED, standing
from bertsquad.reporting.summary.summary import Summary, records

SERVER = "server"
_P99 = 99


def deployments(summary: Summary, command: str = "snakemake --cores all") -> str:
    """A sentence, of each kind of machine where there are several."""
    if not summary.machines:
        return deployment(summary, command)
    return " ".join(
        deployment(summary.of_machine(machine), command, f"machine {machine}")
        for machine in summary.machines
    )


def deployment(
    summary: Summary, command: str = "snakemake --cores all", where: str = "this machine"
) -> str:
    """One sentence; `command` makes the results, and its target `plan` tells more."""
    rates = [row for row in _good(summary, SERVER) if row["slo_met"] and row["slo_ms"]]
    # Too few requests have no p99, so they confirm none.
    confirmed = [
        row
        for row in rates
        if row["slo_search"] == "confirmed" and row["latency_p99_ms"] is not None
    ]
    if confirmed:
        best = max(_of_best_model(confirmed), key=lambda row: row["arrival_rate"] or 0)
        return _served(best, where)
    single = [row for row in _good(summary, DEFAULT) if _is_single(row)]
    if single:
        best = max(_of_best_model(single), key=lambda row: row["features_per_second"] or 0)
        return _one_by_one(best, command, where)
    return _not_yet(summary, command, where)


def _good(summary: Summary, mode: str) -> list[Row]:
    return records(summary.results([mode]))


def _is_single(row: Row) -> bool:
    return row["padding"] == "none" and row["batch_size"] == 1


def _of_best_model(rows: Sequence[Row]) -> list[Row]:
    """Those of the run with the highest F1 of all; where none is scored, all."""
    best = max(rows, key=lambda row: -1.0 if row["f1"] is None else row["f1"])
    return [row for row in rows if row["run"] == best["run"]]


def _served(row: Row, where: str) -> str:
    tail = "" if row["latency_p99_ms"] is None else f" (measured {short(row['latency_p99_ms'])} ms)"
    return (
        f"Deploy {_model(row)} on {where}, layout {row['layout']}: it carries "
        f"{short(row['arrival_rate'] or 0)} requests a second with p99 within "
        f"{short(row['slo_ms'] or 0)} ms{tail}, {_f1(row)}."
    )


def _one_by_one(row: Row, command: str, where: str) -> str:
    """Of a cell of single requests: no queue, so the rate within a limit is still to be planned."""
    requests, needs = int(row["iterations"] or 0), needed(_P99)
    opening = (
        f"Deploy {_model(row)} on {where}, layout 1x1x{row['threads']}: it answers "
        f"{short(row['features_per_second'] or 0)} requests a second, one after another, "
    )
    if row["latency_p99_ms"] is not None:
        return (
            f"{opening}with p99 {short(row['latency_p99_ms'])} ms, {_f1(row)}; "
            f"`{planning_command(command)}` tells which rate keeps a limit of p99."
        )
    median = "" if row["latency_p50_ms"] is None else f"p50 {short(row['latency_p50_ms'])} ms, "
    return (
        f"{opening}{median}{_f1(row)}; p99 and the rate within it cannot be said from {requests} "
        f"requests: `{planning_command(command)} --config benchmark='{{iterations: {needs}}}'` "
        "tells."
    )


def _not_yet(summary: Summary, command: str, where: str) -> str:
    """Why no cell can lead, the plainest reason, and what to do."""
    line = " && ".join(command.splitlines())
    opening = f"What to deploy on {where} cannot be said yet: "
    timed = [row for row in records(summary.cells_of([DEFAULT])) if _is_single(row)]
    if not timed:
        does = f"`{planning_command(command)}` does it"
        return f"{opening}no single requests at real lengths were timed; {does}."
    found = [standing(row) for row in timed]
    if DISTURBED in found:
        return (
            f"{opening}every cell of single requests that might lead was disturbed while it was "
            f"timed; `{line} --forcerun benchmark_inference` measures again, on a quiet machine."
        )
    if set(found) == {FAILED}:
        return (
            f"{opening}every engine and precision that was timed loses too much F1; add another "
            f"to `engines` and run `{line}` again."
        )
    return (
        f"{opening}what was timed is emulated on this processor, or loses too much F1; add fp32 to "
        f"`engines` and run `{line}` again."
    )


def planning_command(command: str) -> str:
    """The command, whose last line calls snakemake, with the target `plan`: before --configfile,
    which takes in whatever follows."""
    line = " && ".join(command.splitlines())
    start, option, files = line.partition(" --configfile ")
    return f"{start} plan{option}{files}"


def _model(row: Row) -> str:
    return f"{row['engine']} {row['precision']}"


def _f1(row: Row) -> str:
    return "F1 not scored" if row["f1"] is None else f"F1 {score(row['f1'])} %"
