"""Loads are read from the names that paths have, and written so again."""

import pytest

from bertsquad.benchmark.loads import Load, read_load
from bertsquad.console.errors import UserError


@pytest.mark.parametrize("text", ["saturated", "share0.7", "rate12.5", "rate120", "slo300"])
def test_a_load_is_written_as_it_is_read(text):
    assert str(read_load(text)) == text


def test_a_load_has_a_kind_and_a_number():
    assert read_load("share0.70") == Load("share", 0.7)
    assert str(Load("rate", 1e-05)) == "rate0.00001"


@pytest.mark.parametrize("text", ["share", "0.7", "rate0", "rate-1", "rate1e3", "slo", "full"])
def test_another_load_is_refused(text):
    with pytest.raises(UserError, match="expected saturated, or share, rate or slo"):
        read_load(text)
