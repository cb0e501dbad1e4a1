"""The forest plot of comparisons."""

import xml.etree.ElementTree as ET

import pytest

from bertsquad.reporting import style
from bertsquad.reporting.figures import comparisons
from reporting.test_verdicts import NO_VERDICT, comparison

NOISE = {"sd": 0.02, "sees": {"8": 0.024, "32": 0.012}, "verdict": "same", "why": None}


def texts(data, path) -> list[str]:
    with style.styled():
        style.save(comparisons.draw(data), path / "f.svg", comparisons.TITLE)
    root = ET.fromstring((path / "f.svg").read_bytes())
    return ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]


def test_a_row_names_both_sides_and_says_the_verdict_in_numbers(tmp_path):
    found = texts(([comparison(), comparison("cannot tell"), NO_VERDICT], NOISE), tmp_path)
    assert "torch bf16 / torch fp32" in found
    assert "faster  1.600 (1.500 to 1.700)" in found
    assert "cannot tell  1.600 (1.500 to 1.700)" in found
    assert "not measured" in found


def test_without_comparisons_it_is_a_sentence():
    assert comparisons.draw(([], None)) == "Nothing was compared."


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [
        (0.95, 1.06, [0.96, 0.98, 1.0, 1.02, 1.04, 1.06]),
        (0.97, 1.8, [1.0, 1.2, 1.4, 1.6, 1.8]),
        (0.5, 20.0, [0.5, 1.0, 2.0, 5.0, 10.0, 20.0]),
    ],
)
def test_the_axis_has_few_round_ratios_and_1_among_them(low, high, marks):
    assert comparisons.ticks(low, high) == marks


def test_the_axis_holds_every_interval_and_what_counts_as_the_same():
    low, high = comparisons.limits([comparison(same_within=0.2)])
    assert low < 1 / 1.2
    assert high > 1.7
