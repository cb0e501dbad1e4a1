"""`snakemake waterfall`."""


def test_each_engine_and_precision_of_the_first_timed_run_is_measured(fresh):
    planned = fresh.planned("waterfall")
    wanted = {"measure_waterfall": 5, "show_waterfall": 1, "waterfall": 1, "finetune": 1}
    assert planned.items() >= wanted.items()
    assert "benchmark_inference" not in planned


def test_an_ordinary_run_measures_none(fresh):
    assert "measure_waterfall" not in fresh.planned()
