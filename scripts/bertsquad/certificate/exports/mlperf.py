"""A system description and summaries in the shape of MLPerf Inference, said to be unofficial.

Nothing here is an MLPerf result: LoadGen did not run, nobody submitted or audited it, and our runs
are shorter than its rules ask. So people who read such files can read these, and no more. Shapes:
SYSTEM_DESC_REQUIRED_FIELDS of the submission checker, loadgen/results.cc and loadgen/mlperf.conf
(mlcommons/inference). Every measured cell that fits one of its scenarios has a summary; a disturbed
one is INVALID and says why. left_out.txt names the others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bertsquad.benchmark.early_stopping import estimate, overlatency
from bertsquad.benchmark.percentiles import PERCENTILES, needed
from bertsquad.benchmark.statistics import percentile
from bertsquad.certificate.exports.facts import Facts
from bertsquad.certificate.exports.words import (
    cell_name,
    code_in_words,
    left_out,
    model_name,
    refused,
    why_not_counted,
)
from bertsquad.certificate.schema import Certificate
from bertsquad.machine.reading import value

UNOFFICIAL = (
    "UNOFFICIAL: not an MLPerf result. LoadGen did not run; not submitted to, reviewed or verified "
    "by MLCommons. MLPerf is a trademark of MLCommons."
)
_RULE = "=" * 48
# Of mlperf.conf, for BERT.
_MIN_SECONDS = 600.0
_MIN_SAMPLES_OFFLINE = 10_833
_PERCENT = {"SingleStream": 90, "Server": 99}
_NS = 1_000_000  # of a millisecond


def export(facts: Facts) -> dict[str, str]:
    """`system_desc.json`, of several kinds of machines `system_desc_{kind}.json`;
    `{cell}/mlperf_log_summary.txt` and `left_out.txt`."""
    found, others = {}, refused(facts.summary)
    for kind, machine in facts.machines.items():
        name = f"system_desc_{kind}.json" if kind else "system_desc.json"
        found[name] = _json(system_description(machine, facts.certificate))
    for row, file in facts.cells():
        scenario = scenario_of(row)
        if scenario is None:
            others.append(
                f"{model_name(row)}: {cell_name(row)}: mode {row['mode']}"
                + ("" if row["batch_size"] is None else f", batch {row['batch_size']:.0f}")
                + ": no scenario of MLPerf"
            )
            continue
        text = summary(dict(row), file.data, scenario)
        found[f"{file.name}/mlperf_log_summary.txt"] = text
    return found | {"left_out.txt": left_out(others, "the summaries in MLPerf's shape")}


def scenario_of(row: Mapping[str, Any]) -> str | None:
    """MLPerf's word for what a cell measured; None: it has none."""
    if row["mode"] == "batches":
        return "SingleStream" if row["batch_size"] == 1 else None
    return {"offline": "Offline", "server": "Server"}.get(row["mode"])


def system_description(described: Mapping[str, Any], certificate: Certificate) -> dict[str, Any]:
    """All fields that MLPerf's checker asks for; what the machine does not tell is `unknown`."""
    machine = dict(described)

    def told(*keys: str) -> Any:
        return value(machine, *keys)

    sockets, cores = told("cpu", "sockets"), told("cpu", "cores")
    memory = told("memory_mib")
    versions = told("versions") or {}
    libraries = [f"{n} {versions[n]}" for n in sorted(versions) if isinstance(versions[n], str)]
    none = dict.fromkeys(_OF_ACCELERATORS, "N/A")
    unknown = dict.fromkeys(_NOT_READ, "unknown")
    return {
        **unknown,
        **none,
        "division": "none (unofficial)",
        "submitter": "none: not a submission",
        "status": "unofficial",
        "system_name": told("cpu", "model") or "unknown",
        "system_type": "unknown",
        "number_of_nodes": 1,
        "host_processor_model_name": told("cpu", "model") or "unknown",
        "host_processors_per_node": sockets or "unknown",
        "host_processor_core_count": cores // sockets if cores and sockets else "unknown",
        "host_processor_vcpu_count": told("cpu", "logical") or "unknown",
        "host_processor_caches": _caches(told("cpu", "caches") or {}) or "unknown",
        "host_memory_capacity": f"{memory / 1024:.0f} GiB" if memory else "unknown",
        "accelerators_per_node": 0,
        "framework": "bertsquad: "
        + ", ".join(
            f"{n} {versions[n]}"
            for n in ("torch", "openvino", "onnxruntime")
            if isinstance(versions.get(n), str)
        ),
        "operating_system": told("kernel") or "unknown",
        "other_software_stack": ", ".join(libraries) or "unknown",
        "hw_notes": _virtual(told("cpu", "hypervisor")),
        "sw_notes": f"{UNOFFICIAL} Made by {code_in_words(certificate)}; certificate chain "
        f"{certificate['chain_sha256']}.",
    }


_NOT_READ = (
    *("host_storage_capacity", "host_storage_type", "host_processor_frequency"),
    *("host_memory_configuration", "host_processor_interconnect", "host_networking"),
    *("host_networking_topology", "host_network_card_count", "cooling", "system_type_detail"),
)
_OF_ACCELERATORS = (
    *("accelerator_model_name", "accelerator_memory_capacity", "accelerator_frequency"),
    *("accelerator_host_interconnect", "accelerator_interconnect", "accelerator_on-chip_memories"),
    *("accelerator_interconnect_topology", "accelerator_memory_configuration"),
)


def _caches(caches: Mapping[str, Any]) -> str:
    parts = []
    for name, cache in caches.items():
        if isinstance(cache, Mapping):
            cache = f"{cache.get('size_kib')} KiB ({cache.get('instances')} instances)"
        parts.append(f"{name} {cache}")
    return ", ".join(parts)


def _virtual(hypervisor: Any) -> str:
    return "a virtual machine, perhaps shared" if hypervisor else ""


@dataclass(frozen=True, slots=True)
class _Condition:
    """One of LoadGen's conditions, or ours."""

    words: str
    met: bool
    advice: str


def summary(row: Mapping[str, Any], cell: Mapping[str, Any], scenario: str) -> str:
    """The text of a cell's mlperf_log_summary.txt."""
    samples = _samples_ms(cell, scenario)
    conditions = list(_conditions(row, cell, scenario, samples))
    advice = [f" * {each.advice}" for each in conditions if not each.met]
    lines = [
        UNOFFICIAL,
        _RULE,
        "Results summary in the shape of MLPerf's (unofficial)",
        _RULE,
        f"SUT name : bertsquad {model_name(row)}",
        f"Scenario : {scenario}",
        "Mode     : PerformanceOnly",
        *_headline(cell, scenario, samples),
        f"Result is : {'VALID' if not advice else 'INVALID'}",
        *(f"  {each.words} : {'Yes' if each.met else 'NO'}" for each in conditions),
        *(["Recommendations:", *advice] if advice else []),
        "",
        _RULE,
        "Additional Stats",
        _RULE,
        *_latencies(cell, samples),
        "",
        _RULE,
        "Test Parameters Used",
        _RULE,
        "samples_per_query : 1",
        *_parameters(cell),
        f"min_duration (ms): {1000 * _MIN_SECONDS:.0f} asked for by MLPerf, "
        f"{1000 * _seconds(cell, samples):.0f} timed",
        f"threads : {cell.get('threads')}",
        f"workload_seed : {cell.get('workload_seed', 'unknown')}",
    ]
    return "\n".join(lines) + "\n"


def _samples_ms(cell: Mapping[str, Any], scenario: str) -> list[float]:
    """Latencies of single requests, where the cell's file holds them."""
    return list(cell["latency_samples_ms"]) if scenario == "SingleStream" else []


def _seconds(cell: Mapping[str, Any], samples: Sequence[float]) -> float:
    """What was timed."""
    if samples:
        return sum(samples) / 1000
    if passes := cell.get("pass_samples_s"):
        return float(sum(passes))
    found = cell.get("noise", {}).get("seconds")
    return float(found) if isinstance(found, int | float) else 0.0


def _requests(cell: Mapping[str, Any]) -> int:
    return int(cell.get("requests") or cell.get("features") or 0)


def _headline(cell: Mapping[str, Any], scenario: str, samples: Sequence[float]) -> Iterator[str]:
    if scenario == "Offline":
        yield f"Samples per second: {cell['features_per_second']:.6g}"
    elif scenario == "Server":
        yield f"Scheduled samples per second : {cell['arrivals']['rate']:.2f}"
    else:
        percent = _PERCENT[scenario]
        yield f"{percent}th percentile latency (ns) : {percentile(samples, percent) * _NS:.0f}"


def _conditions(
    row: Mapping[str, Any], cell: Mapping[str, Any], scenario: str, samples: Sequence[float]
) -> Iterator[_Condition]:
    if scenario == "Server":
        slo = cell.get("slo") or {}
        yield _Condition(
            "Performance constraints satisfied",
            bool(slo.get("met")),
            "The p99 is above the SLO; take a lower rate." if slo else "No SLO was asked for.",
        )
    yield _Condition(
        "Min duration satisfied",
        _seconds(cell, samples) >= _MIN_SECONDS,
        "Timed for less than MLPerf's 600 s; raise `benchmark.seconds`.",
    )
    requests = _requests(cell)
    if scenario == "Offline":
        yield _Condition(
            "Min queries satisfied",
            requests >= _MIN_SAMPLES_OFFLINE,
            f"{requests:,} samples, fewer than MLPerf's {_MIN_SAMPLES_OFFLINE:,}.",
        )
    else:
        percent = _PERCENT[scenario]
        yield _Condition(
            "Early stopping satisfied",
            overlatency(requests, percent) > 0,
            f"{requests:,} requests are too few for MLPerf's estimate of p{percent}.",
        )
    why = why_not_counted(row)
    yield _Condition("Counts as a result here", not why, f"{why}.")


def _latencies(cell: Mapping[str, Any], samples: Sequence[float]) -> Iterator[str]:
    known = cell.get("latency_ms")
    if not isinstance(known, Mapping):
        yield "Latencies: none; a sample is a pass over the whole set"
        return
    for word in ("min", "max", "mean"):
        name = f"{word.capitalize()} latency (ns)"
        yield f"{name:<32}: {known[word] * _NS:.0f}"
    for percent in PERCENTILES:
        found = known[f"p{percent}"]["value"]
        name = f"{percent:.2f} percentile latency (ns)"
        told = (
            f"none: {needed(percent)} requests are needed"
            if found is None
            else f"{found * _NS:.0f}"
        )
        yield f"{name:<32}: {told}"
    if samples and (guess := estimate(samples, 90)) is not None:
        yield f"Early stopping 90th percentile estimate: {guess * _NS:.0f}"


def _parameters(cell: Mapping[str, Any]) -> Iterator[str]:
    if rate := (cell.get("arrivals") or {}).get("rate"):
        yield f"target_qps : {rate:.6g}"
    if slo := (cell.get("slo") or {}).get("ms"):
        yield f"target_latency (ns): {slo * _NS:.0f}"
    yield f"min_query_count : {_requests(cell)}"
    yield f"performance_sample_count : {cell.get('count') or 'unknown'}"


def _json(found: Mapping[str, Any]) -> str:
    return json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
