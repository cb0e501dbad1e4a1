"""Exports of speeds: their shapes, and that what is no result is never shown as one."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import fake_cells
import fake_results
from bertsquad.certificate.exports import (
    github_action_benchmark,
    markdown,
    mlperf,
    optimum_benchmark,
)
from bertsquad.certificate.exports.facts import Facts, read_models
from bertsquad.certificate.exports.table import EXPORTS
from bertsquad.certificate.exports.writing import write_folder
from bertsquad.console.errors import UserError
from fake_certificate import CHAIN, demo_facts, facts_of
from project import ROOT

DISTURBED = "disturbed: waited 0.03 of our time"
DISTURBED_CELL = "demo-bf16/torch-fp32/real-lengths/batch1-threads2-repeat2"


@pytest.fixture
def facts(tmp_path) -> Facts:
    return demo_facts(tmp_path)


@pytest.fixture
def emulated(tmp_path) -> Facts:
    """Without BF16 in the processor, and with a precision that fails."""
    return facts_of(fake_results.engines(tmp_path, bf16=False))


def test_each_module_of_the_folder_that_exports_is_in_the_table():
    folder = ROOT / "scripts/bertsquad/certificate/exports"
    found = {path.stem for path in folder.glob("*.py") if "\ndef export(" in path.read_text()}
    assert found == set(EXPORTS)


# github-action-benchmark


def series(facts: Facts, name: str) -> dict[str, dict]:
    entries = json.loads(github_action_benchmark.export(facts)[f"{name}_is_better.json"])
    assert all({"name", "unit", "value"} <= set(each) for each in entries)
    assert all(isinstance(each["value"], int | float) for each in entries)
    assert all(isinstance(each.get("range", ""), str) for each in entries)
    names = [each["name"] for each in entries]
    assert len(names) == len(set(names))
    return {each["name"]: each for each in entries}


def test_rates_and_scores_are_bigger_is_better(facts):
    found = series(facts, "bigger")
    rate = found["demo-fp32 torch-bf16: padded, batch 8, 2 threads"]
    assert (rate["value"], rate["unit"]) == (190.0, "features/s")
    assert rate["extra"].startswith("1 repeat on Example Processor 9000; bertsquad 0.1.0, commit")
    score = found["demo-fp32 torch-fp32: F1"]
    assert (score["value"], score["unit"], score["range"]) == (91.4, "%", "88.40 to 94.40 (95 %)")


def test_latencies_and_memory_are_smaller_is_better(facts):
    found = series(facts, "smaller")
    latency = found["demo-fp32 torch-fp32: padded, batch 1, 2 threads: p50"]
    assert latency["value"] == pytest.approx(1000 / 70)
    assert (latency["unit"], latency["range"]) == ("ms", "14.00 to 14.57 (95 %)")
    memory = found["demo-fp32 torch-fp32: padded, batch 1, 2 threads: peak memory"]
    assert (memory["value"], memory["unit"]) == (812.5, "MiB")


def test_no_alarm_is_raised_by_a_disturbed_cell(facts):
    for name in ("bigger", "smaller"):
        assert not any(
            each.startswith("demo-bf16 torch-fp32: real") for each in series(facts, name)
        )
    left_out = github_action_benchmark.export(facts)["left_out.txt"]
    assert f"demo-bf16 torch-fp32: real-lengths, batch 1, 2 threads: {DISTURBED}\n" in left_out


def test_emulated_failed_and_refused_cells_have_a_line(emulated):
    left_out = github_action_benchmark.export(emulated)["left_out.txt"]
    assert "guide torch-bf16: padded, batch 1, 2 threads: emulated: the processor" in left_out
    assert "guide onnxruntime-int8: padded, batch 1, 2 threads: failed: int8 keeps" in left_out
    assert "guide openvino-bf16: padded: not run: this processor emulates bf16" in left_out
    names = [name for name in series(emulated, "bigger") if not name.endswith(": F1")]
    assert not any("bf16" in name or "onnxruntime-int8" in name for name in names)


def test_repeats_are_one_entry_their_median(tmp_path):
    results = fake_results.large(tmp_path)
    (entry,) = (
        each
        for name, each in series(facts_of(results), "bigger").items()
        if name == "guide-bf16 torch-fp32: padded, batch 4, 2 threads"
    )
    assert entry["extra"].startswith("median of 3 repeats on")


# optimum-benchmark


def reports(facts: Facts) -> dict[str, dict]:
    found = optimum_benchmark.export(facts)
    return {name: json.loads(text) for name, text in found.items() if name.endswith(".json")}


def test_a_report_has_the_targets_and_keys_of_its_reader(facts):
    report = reports(facts)[
        "demo-fp32/torch-fp32/padded/batch8-threads2-repeat1/benchmark_report.json"
    ]
    assert list(report) == ["load_model", "first_forward", "forward"]
    parts = {"memory", "latency", "throughput", "energy", "efficiency"}
    assert all(set(target) == parts for target in report.values())
    forward = report["forward"]
    assert forward["throughput"] == {"unit": "samples/s", "value": pytest.approx(100.0)}
    assert forward["memory"]["unit"] == "MB"
    assert forward["memory"]["max_ram"] == pytest.approx(812.5 * 1.048576)
    latency = forward["latency"]
    assert (latency["unit"], latency["count"]) == ("s", 400)
    assert [latency[name] for name in ("mean", "p50", "p99")] == pytest.approx([0.08] * 3)
    assert latency["total"] == pytest.approx(32.0)
    assert [latency[name] for name in ("stdev", "stdev_")] == pytest.approx([0, 0], abs=1e-9)
    assert report["load_model"]["latency"]["values"] == [0.42]
    assert report["first_forward"]["latency"]["mean"] == 0.031


def test_spread_is_that_of_the_samples():
    cell = {"batch_size": 2, "latency_samples_ms": [100.0, 300.0], "peak_memory_mib": None}
    forward = optimum_benchmark.report(cell)["forward"]
    assert forward["latency"]["stdev"] == pytest.approx(0.1)
    assert forward["latency"]["stdev_"] == pytest.approx(50.0)
    assert forward["latency"]["p90"] == pytest.approx(0.28)
    assert forward["throughput"]["value"] == pytest.approx(10.0)
    assert forward["memory"] is None


def test_a_disturbed_cell_has_a_line_and_no_report(facts):
    found = optimum_benchmark.export(facts)
    assert f"{DISTURBED_CELL}/benchmark_report.json" not in found
    told = f"demo-bf16 torch-fp32: real-lengths, batch 1, 2 threads, repeat 2: {DISTURBED}\n"
    assert told in found["left_out.txt"]


def test_modes_without_latency_have_a_line(facts):
    left_out = optimum_benchmark.export(facts)["left_out.txt"]
    assert "mode offline: optimum-benchmark has no such measurement" in left_out


# MLPerf's shape


def test_the_system_description_has_every_field_that_the_checker_asks_for(facts):
    found = json.loads(mlperf.export(facts)["system_desc.json"])
    required = """division submitter status system_name number_of_nodes host_processor_model_name
        host_processors_per_node host_processor_core_count host_memory_capacity
        host_storage_capacity host_storage_type accelerators_per_node accelerator_model_name
        accelerator_memory_capacity framework operating_system system_type other_software_stack
        host_processor_frequency host_processor_caches host_memory_configuration
        host_processor_interconnect host_networking host_networking_topology
        accelerator_frequency accelerator_host_interconnect accelerator_interconnect
        accelerator_interconnect_topology accelerator_memory_configuration
        accelerator_on-chip_memories cooling hw_notes sw_notes host_network_card_count
        system_type_detail"""
    assert set(required.split()) <= set(found)
    assert found["host_processor_model_name"] == "Example Processor 9000"
    assert found["host_processor_core_count"] == 2
    assert found["host_memory_capacity"] == "24 GiB"
    assert found["accelerators_per_node"] == 0
    assert found["host_storage_type"] == "unknown"
    assert found["framework"] == "bertsquad: torch 2.13.0+cpu"


def test_every_file_in_mlperfs_shape_says_that_it_is_none(facts):
    found = mlperf.export(facts)
    description = json.loads(found["system_desc.json"])
    assert description["status"] == "unofficial"
    assert description["submitter"] == "none: not a submission"
    assert description["sw_notes"].startswith("UNOFFICIAL: not an MLPerf result.")
    assert CHAIN in description["sw_notes"]
    summaries = [text for name, text in found.items() if name.endswith("summary.txt")]
    assert len(summaries) == 6
    assert all(text.startswith("UNOFFICIAL: not an MLPerf result.") for text in summaries)


def test_single_requests_are_a_single_stream(facts):
    name = "demo-fp32/torch-fp32/padded/batch1-threads2-repeat1/mlperf_log_summary.txt"
    text = mlperf.export(facts)[name]
    lines = text.splitlines()
    assert "SUT name : bertsquad demo-fp32 torch-fp32" in lines
    assert "Scenario : SingleStream" in lines
    assert "90th percentile latency (ns) : 14285714" in lines
    assert "Result is : INVALID" in lines
    assert "  Min duration satisfied : NO" in lines
    assert "  Early stopping satisfied : Yes" in lines
    assert "  Counts as a result here : Yes" in lines
    assert "99.00 percentile latency (ns)   : 17142857" in lines
    assert "Early stopping 90th percentile estimate: 14285714" in lines


def test_a_whole_set_is_offline(facts):
    name = "demo-fp32/torch-fp32/offline/batchauto-threads2-repeat1/mlperf_log_summary.txt"
    text = mlperf.export(facts)[name]
    assert "\nScenario : Offline\n" in text
    assert "\nSamples per second: 50\n" in text
    assert "3,000 samples, fewer than MLPerf's 10,833." in text
    assert "Latencies: none" in text


def test_a_long_undisturbed_run_is_valid(tmp_path):
    results = fake_results.demo(tmp_path)
    cell = fake_cells.whole_set_cell("torch", "fp32", "offline", 20.0, features=12_000)
    fake_results.add_cell(results, "demo-fp32", cell | {"pass_samples_s": [150.0] * 4})
    name = "demo-fp32/torch-fp32/offline/batchauto-threads2-repeat1/mlperf_log_summary.txt"
    text = mlperf.export(facts_of(results))[name]
    assert "\nResult is : VALID\n" in text
    assert "Recommendations" not in text


def test_a_disturbed_cell_is_invalid_and_says_why(facts):
    text = mlperf.export(facts)[f"{DISTURBED_CELL}/mlperf_log_summary.txt"]
    assert "\nResult is : INVALID\n" in text
    assert "  Counts as a result here : NO\n" in text
    assert f" * {DISTURBED}.\n" in text


def test_batches_are_no_scenario_and_have_a_line(facts):
    left_out = mlperf.export(facts)["left_out.txt"]
    told = "demo-fp32 torch-fp32: padded, batch 8, 2 threads: mode batches, batch 8: no scenario"
    assert told in left_out


def test_each_kind_of_machine_has_its_description_and_its_cells(tmp_path):
    results = fake_results.demo(tmp_path)
    data = fake_cells.cell("torch", "fp32", "real-lengths", 1, 30.0)
    for kind in ("large", "small"):
        fake_results.add_cell(results, "demo-bf16", data, kind)
    kinds = {"large": fake_results.MACHINE, "small": {"cpu": {"model": "Other"}}}
    facts = replace(facts_of(results), machines=kinds)
    found = mlperf.export(facts)
    assert json.loads(found["system_desc_small.json"])["host_processor_model_name"] == "Other"
    name = "batch1-threads2-repeat1/mlperf_log_summary.txt"
    assert f"demo-bf16/torch-fp32/large/real-lengths/{name}" in found
    assert f"demo-bf16/torch-fp32/small/real-lengths/{name}" in found
    names = series(facts, "bigger")
    assert "demo-bf16 torch-fp32: real-lengths, batch 1, 2 threads on small" in names
    text = markdown.export(facts)["tables.md"]
    assert text.splitlines()[2].startswith(
        "On Example Processor 9000 (large) and Other (small), by"
    )


# Markdown


def test_tables_hold_scores_and_speeds(facts):
    text = markdown.export(facts)["tables.md"]
    assert "| demo-fp32 | torch | fp32 | 86.00 | 91.40 | 88.40 to 94.40 | – |" in text
    assert (
        "| demo-fp32 | torch | bf16 | padded, batch 8, 2 threads | 190 features/s | 42.1 | 50.5 | "
        "812 | 1 |"
    ) in text
    assert f"chain `{CHAIN}`" in text


def test_what_is_no_result_is_struck_out_with_its_reason(facts):
    text = markdown.export(facts)["tables.md"]
    row = next(
        line for line in text.splitlines() if line.startswith("| demo-bf16 | torch | fp32 | r")
    )
    assert "real-lengths, batch 1, 2 threads (1) | ~~20.0 features/s~~ | ~~50.0~~" in row
    assert f"\nStruck out: no results.\n\n1. {DISTURBED}\n" in text


def test_doubts_are_below_the_tables_of_many_the_first_three(facts):
    text = markdown.export(facts)["tables.md"]
    assert text.endswith(
        "## Doubts\n\n"
        "- dirty-tree: scripts/x.py is not that of the commit\n"
        "- disturbed: others computed (cell 0)\n"
        "- disturbed: others computed (cell 1)\n"
        "- disturbed: others computed (cell 2)\n"
        "- disturbed: 2 more; see certificate.json\n"
    )


def test_refused_cells_are_listed(emulated):
    text = markdown.export(emulated)["tables.md"]
    assert "- guide openvino-bf16: padded: not run: this processor emulates bf16" in text


# All of them


def test_a_cell_that_is_not_given_is_refused(facts):
    missing = Facts(facts.certificate, facts.machines, facts.models, facts.summary, {})
    with pytest.raises(UserError, match="the cell demo-bf16 torch-fp32 real-lengths of 2026"):
        mlperf.export(missing)


def test_a_folder_of_a_checkpoint_is_all_its_files(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    described = {
        "a": {
            "checkpoint": "mine",
            "dataset": "d",
            "started_from": ["mine/"],
            "train": None,
            "dev": "dev.json",
            "selected": False,
        }
    }
    names = ["mine/vocab.txt", "mine/config.json", "miner/config.json", "dev.json"]
    (model,) = read_models(described, {"a": tmp_path}, names).values()
    assert model.started_from == ("mine/config.json", "mine/vocab.txt")


def test_a_folder_is_replaced_whole(tmp_path: Path):
    folder = tmp_path / "out"
    assert write_folder(folder, {"a/b.txt": "old", "c.txt": "old"}) == 2
    assert write_folder(folder, {"d.txt": "new"}) == 1
    assert [path.name for path in folder.rglob("*")] == ["d.txt"]
    with pytest.raises(ValueError, match="leads out"):
        write_folder(folder, {"e.txt": "x", "../f.txt": "x"})
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "d.txt"]
