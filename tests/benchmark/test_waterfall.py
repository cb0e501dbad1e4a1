"""The chain from the processor's peak to answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.benchmark import waterfall
from bertsquad.benchmark.waterfall import chain, undisturbed
from bertsquad.benchmark.waterfall_parts import SIDES
from waterfalls import RATES, measured


def test_each_step_is_the_ratio_of_what_was_measured():
    found = chain(measured(), {"arrival_rate": 256.5, "slo_ms": 100.0}, "passed")
    assert found.peak == 1000  # two cores of 500 GFLOP/s, 1 GFLOP a feature
    assert {step.name: round(step.factor.value, 6) for step in found.steps} == {
        "cores share clock and memory": 0.9,
        "padding": 1,
        "attention, glue, one thread": 0.8,
        "threads": 0.95,
        "requests one by one": 0.75,
        "tokenising and answers": 0.9,
        "windows of a question": 0.9,
        "queueing, p99 within 100 ms": 0.5,
    }
    rates = [round(step.rate, 2) for step in found.steps]
    assert rates == [900, 900, 720, 684, 513, 461.7, 415.53, 207.76]
    assert [step.unit for step in found.steps][-3:] == ["features/s", "questions/s", "questions/s"]
    assert found.delivered == pytest.approx(207.765)
    assert found.share == pytest.approx(0.207765)
    assert found.ends == ""
    assert found.steps[1].advice == "nothing is padded; padded to 384 tokens it would keep 40%"
    assert found.steps[-1].worth == pytest.approx(2)


def test_equal_rounds_bound_a_step_and_too_few_do_not():
    step = chain(measured(), None, "").steps[2]
    assert step.factor.low == pytest.approx(0.8)
    assert step.factor.high == pytest.approx(0.8)
    few = chain(measured(rounds=4), None, "").steps[2]
    assert (few.factor.low, few.factor.high) == (None, None)


def test_without_a_server_the_chain_ends_and_says_what_would_go_on():
    found = chain(measured(), None, "passed")
    assert found.steps[-1].name == "windows of a question"
    assert found.ends == waterfall.NOT_SERVED
    assert "mode server with `slo_ms`" in found.ends


def test_what_fails_the_gate_delivers_nothing():
    found = chain(measured(), None, "failed")
    assert found.delivered == 0
    assert found.steps[-1].name == "the F1 gate fails"
    assert found.steps[-1].worth is None


@pytest.mark.parametrize("gate", ["passed", "cannot tell", ""])
def test_other_words_of_the_gate_are_no_step(gate):
    assert "the F1 gate fails" not in [step.name for step in chain(measured(), None, gate).steps]


def test_a_gain_by_threads_is_a_factor_above_one():
    found = chain(measured(RATES | {"alone-all": 1000.0}), None, "")
    assert found.steps[3].factor.value == pytest.approx(1000 / 720)


def test_a_disturbed_round_does_not_count():
    spoilt = measured(disturbed={(1, "single")})
    for turn in spoilt["turns"]:
        if turn["round"] == 1:
            turn["features"] *= 10
    assert len(undisturbed(spoilt["turns"])) == 7
    assert chain(spoilt, None, "").steps[2].factor.value == pytest.approx(0.8)


def test_too_few_rounds_are_no_waterfall():
    spoilt = measured(rounds=4, disturbed={(1, "single"), (3, "texts")})
    with pytest.raises(ValueError, match=r"^2 of 4 rounds were disturbed: close what else runs"):
        chain(spoilt, None, "")


@given(
    st.fixed_dictionaries({name: st.floats(0.1, 1e5) for name in SIDES}),
    st.floats(0.1, 1e4),
    st.sampled_from(["passed", "failed"]),
)
def test_the_steps_multiply_to_delivered_over_peak(rates, arrival_rate, gate):
    found = chain(measured(rates), {"arrival_rate": arrival_rate, "slo_ms": 1.0}, gate)
    product = found.peak
    for step in found.steps:
        product *= step.factor.value
        assert step.rate == pytest.approx(product)
    assert found.delivered == pytest.approx(product)
    assert found.share == pytest.approx(product / found.peak)
