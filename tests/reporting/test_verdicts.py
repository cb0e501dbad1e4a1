"""Comparisons in words and as a table."""

import json

import pytest

from bertsquad.console.errors import UserError
from bertsquad.reporting.verdicts import (
    COLUMNS,
    as_csv,
    noise_line,
    read,
    read_noise,
    sentence,
    table,
)


def side(**facts):
    found = {"run": "r", "engine": "torch", "precision": "fp32", "scenario": "offline"}
    return found | {"batch_size": "auto", "threads": "all", "slow_down": 0.0} | facts


def comparison(verdict="faster", **facts):
    return {
        "name": "bf16",
        "a": side(precision="bf16"),
        "b": side(),
        "verdict": verdict,
        "why": None,
        "ratio": {"value": 1.6, "low": 1.5, "high": 1.7, "level": 0.983},
        "rounds_used": 8,
        "rounds_disturbed": 0,
        "sd": 0.021,
        "would_need": None,
        "same_within": 0.01,
        "metric": "rate",
        **facts,
    }


NO_VERDICT = comparison(None, why="9 of 9 rounds were disturbed", ratio=None, sd=None)


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (
            comparison(),
            "bf16: torch bf16 is faster than torch fp32: 1.600 (1.500 to 1.700), 8 rounds",
        ),
        (
            comparison("slower"),
            "bf16: torch bf16 is slower than torch fp32: 1.600 (1.500 to 1.700), 8 rounds",
        ),
        (
            comparison("same"),
            "bf16: torch bf16 and torch fp32 are as fast, within 1.0%: 1.600 (1.500 to 1.700), "
            "8 rounds",
        ),
        (
            comparison("cannot tell", would_need=70),
            "bf16: cannot tell whether torch bf16 or torch fp32 is faster: 1.600 (1.500 to 1.700), "
            "8 rounds; would need about 70 rounds",
        ),
        (
            NO_VERDICT,
            "bf16: torch bf16 or torch fp32: no verdict: 9 of 9 rounds were disturbed",
        ),
    ],
)
def test_each_verdict_is_a_sentence(found, text):
    assert sentence(found) == text


def test_sides_are_named_by_what_tells_them_apart():
    found = comparison(a=side(batch_size="8"), b=side(batch_size="1", slow_down=0.05))
    assert sentence(found).startswith(
        "bf16: torch fp32 batch 8 is faster than torch fp32 batch 1 slowed by 5%"
    )


def test_the_table_has_a_line_for_each_below_its_heads():
    lines = table([comparison(), comparison(None, why="busy", rounds_disturbed=9)])
    assert lines[0].split()[:3] == ["comparison", "a", "b"]
    assert "8 (+9 disturbed)" in lines[2]
    assert lines[2].endswith("no verdict: busy")
    assert len(lines) == 3


def test_the_csv_has_all_columns_and_is_empty_where_nothing_is_known():
    lines = as_csv([comparison(), NO_VERDICT]).splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert lines[1].startswith("bf16,faster,rate,1.6,1.5,1.7,0.983,8,0,,0.021,0.01,")
    assert lines[2].startswith("bf16,,rate,,,,,8,0,,,0.01,")


def test_the_noise_floor_is_one_line_and_its_absence_says_what_measures_it():
    noise = {"sd": 0.02, "sees": {"8": 0.024, "32": 0.012}, "verdict": "same", "why": None}
    assert noise_line(noise) == (
        "noise floor of this machine: ratios of equal sides spread by 2.0% (sd of a round); "
        "differences are found from 2.4 % in 8, 1.2 % in 32 rounds"
    )
    assert "`snakemake noise`" in noise_line(None)
    assert noise_line(noise | {"sees": None, "why": "busy"}).endswith("not known: busy")


def test_another_file_is_refused_in_one_line(tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"name": "x"}))
    with pytest.raises(UserError, match=r"x\.json: not a comparison as this version writes it"):
        read(path)
    with pytest.raises(UserError, match=r"x\.json: not what noise\.py writes"):
        read_noise([path])
    assert read_noise([]) is None
