"""What this machine can do, as a table: a row for each engine and precision, measured or not."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bertsquad.benchmark.flops import ceiling_gflops, useful_flops, useful_flops_of
from bertsquad.benchmark.validity import VERDICTS, reasons_in_words
from bertsquad.console.errors import UserError
from bertsquad.engines import PRECISIONS
from bertsquad.reporting.formats import mebibytes, percent, short

_COLUMNS = [
    *("engine", "precision", "native", "threads"),
    *("features_per_second", "useful_gflops", "ceiling_gflops", "ceiling_share"),
    *("features", "mean_length"),
    *("padded_features_per_second", "padded_useful_gflops", "padded_computed_gflops"),
    *("latency_p50_ms", "latency_p90_ms", "latency_p99_ms", "requests"),
    *("peak_memory_mib", "other_cpus", "left_out"),
    *("latency_max_ms", "validity", "validity_reasons"),
]
SCENARIOS = ("offline", "padded", "requests")
STEADY = 0.9
_NOT_GIVEN = "it was not measured"
_EMULATED = "this processor has no instructions for {precision} and would emulate it"


def speed_table(
    cells: Iterable[Mapping[str, Any]], ceilings: Mapping[str, Any], config: Mapping[str, int]
) -> pd.DataFrame:
    """A row for each engine and precision there is, in the order of PRECISIONS.

    `cells` are those of the benchmark in SCENARIOS, `ceilings` what measure_ceilings.py writes,
    `config` the model's config.json. UserError where a scenario is missing.

    `ceiling_gflops` is one for each precision: the most that its products reached in any process of
    the run. `ceiling_share` is the useful rate at real lengths as a share of it; empty where the
    precision is emulated, or where products of the row's own process had a median rate below
    STEADY of it: the machine was slower then. `left_out`: why there are no numbers.
    """
    cells = list(cells)
    best = best_ceilings(cells, ceilings)
    measured: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for cell in cells:
        of_one = measured.setdefault((cell["engine"], cell["precision"]), {})
        of_one[cell.get("scenario", "")] = cell
    for (engine, precision), of_one in measured.items():
        if set(of_one) != set(SCENARIOS):
            raise UserError(
                f"cells of {engine} {precision}: scenarios {', '.join(map(repr, of_one))}; "
                f"expected one cell each of {', '.join(SCENARIOS)}, as `snakemake speed` measures"
            )
    rows = []
    for engine, precisions in PRECISIONS.items():
        for precision in precisions:
            found = measured.get((engine, precision))
            row: dict[str, Any] = {"engine": engine, "precision": precision}
            if found is None:
                row["native"] = ceilings["gemm"][precision]["native"]
                reason = _NOT_GIVEN if row["native"] else _EMULATED
                row["left_out"] = reason.format(precision=precision)
            elif refusals := [cell["refused"] for cell in found.values() if "refused" in cell]:
                row |= {"native": False, "left_out": refusals[0]}
            else:
                row |= numbers(found, best.get(precision), config)
            rows.append(row)
    return pd.DataFrame(rows, columns=_COLUMNS)


def best_ceilings(
    cells: Iterable[Mapping[str, Any]], ceilings: Mapping[str, Any]
) -> dict[str, float]:
    """GFLOP/s by precision: the best over all processes, those of the cells and that of `ceilings`.
    A precision that is emulated has none."""
    found = list(ceilings["gemm"].items())
    found += [(cell["precision"], cell["ceiling"]) for cell in cells if "ceiling" in cell]
    best: dict[str, float] = {}
    for precision, entry in found:
        rate = ceiling_gflops(entry)
        if rate is not None:
            best[precision] = max(rate, best.get(precision, 0.0))
    return best


def numbers(
    cells: Mapping[str, Mapping[str, Any]], ceiling: float | None, config: Mapping[str, int]
) -> dict[str, Any]:
    """What the cells of an engine and precision, by scenario, add to their row; `ceiling`: GFLOP/s
    of the precision in this run."""
    offline, padded, requests = (cells[name] for name in SCENARIOS)
    if not offline["native"]:
        ceiling = None
    steady = ceiling is not None and offline["ceiling"]["gflops_median"] >= STEADY * ceiling
    useful = useful_gflops(offline, config)
    latency = requests["latency_ms"]
    others = [cell["activity"].get("other_cpus") for cell in cells.values()]
    full = useful_flops(config, np.array([padded["max_seq_length"]])) / 1e9
    return {
        "native": offline["native"],
        "threads": offline["threads"],
        "features_per_second": offline["features_per_second"],
        "useful_gflops": useful,
        "ceiling_gflops": ceiling,
        "ceiling_share": useful / ceiling if ceiling and steady else None,
        "features": offline["features"],
        "mean_length": offline["tokens"] / offline["features"],
        "padded_features_per_second": padded["features_per_second"],
        "padded_useful_gflops": useful_gflops(padded, config),
        "padded_computed_gflops": padded["features_per_second"] * full,
        **{f"latency_{name}_ms": latency[name]["value"] for name in ("p50", "p90", "p99")},
        "latency_max_ms": latency["max"],
        "requests": latency["n"],
        "peak_memory_mib": max(cell["peak_memory_mib"] for cell in cells.values()),
        "other_cpus": max((cpus for cpus in others if cpus is not None), default=None),
        **_validity(cells),
    }


def useful_gflops(cell: Mapping[str, Any], config: Mapping[str, int]) -> float:
    """Operations on the real tokens of all that was timed, over its time."""
    flops = useful_flops_of(config, cell["tokens"], cell["squared_lengths"])
    gflops: float = flops / cell["features"] * cell["features_per_second"] / 1e9
    return gflops


def _validity(cells: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The worst verdict of the cells, and every cell's reasons."""
    found = {name: cell["validity"] for name, cell in cells.items()}
    worst = max((each["verdict"] for each in found.values()), key=VERDICTS.index)
    reasons = [f"{n}: {reasons_in_words(v['reasons'])}" for n, v in found.items() if v["reasons"]]
    return {"validity": worst, "validity_reasons": "; ".join(reasons)}


def ranked(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that were measured: the fastest first, those that were disturbed behind all others,
    so that none of them leads."""
    measured = table[table["left_out"].isna()]
    keys = measured.assign(doubted=measured["validity"] != VERDICTS[0])
    order = keys.sort_values(
        ["doubted", "features_per_second"], ascending=[True, False], kind="stable"
    )
    return measured.loc[order.index]


def of_machine(name: str, cells: Sequence[Mapping[str, Any]]) -> str:
    """Which machine a table is of, in a line: `machine half: AMD EPYC 9654, measured on n4`."""
    cpus = sorted({str(cell.get("cpu") or "an unknown processor") for cell in cells})
    hosts = sorted({str(cell.get("node") or cell.get("host") or "") for cell in cells} - {""})
    where = f", measured on {', '.join(hosts)}" if hosts else ""
    return f"machine {name}: {', '.join(cpus)}{where}"


def as_text(table: pd.DataFrame, ceilings: Mapping[str, Any]) -> str:
    """The table for a terminal: fastest first, then what was left out, then the ceilings."""
    measured = ranked(table)
    lines = [
        f"{'':20}{'real lengths, all at hand':^30}{'padded':^12}{'one request, ms':^41}",
        f"{'':20}{'features/s':>10}{'GFLOP/s':>9}{'of ceiling':>11}{'features/s':>12}"
        f"{'p50':>9}{'p90':>8}{'p99':>8}{'slowest of':>17}{'memory':>12}",
    ]
    lines += [_text_row(row) for _, row in measured.iterrows()]
    for reason, rows in table[table["left_out"].notna()].groupby("left_out", sort=False):
        names = ", ".join(rows["engine"] + " " + rows["precision"])
        lines.append(f"left out: {names}: {reason}")
    return "\n".join([*lines, *_ceiling_lines(measured, ceilings), *_doubts(measured)])


def _text_row(row: pd.Series) -> str:
    name = f"{row['engine']} {row['precision']}"
    share = no_share(row) or percent(row["ceiling_share"])
    latencies = "".join(
        f"{_known(row[f'latency_{name}_ms']):>{width}}"
        for name, width in (("p50", 9), ("p90", 8), ("p99", 8))
    )
    slowest = f"{row['requests']:.0f}: {short(row['latency_max_ms'])}"
    return (
        f"{name:20}{short(row['features_per_second']):>10}{short(row['useful_gflops']):>9}"
        f"{share:>11}{short(row['padded_features_per_second']):>12}{latencies}"
        f"{slowest:>17}{mebibytes(row['peak_memory_mib']):>12}"
    )


def no_share(row: pd.Series) -> str:
    """Why a row has no share of the ceiling, in a word; "" where it has one."""
    if not pd.isna(row["ceiling_share"]):
        return ""
    return "emulated" if pd.isna(row["ceiling_gflops"]) else "unsteady"


def _known(value: float) -> str:
    """A percentile, or "-" where there were too few requests for it."""
    return "-" if pd.isna(value) else short(value)


def _ceiling_lines(measured: pd.DataFrame, ceilings: Mapping[str, Any]) -> list[str]:
    """What the machine reached without a model: in any process, as the shares are of it."""
    of_rows = measured.groupby("precision")["ceiling_gflops"].max().dropna()
    best = {name: ceiling_gflops(found) for name, found in ceilings["gemm"].items()}
    products = [
        f"{precision} {short(rate)} GFLOP/s"
        for precision, rate in (best | of_rows.to_dict()).items()
        if rate
    ]
    memory = ceilings["memory"]
    threads = ceilings["threads"]
    return [
        f"ceilings on {threads} thread{'s' if threads != 1 else ''}: {', '.join(products)}; memory "
        f"{short(memory['read']['gb_per_s'])} GB/s read, {short(memory['copy']['gb_per_s'])} GB/s "
        "copied"
    ]


def _doubts(measured: pd.DataFrame) -> list[str]:
    """What is not to be trusted, and why."""
    return [
        f"{row['validity']}: {row['engine']} {row['precision']}: {row['validity_reasons']}"
        for _, row in measured.iterrows()
        if row["validity"] != VERDICTS[0]
    ]
