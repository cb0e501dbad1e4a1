"""A service by its length is found again, whatever noise lies on it."""

import numpy as np
import pytest

from bertsquad.benchmark.services import fit, raw

LENGTHS = np.random.default_rng(0).integers(30, 385, 4000)
TRUE = 0.002 + 1e-4 * LENGTHS + 2e-7 * LENGTHS**2


def test_the_polynomial_is_found_exactly_without_noise():
    found = fit(LENGTHS, TRUE)
    assert found.coefficients == pytest.approx([0.002, 1e-4, 2e-7], rel=1e-6)
    assert found.residuals == pytest.approx(np.ones(4000))


def test_relative_noise_is_the_residuals():
    noise = np.random.default_rng(1).gamma(100, 0.01, 4000)
    found = fit(LENGTHS, TRUE * noise)
    assert found.expected(LENGTHS) == pytest.approx(TRUE, rel=0.01)
    assert found.residuals.mean() == pytest.approx(1, abs=0.005)
    assert found.residuals.std() == pytest.approx(0.1, abs=0.01)


def test_draws_have_the_lengths_and_the_spread():
    found = fit(LENGTHS, TRUE * np.random.default_rng(1).choice([0.9, 1.1], 4000))
    drawn = found.draw(np.array([100, 300] * 500), np.random.default_rng(2))
    ratio = drawn / found.expected(np.array([100, 300] * 500))
    assert set(np.round(ratio, 1)) == {0.9, 1.1}


@pytest.mark.parametrize("lengths", [[100], [100, 100], [100, 200]])
def test_few_lengths_make_a_simpler_polynomial(lengths):
    found = fit(np.array(lengths), np.array(lengths) / 1000)
    assert found.expected(np.array(lengths)) == pytest.approx(np.array(lengths) / 1000)


def test_nothing_measured_is_refused():
    with pytest.raises(ValueError, match="nothing was measured"):
        fit(np.array([]), np.array([]))


def test_what_is_written_tells_all_with_at_most_500_residuals():
    found = fit(LENGTHS, TRUE * np.random.default_rng(1).gamma(100, 0.01, 4000))
    described = found.describe()
    assert (len(described["residuals"]), described["n"]) == (500, 4000)
    powers = np.vander(LENGTHS.astype(float), 3, increasing=True)
    assert powers @ described["coefficients"] == pytest.approx(1000 * found.expected(LENGTHS))
    assert np.quantile(described["residuals"], 0.99) == pytest.approx(
        np.quantile(found.residuals, 0.99), rel=0.01
    )


def test_all_services_a_tenth_longer():
    found = fit(LENGTHS, TRUE).times(1.1)
    assert found.expected(LENGTHS) == pytest.approx(1.1 * TRUE)


def test_raw_services_are_kept_evenly_over_the_run():
    kept = raw(np.arange(9000), np.arange(9000) / 1000)
    assert len(kept["lengths"]) == len(kept["service_ms"]) == 4000
    assert kept["service_ms"] == kept["lengths"]
    assert (kept["lengths"][0], kept["lengths"][-1]) == (0, 8997)
    assert raw(np.array([5, 6]), np.array([0.5, 0.25])) == {
        "lengths": [5, 6],
        "service_ms": [500.0, 250.0],
    }


def test_residuals_are_drawn_in_rows_of_a_twentieth_as_they_were_measured():
    found = fit(LENGTHS, TRUE * np.repeat([0.9, 1.1], 2000))
    assert found.block == 200
    drawn = found.draw_residuals(1000, np.random.default_rng(2))
    assert np.sum(np.abs(np.diff(drawn)) > 0.1) <= 9  # scattered ones change 500 times
