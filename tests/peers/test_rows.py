"""From samples to the rows of a table."""

import pytest

from bertsquad.peers.rows import Spread, ceiling, linearity, rows, undecided
from fake_bench import contender, work


def by_name(measured: dict) -> dict:
    names = [name for name, entry in measured["contenders"].items() if entry["form"] != "ceiling"]
    return dict(zip(names, rows(measured), strict=True))


def test_a_rate_is_the_median_of_the_rounds_with_the_least_and_the_greatest():
    measured = work({"ours": contender(ours=True)}, {"ours": [10.0, 40.0, 20.0]})
    assert by_name(measured)["ours"].rate == Spread(median=20.0, least=10.0, greatest=40.0)


def test_ratios_are_taken_round_by_round():
    # A disturbed second round halves both, and the ratio stays.
    measured = work(
        {"ours": contender(ours=True), "it": contender()},
        {"ours": [30.0, 15.0, 36.0], "it": [10.0, 5.0, 9.0]},
    )
    assert by_name(measured)["it"].same_form.ratio == pytest.approx(3.23, abs=0.01)
    assert by_name(measured)["it"].same_form.rounds == 3


def test_ours_is_our_fastest_side_of_the_form():
    measured = work(
        {"slow": contender(ours=True), "fast": contender(ours=True), "it": contender()},
        {"slow": [10.0], "fast": [20.0], "it": [10.0]},
    )
    made = by_name(measured)
    assert made["fast"].ours
    assert not made["slow"].ours
    assert made["it"].same_form.ratio == pytest.approx(2.0)
    assert made["slow"].same_form.ratio == pytest.approx(2.0)


def test_a_padded_side_is_compared_with_ours_padded_and_at_real_lengths():
    measured = work(
        {"real": contender(ours=True), "padded": contender(ours=True, form="padded"),
         "it": contender(form="padded")},
        {"real": [40.0], "padded": [20.0], "it": [10.0]},
    )  # fmt: skip
    made = by_name(measured)
    assert made["it"].same_form.ratio == pytest.approx(2.0)
    assert made["it"].real_lengths.ratio == pytest.approx(4.0)
    assert made["real"].real_lengths is None


def test_the_share_is_of_the_best_ceiling_of_all_rounds():
    measured = work(
        {"ours": contender(ours=True, gflop_per_feature=5.0), "top": contender(form="ceiling")},
        {"ours": [12.0, 12.0]},
        ceilings=[80.0, 100.0],
    )
    assert ceiling(measured) == 100.0
    assert by_name(measured)["ours"].share == pytest.approx(0.6)


def test_another_precision_has_no_share_of_this_ones_ceiling():
    measured = work(
        {
            "it": contender(precision="bf16", gflop_per_feature=5.0),
            "top": contender(form="ceiling"),
        },
        {"it": [12.0]},
        ceilings=[100.0],
    )
    assert by_name(measured)["it"].share is None


def test_a_side_that_was_left_out_has_no_rate_and_no_ratio():
    measured = work(
        {"ours": contender(ours=True), "it": contender(left_out="it failed")},
        {"ours": [1.0], "it": [1.0]},
    )
    it = by_name(measured)["it"]
    assert it.rate is None
    assert it.same_form is None


def test_linearity_is_what_layers_3_and_4_add_to_the_time_of_2():
    measured = work(
        {"two": contender(title="torch", layers=2), "four": contender(title="torch", layers=4)},
        {"two": [10.0], "four": [5.0]},
    )
    assert linearity(measured) == {"torch": pytest.approx(1.0)}


def test_who_is_told_apart_needs_no_more_rounds_and_who_is_not_goes_on_with_ours():
    measured = work(
        {"ours": contender(ours=True), "slower of ours": contender(ours=True), "near": contender(),
         "far": contender(), "top": contender(form="ceiling")},
        {"ours": [10.0] * 8, "slower of ours": [6.0] * 8, "near": [9.0, 11.0] * 4,
         "far": [5.0] * 8},
        ceilings=[100.0] * 8,
    )  # fmt: skip
    assert undecided(measured["contenders"], measured["samples"]) == {"ours", "near", "top"}


def test_where_all_are_told_apart_nobody_goes_on():
    measured = work(
        {"ours": contender(ours=True), "far": contender(), "top": contender(form="ceiling")},
        {"ours": [10.0] * 8, "far": [5.0] * 8},
        ceilings=[100.0] * 8,
    )
    assert undecided(measured["contenders"], measured["samples"]) == set()


def test_a_round_that_was_disturbed_counts_for_no_ratio():
    found = work(
        {"ours": contender(ours=True), "it": contender()},
        {"ours": [1.1] * 9, "it": [1.0] * 8 + [5.0]},
    )
    assert found["samples"][-1]["contender"] == "it"
    found["samples"][-1]["validity"] = {"verdict": "disturbed", "reasons": []}
    row = next(row for row in rows(found) if not row.contender["ours"])
    assert (row.same_form.rounds, row.same_form.ratio) == (8, pytest.approx(1.1))
    assert row.disturbed == 1


def test_who_was_only_ever_disturbed_has_no_verdict_and_goes_on():
    found = work(
        {"ours": contender(ours=True), "it": contender()}, {"ours": [1.1] * 8, "it": [1.0] * 8}
    )
    for sample in found["samples"]:
        sample["validity"] = {"verdict": "disturbed", "reasons": []}
    row = next(row for row in rows(found) if not row.contender["ours"])
    assert row.same_form is None
    assert undecided(found["contenders"], found["samples"]) == {"ours", "it"}
