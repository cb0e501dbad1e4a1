"""Services by length, from requests whose times are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.planner.services import Services

LENGTHS = np.arange(20, 400, 4)


def truth(lengths):
    return 0.002 + 1e-4 * lengths + 3e-7 * lengths**2


def measured(noise: float = 0.0, seed: int = 0) -> Services:
    random = np.random.default_rng(seed)
    lengths = random.permutation(np.tile(LENGTHS, 4))
    return Services(lengths, truth(lengths) * np.exp(noise * random.standard_normal(len(lengths))))


def test_the_fit_is_the_quadratic_that_the_services_lie_on():
    fit = measured().fit()
    np.testing.assert_allclose(fit.coefficients, [0.002, 1e-4, 3e-7], rtol=1e-6)
    np.testing.assert_allclose(fit.ratios, 1, rtol=1e-9)


def test_relative_noise_leaves_the_fit_within_a_per_cent():
    fit = measured(noise=0.05).fit()
    np.testing.assert_allclose(fit.of(LENGTHS), truth(LENGTHS), rtol=0.03)
    assert np.std(fit.ratios) == pytest.approx(0.05, rel=0.2)


def test_a_pool_has_the_lengths_it_is_asked_for_and_the_measured_ratios():
    pool = measured(noise=0.05).fit().pool(np.array([100, 300]), size=10_000)
    assert len(pool) == 10_000
    assert np.mean(pool) == pytest.approx(np.mean(truth(np.array([100, 300]))), rel=0.02)


def test_a_pool_keeps_the_order_in_which_ratios_were_measured():
    lengths = np.full(400, 128)
    fit = Services(lengths, 0.25 * np.where(np.arange(400) < 40, 1.5, 1.0)).fit()
    pool = fit.pool(np.array([128]), size=800)
    assert fit.block == 20
    np.testing.assert_allclose(pool, np.tile(0.25 * np.repeat([1.5, 1.0], [40, 360]), 2))


def test_services_times_a_factor():
    services = measured()
    np.testing.assert_allclose(services.times(1.1).seconds, 1.1 * services.seconds)
    assert services.times(1.1).lengths is services.lengths


def test_one_length_alone_can_be_fitted():
    services = Services(np.full(40, 128), np.full(40, 0.25))
    assert services.fit().of(np.array([128])) == pytest.approx([0.25])
    assert np.all(services.fit().of(np.array([16, 512])) > 0)


@given(st.lists(st.tuples(st.integers(1, 512), st.floats(1e-5, 10)), min_size=1, max_size=30))
def test_a_fitted_service_is_always_above_0(pairs):
    lengths, seconds = (np.array(column) for column in zip(*pairs, strict=True))
    fit = Services(lengths, seconds).fit()
    assert np.all(fit.of(np.arange(1, 600)) > 0)
    assert np.all(np.isfinite(fit.pool(np.arange(1, 600), size=100)))


def test_resampling_takes_whole_blocks():
    services = Services(np.arange(1, 201), np.arange(1, 201) / 1000)
    again = services.resampled(np.random.default_rng(0))
    assert len(again.lengths) == 200
    blocks = again.lengths.reshape(20, 10)
    assert np.all(np.diff(blocks, axis=1) == 1)
    assert len({block[0] for block in blocks}) < 20


@pytest.mark.parametrize("seconds", [[], [0.0], [-1.0]])
def test_services_are_above_0(seconds):
    with pytest.raises(ValueError, match="above 0 s"):
        Services(np.ones(len(seconds), int), np.array(seconds))
