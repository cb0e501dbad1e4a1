"""What to deploy on this machine: one sentence from what was measured, or why there is none."""

import pytest

from bertsquad.reporting.page.deployment import deployment
from bertsquad.reporting.summary import tables
from bertsquad.reporting.summary.summary import Summary
from fake_results import Results, add_cell, add_comparison, add_metrics, cell, write


def said(results: Results, command: str = "snakemake") -> str:
    table = tables.summarize(results.metrics, results.cells, [], comparisons=results.comparisons)
    return deployment(Summary(table), command)


@pytest.fixture
def results(tmp_path) -> Results:
    results = Results(tmp_path)
    add_metrics(results, "run", "torch-fp32", 80.0, 88.0)
    add_metrics(results, "run", "openvino-int8", 79.0, 87.5)
    return results


def single(engine: str, precision: str, rate: float, **changes):
    return cell(engine, precision, "real-lengths", 1, rate, **changes)


def test_the_quickest_with_single_requests_leads_with_p99_and_f1(results):
    add_cell(results, "run", single("torch", "fp32", 20.0))
    add_cell(results, "run", single("openvino", "int8", 40.0))
    assert said(results) == (
        "Deploy openvino int8 on this machine, layout 1x1x2: it answers 40.0 requests a second, "
        "one after another, with p99 30.0 ms, F1 87.50 %; `snakemake plan` tells which rate keeps "
        "a limit of p99."
    )


def test_of_fewer_than_368_requests_there_is_no_p99_but_what_would_tell(results):
    add_cell(results, "run", single("torch", "fp32", 20.0, batches=367))
    found = said(results)
    assert "p99 and the rate within it cannot be said from 367 requests" in found
    assert "`snakemake plan --config benchmark='{iterations: 368}'` tells." in found
    assert "with p99" not in found


def test_a_command_of_two_lines_is_one_to_copy_with_the_target_before_options_that_take_lists(
    results,
):
    add_cell(results, "run", single("torch", "fp32", 20.0, batches=367))
    found = said(results, "cp a.json b.json\nsnakemake --cores all --configfile b.json")
    assert found.endswith(
        "`cp a.json b.json && snakemake --cores all plan --configfile b.json "
        "--config benchmark='{iterations: 368}'` tells."
    )


def test_a_rate_within_an_slo_leads_and_not_where_the_server_had_too_few_requests_for_p99(results):
    add_cell(results, "run", single("torch", "fp32", 20.0))
    served = single("torch", "fp32", 8.4, batches=400) | {
        "mode": "server",
        "load": "slo300",
        "threads_requested": "2x1x1",
        "layout": {"instances": 2, "streams": 1, "threads": 1},
        "requests": 400,
        "service": {"mean_ms": 160.0},
        "capacity": {"features_per_second": 12.0},
        "arrivals": {"kind": "poisson", "rate": 9.0, "share": None},
        "twin": {"verdict": "fits", "p99_ms": {"at_load": {"value": 250.0}}},
        "slo": {"ms": 300, "met": True},
        "search": {"status": "confirmed", "rate": 9.0},
    }
    path = results.root / "run/torch-fp32/benchmark/server/layout2x1x1-slo300-repeat1.json"
    results.cells.append(write(path, served | {"scenario": "server"}))
    assert said(results).startswith(
        "Deploy torch fp32 on this machine, layout 2x1x1: it carries 9.00 requests a second with "
        "p99 within 300 ms (measured "
    )
    few = single("torch", "fp32", 8.4, batches=200)["latency_ms"]
    write(path, served | {"scenario": "server", "latency_ms": few, "requests": 200})
    assert "p99 within" not in said(results)


def test_padded_and_larger_batches_do_not_lead(results):
    add_cell(results, "run", cell("openvino", "int8", "padded", 1, 900.0))
    add_cell(results, "run", cell("openvino", "int8", "real-lengths", 8, 900.0))
    assert said(results) == (
        "What to deploy on this machine cannot be said yet: no single requests at real lengths "
        "were timed; `snakemake plan` does it."
    )
    add_cell(results, "run", single("torch", "fp32", 20.0))
    assert said(results).startswith("Deploy torch fp32 ")


def test_what_was_disturbed_failed_or_emulated_does_not_lead(results):
    add_cell(results, "run", single("openvino", "int8", 90.0))
    add_comparison(results, "run", "openvino-int8", 0.9)
    add_cell(results, "run", single("openvino", "bf16", 80.0, native=False))
    add_cell(results, "run", single("torch", "bf16", 70.0, waited=0.03))
    assert (
        "cannot be said yet: every cell of single requests that might lead was disturbed"
        in said(results)
    )
    add_cell(results, "run", single("torch", "fp32", 20.0))
    assert said(results).startswith("Deploy torch fp32 ")


def test_where_all_failed_it_is_said(results):
    add_cell(results, "run", single("openvino", "int8", 90.0))
    add_comparison(results, "run", "openvino-int8", 0.9)
    assert "every engine and precision that was timed loses too much F1" in said(results)


def test_of_several_models_the_one_with_the_best_f1_leads(results):
    add_metrics(results, "small", "torch-fp32", 50.0, 60.0)
    add_cell(results, "small", single("torch", "fp32", 500.0))
    add_cell(results, "run", single("torch", "fp32", 20.0))
    assert "20.0 requests a second" in said(results)


def test_nothing_at_all_is_a_sentence_too(tmp_path):
    assert "no single requests at real lengths were timed" in said(Results(tmp_path))
