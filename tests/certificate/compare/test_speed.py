"""speed.py: which of two runs is faster, by repeats; what is known of its errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.certificate.compare import speed
from bertsquad.certificate.compare.speed import compare_cells, holm, ratios, word
from made_runs import EXAMPLE, side, timed
from made_runs import speed as cell

SPREAD = 0.019  # sd of a repeat
PAIRS = 1000


def words(repeats, shift, spread=SPREAD, seed=0):
    """The verdicts on so many simulated pairs, each the only cell of its comparison."""
    rng = np.random.default_rng(seed)
    a = rng.normal(1, spread, (PAIRS, repeats))
    b = rng.normal(1 + shift, spread, (PAIRS, repeats))
    found = ratios(a, b)
    columns = (found.value, found.low, found.high, found.p)
    return [word(*map(float, row), speed.BAND) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize("repeats", [3, 4, 5, 8])
@pytest.mark.parametrize("spread", [SPREAD, 0.1])
def test_of_equal_sides_at_most_a_twentieth_is_told_apart(repeats, spread):
    found = words(repeats, 0, spread)
    assert sum(each in ("faster", "slower") for each in found) <= PAIRS / 20


def test_a_difference_of_five_percent_is_found_by_five_repeats():
    assert words(5, 0.05).count("faster") >= 0.8 * PAIRS
    assert words(5, -0.05).count("slower") >= 0.8 * PAIRS


def test_holm_holds_the_error_of_twenty_cells_together():
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(100):
        found = ratios(*(np.exp(rng.normal(0, 0.1, (20, 5))) for _ in "ab"))
        adjusted = holm(found.p.tolist())
        rows = zip(found.value, found.low, found.high, adjusted, strict=True)
        wrong += any(word(*row, speed.BAND) in ("faster", "slower") for row in rows)
    assert wrong <= 5


def test_holm_multiplies_the_smallest_p_by_all_and_never_falls():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_never_makes_a_p_smaller_and_keeps_their_order(p):
    adjusted = holm(p)
    assert all(after >= before for before, after in zip(p, adjusted, strict=True))
    assert np.all(np.diff(np.asarray(adjusted)[np.argsort(p, kind="stable")]) >= 0)


@pytest.mark.parametrize(
    ("value", "low", "high", "p", "expected"),
    [
        (1.10, 1.05, 1.15, 0.001, "faster"),
        (0.90, 0.85, 0.95, 0.001, "slower"),
        (1.00, 0.98, 1.02, 0.9, "within band"),
        (1.01, 1.005, 1.02, 0.001, "within band"),
        (1.02, 1.005, 1.05, 0.001, "can't tell"),  # surely more, perhaps too little
        (1.10, 0.99, 1.2, 0.06, "can't tell"),
        (1.10, 1.05, 1.15, 0.2, "can't tell"),  # after Holm's correction
    ],
)
def test_a_verdict_needs_the_interval_the_band_and_the_test(value, low, high, p, expected):
    assert word(value, low, high, p, 0.03) == expected


def test_the_ratio_is_that_of_the_medians():
    found = ratios(np.array([[100.0, 101, 90]]), np.array([[110.0, 200, 111]]))
    assert found.value[0] == pytest.approx(1.11)
    assert found.low[0] < 1.11 < found.high[0]


def test_sides_without_any_spread_differ_for_sure_or_not():
    assert ratios(np.full((1, 3), 100.0), np.full((1, 3), 120.0)).p[0] == 0
    assert ratios(np.full((1, 3), 100.0), np.full((1, 3), 100.0)).p[0] == 1


FIVE = [100.0, 101.0, 99.0, 100.5, 99.5]


def rows(a, b):
    return compare_cells(timed("A", demo_torch=a), timed("B", demo_torch=b))


def test_throughput_and_latency_each_get_a_verdict_on_b():
    slower = [each * 0.8 for each in FIVE]
    latency = [1000 / each for each in FIVE]
    first, second = rows(
        cell(FIVE, latency=latency), cell(slower, latency=[1000 / each for each in slower])
    )
    assert (first["metric"], first["verdict"]) == ("throughput", "slower")
    assert (second["metric"], second["verdict"]) == ("latency", "slower")
    assert second["ratio"]["value"] == pytest.approx(0.8)


def test_a_pass_over_a_set_is_no_request():
    assert [row["metric"] for row in rows(cell(FIVE), cell(FIVE))] == ["throughput"]


@pytest.mark.parametrize("repeats", [1, 2])
def test_one_or_two_repeats_tell_nothing_whatever_the_ratio(repeats):
    (row,) = rows(cell(FIVE[:repeats]), cell([9 * each for each in FIVE[:repeats]]))
    assert row["verdict"] == "can't tell"
    assert "measure repeats: 3" in row["reason"]
    assert row["ratio"] is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"other_cpus": [0, 0, 0.6, 0, 0]}, "B was disturbed (others kept 0.6 CPUs busy)"),
        ({"validity": ["valid"] * 4 + ["disturbed"], "codes": [[]] * 4 + [["waited"]]}, "(waited)"),
        ({"validity": ["invalid"] * 5}, "B was disturbed"),
        ({"native": False}, "B is emulated"),
        ({"refused": "this processor has no bf16"}, "B was refused: this processor has no bf16"),
        ({"threads": [4] * 5}, "other threads: 2 / 4"),
        ({"cpu": ["Intel Xeon"] * 5}, "another processor: AMD EPYC 9354 / Intel Xeon"),
    ],
)
def test_what_spoils_a_side_is_the_reason(changes, reason):
    (row,) = rows(cell(FIVE), cell([2 * each for each in FIVE], **changes))
    assert row["verdict"] == "can't tell"
    assert reason in row["reason"]


def test_another_identity_of_the_processor_is_a_reason():
    machines = {"zen4": EXAMPLE["machines"]["zen4"] | {"cpu_sha256": "f" * 64}}
    other = EXAMPLE | {"machines": machines, "speeds": {"demo/torch": cell(FIVE)}}
    (row,) = compare_cells(timed("A", demo_torch=cell(FIVE)), side("B", other))
    assert row["reason"] == "another processor: its identity differs"


def test_cells_of_an_older_certificate_tell_nothing():
    older = EXAMPLE | {"speeds": {"demo/torch": {"features_per_second": FIVE}}}
    (row,) = compare_cells(timed("A", demo_torch=cell(FIVE)), side("B", older))
    assert row["verdict"] == "can't tell"


def test_more_repeats_are_asked_for_where_the_interval_is_too_wide():
    wide = [100.0, 130.0, 80.0]
    (row,) = rows(cell(wide), cell(wide))
    assert row["verdict"] == "can't tell"
    assert row["reason"].endswith("measure more repeats")
