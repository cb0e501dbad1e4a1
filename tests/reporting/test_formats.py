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


def test_memory_is_in_gib_once_it_is_large():
    assert formats.mebibytes(812.5) == "812 MiB"
    assert formats.mebibytes(24576) == "24.0 GiB"


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.14e-5, "3.1e-5"), (-2e-12, "-2.0e-12"), (0.001, "0.00100"), (1.9, "1.90"), (0, "0")],
)
def test_tiny_numbers_are_written_by_their_power_of_ten(value, text):
    assert formats.tiny(value) == text
