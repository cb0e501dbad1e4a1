"""Bytes and seconds as people read them."""

import pytest

from bertsquad.console.quantities import duration, readable_bytes


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (3_419, "3.42 kB"),
        (30_288_272, "30.3 MB"),
        (999_600, "1,000 kB"),
        (1_250_000_000, "1.25 GB"),
        (3_400_000_000_000, "3,400 GB"),
    ],
)
def test_bytes_are_written_readably(count, text):
    assert readable_bytes(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.04, "0 s"),
        (0.42, "0.4 s"),
        (7.0, "7 s"),
        (9.96, "10 s"),
        (49.6, "50 s"),
        (120, "2 min"),
        (200, "3 min 20 s"),
        (3599.7, "1 h"),
        (7205, "2 h"),
        (25_500, "7 h 5 min"),
        (183_700, "2 d 3 h"),
        (86_400, "1 d"),
    ],
)
def test_durations_have_at_most_two_units_and_no_zeros(seconds, text):
    assert duration(seconds) == text
