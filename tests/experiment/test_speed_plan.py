"""speed_plan.py: what this processor has is measured; what it lacks only where that is wanted."""

import pytest

from bertsquad import engines
from bertsquad.engines import PRECISIONS
from bertsquad.experiment import speed_plan
from bertsquad.experiment.speed_plan import SpeedPlan


def plan(emulated: str = "leave_out") -> SpeedPlan:
    settings = {"seconds": 10, "threads": "all", "emulated": emulated}
    return SpeedPlan(settings, lambda path: path.replace("<results>", "out"))


@pytest.fixture
def processor(monkeypatch):
    """A processor that has these precisions."""

    def of(*precisions: str) -> None:
        for module in (engines, speed_plan):
            monkeypatch.setattr(module, "native", precisions.__contains__)

    return of


def test_a_processor_that_has_all_is_measured_in_all(processor):
    processor("fp32", "bf16", "int8")
    assert plan().cells() == [
        f"out/speed/{engine}-{precision}.json"
        for engine, precisions in PRECISIONS.items()
        for precision in precisions
    ]


def test_what_is_emulated_is_left_out(processor):
    processor("fp32")
    assert plan().cells() == [
        "out/speed/torch-fp32.json",
        "out/speed/onnxruntime-fp32.json",
        "out/speed/openvino-fp32.json",
    ]


def test_where_it_is_wanted_it_is_measured_but_by_engines_that_refuse(processor):
    processor("fp32", "int8")
    marked = plan("mark").cells()
    assert "out/speed/torch-bf16.json" in marked
    assert "out/speed/openvino-bf16.json" not in marked


def test_int8_takes_the_quantized_model():
    assert plan().quantized("openvino", "int8") == ["<resources>/speed/openvino-int8"]
    assert plan().quantized("openvino", "fp32") == []
    assert plan().measure_options("openvino", "int8") == (
        "--threads all --seconds 10 --quantized '<resources>/speed/openvino-int8'"
    )
    assert plan().measure_options("torch", "fp32") == "--threads all --seconds 10"
