"""Phases in which a machine is slower are told from single slow requests."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent / "fixtures"))

from slow_phases import SLOW, slowest_phase


def requests(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    tokens = rng.integers(40, 385, 400)
    return 0.1 * tokens**1.1 * np.exp(0.1 * rng.standard_normal(400)), tokens


def test_a_phase_of_twenty_requests_is_found_with_its_factor():
    service, tokens = requests(1)
    service[200:220] *= 1.5
    assert slowest_phase(service, tokens) == pytest.approx(1.5, abs=0.08)


def test_as_many_slow_requests_one_at_a_time_are_no_phase():
    service, tokens = requests(2)
    service[::20] *= 1.5
    assert slowest_phase(service, tokens) < 1.15 < SLOW


def test_steady_requests_of_all_lengths_have_none():
    assert slowest_phase(*requests(3)) < 1.1
