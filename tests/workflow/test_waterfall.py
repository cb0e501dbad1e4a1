"""`snakemake waterfall`."""


def test_each_engine_and_precision_of_the_first_timed_run_is_measured(fresh):
    planned = fresh.planned("waterfall")
    wanted = {"measure_waterfall": 5, "show_waterfall": 1, "waterfall": 1, "finetune": 1}
    assert planned.items() >= wanted.items()
    assert "benchmark_inference" not in planned


def test_an_ordinary_run_measures_none(fresh):
    assert "measure_waterfall" not in fresh.planned()


def test_the_report_shows_it_once_it_was_drawn(fresh):
    before = fresh.snakemake("-n", "-p").stdout
    assert "waterfall.svg" not in before
    drawn = fresh.folder / "results/waterfall/waterfall.svg"
    drawn.parent.mkdir(parents=True)
    drawn.touch()
    assert "results/waterfall/waterfall.svg" in fresh.snakemake("-n", "-p").stdout
