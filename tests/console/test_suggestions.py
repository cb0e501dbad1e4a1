"""Unknown names are answered with near ones."""

import pytest

from bertsquad.console.suggestions import did_you_mean, unknown_target


def test_near_names_come_first_whatever_their_case():
    assert did_you_mean("MiniLM", ["minilm", "synthetic"]) == (
        "did you mean minilm? known: minilm, synthetic"
    )


def test_far_names_are_only_listed():
    assert did_you_mean("xyz", ["b", "a"]) == "known: a, b"


def test_long_lists_are_cut():
    names = [f"n{number:02}" for number in range(20)]
    assert did_you_mean("?", names).endswith("n10, n11 and 8 more")


def test_nothing_known():
    assert did_you_mean("x", []) == "there are none"


RULES, FILES = ("all", "report", "plan", "speed"), ("results/report.html", "results/summary.csv")


@pytest.mark.parametrize(
    ("target", "meant"),
    [
        ("reprot", "no rule makes the target reprot; did you mean report? `snakemake --list-"),
        ("results/reprot.html", "target results/reprot.html; did you mean results/report.html? `"),
        ("summary.cvs", "no rule makes the target summary.cvs; did you mean results/summary.csv?"),
        (
            "xyzzy",
            "no rule makes the target xyzzy; `snakemake --list-target-rules` lists the rules",
        ),
    ],
)
def test_a_target_that_nothing_makes(target, meant):
    assert meant in unknown_target(target, RULES, FILES)
