"""Numbers as text: three digits that matter, units where they are needed."""

import pytest

from bertsquad.reporting import formats


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.012345, "0.0123"),
        (0.758, "0.758"),
        (1.634, "1.63"),
        (9.999, "10.0"),
        (12.34, "12.3"),
        (99.96, "100"),
        (123.4, "123"),
        (1234.5, "1,234"),
        (20614.6, "20,615"),
        (-1.5, "-1.50"),
    ],
)
def test_short_keeps_three_digits_and_every_digit_before_the_point(value, text):
    assert formats.short(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.42, "0.4 s"),
        (48.2, "48 s"),
        (185, "3 min 5 s"),
        (120, "2 min"),
        (7800, "2 h 10 min"),
        (7200, "2 h"),
        (3599.7, "1 h"),
    ],
)
def test_duration(seconds, text):
    assert formats.duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (4854279, "4.85 MB"), (1250000000, "1.25 GB")],
)
def test_size(count, text):
    assert formats.size(count) == text


def test_memory_is_in_gib_once_it_is_large():
    assert formats.mebibytes(812.5) == "812 MiB"
    assert formats.mebibytes(24576) == "24.0 GiB"
