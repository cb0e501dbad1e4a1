"""`snakemake speed` as a benchmark: which cells there are on a processor, and how measured."""

from pathlib import Path

import pytest

from bertsquad import engines
from bertsquad.engines import PRECISIONS
from bertsquad.experiment import speed
from bertsquad.experiment.config import read_schema
from bertsquad.experiment.files import Experiment
from bertsquad.experiment.speed import SCENARIOS, SpeedBenchmark, speed_benchmark
from bertsquad.reporting.summary import speed as summary

SCHEMA = read_schema(
    Path(__file__).resolve().parent.parent.parent / "config/schemas/config.schema.yaml"
)


def benchmark(machines: dict[str, dict] | None = None, **changes: object) -> SpeedBenchmark:
    settings = {"seconds": 10, "threads": "all", "emulated": "leave_out"} | changes
    config = {"speed": settings, "benchmark": {"quiet_seconds": 7}}
    experiment = Experiment(
        config | ({"machines": machines} if machines else {}),
        None,
        lambda path: path.replace("<results>", "out"),
    )
    return speed_benchmark(experiment, SCHEMA)


@pytest.fixture
def processor(monkeypatch):
    """A processor that has these precisions."""

    def of(*precisions: str) -> None:
        for module in (engines, speed):
            monkeypatch.setattr(module, "native", precisions.__contains__)

    return of


def measured(made: SpeedBenchmark) -> list[str]:
    return [f"{engine}-{precision}" for engine, precision in made.engine_precisions()]


def test_three_cells_of_each_engine_and_precision(processor):
    processor("fp32")
    assert benchmark(threads=2).cell_files() == [
        f"out/speed/{engine}-fp32/benchmark/{scenario}-threads2-repeat1.json"
        for engine in ("torch", "onnxruntime", "openvino")
        for scenario in ("offline/batchauto", "padded/batch4", "requests/batch1")
    ]


def test_a_processor_that_has_all_is_measured_in_all(processor):
    processor("fp32", "bf16", "int8")
    assert measured(benchmark()) == [
        f"{engine}-{precision}" for engine, names in PRECISIONS.items() for precision in names
    ]


def test_where_it_is_wanted_what_is_emulated_is_measured_but_by_engines_that_refuse(processor):
    processor("fp32", "int8")
    marked = measured(benchmark(emulated="mark"))
    assert "torch-bf16" in marked
    assert "openvino-bf16" not in marked


def test_each_kind_of_machine_has_all_cells_and_refuses_what_it_lacks_itself(processor):
    processor("fp32")
    made = benchmark({"half": {}, "whole": {"accuracy": True}})
    assert len(measured(made)) == sum(map(len, PRECISIONS.values()))
    assert made.cells_of("half")[0] == (
        "out/speed/torch-fp32/benchmark/half/offline/batchauto-threadsall-repeat1.json"
    )
    assert len(made.cells_of("half")) == len(made.cell_files()) / 2 == 3 * len(measured(made))
    assert made.scenario_options("requests").endswith("--emulated refuse")
    marked = benchmark({"half": {}}, emulated="mark")
    assert marked.scenario_options("requests").endswith("--emulated mark")


def test_each_kind_has_a_table_of_its_own():
    assert benchmark().made("speed.txt") == ["out/speed/speed.txt"]
    assert benchmark({"half": {}, "whole": {}}).made("speed.txt") == [
        "out/speed/machines/half/speed.txt",
        "out/speed/machines/whole/speed.txt",
    ]


def test_int8_takes_the_quantized_model():
    assert benchmark().quantized("speed", "openvino", "int8") == ["<resources>/speed/openvino-int8"]
    assert benchmark().quantized_option("speed", "openvino", "fp32") == ""


def test_the_seconds_are_each_scenarios_budget():
    assert benchmark(seconds=5).scenario_options("requests") == (
        "--mode batches --padding none --warmup 0 --seconds 5 --min-seconds 1 --emulated mark"
    )


def test_its_cells_wait_for_a_quiet_machine_as_long_as_others():
    assert benchmark().config["benchmark"]["quiet_seconds"] == 7


def test_the_process_that_has_all_at_hand_measures_its_ceiling():
    assert benchmark(seconds=5).scenario_options("offline") == (
        "--mode offline --padding none --count 1000000 --warmup 0 --seconds 5 --min-seconds 1 "
        "--emulated mark --ceiling-seconds 0.5"
    )


def test_the_table_is_made_of_these_scenarios():
    assert tuple(SCENARIOS) == summary.SCENARIOS
