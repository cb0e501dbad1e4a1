"""Unknown names are answered with near ones."""

from bertsquad.console.suggestions import did_you_mean


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
