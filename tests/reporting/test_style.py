"""Labels keep apart; colours are of the palette and have a partner for dark screens."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.reporting import palette, style

POSITIONS = st.lists(st.floats(-100, 100), max_size=8)


@given(positions=POSITIONS, gap=st.floats(0.1, 20))
def test_labels_are_a_gap_apart_and_in_order(positions, gap):
    spread = style.spread(positions, gap)
    placed = [spread[number] for number in sorted(range(len(positions)), key=positions.__getitem__)]
    assert all(b - a >= gap - 1e-6 for a, b in itertools.pairwise(placed))


@given(positions=POSITIONS, gap=st.floats(0.1, 20))
def test_labels_stay_centred_on_what_they_name(positions, gap):
    assert sum(style.spread(positions, gap)) == pytest.approx(sum(positions), abs=1e-6)


def test_labels_with_room_stay_where_they_are():
    assert style.spread([5.0, 1.0, 3.0], 1.0) == [5.0, 1.0, 3.0]


def test_crowded_labels_share_their_middle():
    assert style.spread([1.0, 1.0], 2.0) == [0.0, 2.0]


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


SERIES = [*palette.PRECISION.values(), *palette.RUNS, palette.OTHER]


@pytest.mark.parametrize("colour", SERIES)
def test_series_stand_out_on_light_and_dark_ground(colour):
    assert contrast(colour, palette.PAPER) >= 3
    assert contrast(palette.DARK[colour], palette.DARK[palette.PAPER]) >= 3


@pytest.mark.parametrize("colour", [palette.INK, palette.MUTED])
def test_text_is_readable_on_light_and_dark_ground(colour):
    assert contrast(colour, palette.PAPER) >= 4.5
    assert contrast(palette.DARK[colour], palette.DARK[palette.PAPER]) >= 4.5


def test_precisions_differ_in_lightness_and_in_marker():
    greys = sorted(luminance(colour) for colour in palette.PRECISION.values())
    assert all(b / a > 1.25 for a, b in itertools.pairwise(greys))
    assert len({style.look(name).marker for name in palette.PRECISION}) == 3


def test_every_colour_has_a_dark_partner():
    used = set(re.findall(r"#[0-9a-f]{6}", str(vars(palette))))
    assert used == set(palette.DARK) | set(palette.DARK.values())
