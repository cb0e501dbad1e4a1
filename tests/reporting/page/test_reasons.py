"""What disturbed a cell, as the report says it."""

import pytest

from bertsquad.benchmark.validity import CODES, reasons_in_words, validity
from bertsquad.reporting.page.reasons import _NAMES, in_plain_words, named


@pytest.mark.parametrize(
    ("short", "plain"),
    [
        ("busy 1.5 CPUs", "others kept 1.5 CPUs busy"),
        ("clock 0.11 between before and after", "the clock changed by 11 %"),
        ("slow_clock 0.051 below the best cell", "the clock was 5.1 % below the best cell's"),
        ("waited 2.4 of our time", "its threads waited for a processor for 240 % of its time"),
        ("no_steady_state 1 series", "no steady state"),
        ("too_few 1 percentiles", "too few requests for 1 percentile"),
        ("too_few 3 percentiles", "too few requests for 3 percentiles"),
        (
            "slow_phase 1.4 times as slow for a while",
            "the machine was 1.4 times as slow for a while",
        ),
        (
            "busy 1 CPUs; other_machine measured on host a; machine.json is of b",
            "others kept 1 CPUs busy; measured on host a; machine.json is of b",
        ),
        ("cosmic 3 rays", "cosmic 3 rays"),
        ("busy", "busy"),
        ("", ""),
    ],
)
def test_a_reason_is_a_phrase_that_needs_no_table(short: str, plain: str):
    assert in_plain_words(short) == plain


@pytest.mark.parametrize("code", sorted(set(CODES) - {"other_machine"}))
def test_every_code_has_words_of_its_own(code: str):
    check = CODES[code]
    short = reasons_in_words(validity({check.noise: 99})["reasons"])
    assert short.startswith(f"{code} ")
    assert in_plain_words(short) != short


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_has_a_name_of_words(code: str):
    assert "_" not in named(code)
    assert named(code) in _NAMES.values()


def test_a_code_that_is_not_known_stays():
    assert named("cosmic") == "cosmic"
