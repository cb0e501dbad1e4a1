"""MLPerf's estimate, by the constants of LoadGen."""

import pytest

from bertsquad.benchmark.early_stopping import estimate, overlatency


@pytest.mark.parametrize(
    ("requests", "percent", "slower"),
    [
        *((10_000, 99, 77), (662, 99, 1), (661, 99, 0), (64, 90, 1), (63, 90, 0)),
        *((6636, 99.9, 1), (6635, 99.9, 0), (1, 99, 0)),
    ],
)
def test_how_many_may_be_slower(requests, percent, slower):
    assert overlatency(requests, percent) == slower


def test_the_estimate_is_a_sample_and_none_of_too_few():
    assert estimate(list(range(10_000)), 99) == 9923
    assert estimate(list(range(661)), 99) is None
