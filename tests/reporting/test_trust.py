"""docs/results/trust/: page, table, figure."""

from bertsquad.reporting import style, trust


def one(name: str, slow_down: float, verdict: str, value: float) -> dict:
    return {
        "name": name,
        "slow_down": slow_down,
        "verdict": verdict,
        "ratio": {"value": value, "low": value - 0.01, "high": value + 0.01},
        "rounds": [{}] * 9,
        "rounds_used": 8,
        "rounds_disturbed": 1,
        "sd": 0.01,
        "would_need": None,
        "turn_seconds": 0.08,
        "seed": 1,
        "started_at": "2026-11-30T09:00:00+00:00",
        "cpu": "EPYC",
        "engine": "torch",
        "precision": "fp32",
        "facts": {"a": {"threads": 2}},
    }


FOUND = [one("equal-01", 0.0, "same", 1.001), one("slower-5-1", 0.05, "faster", 1.052)]


def test_the_page_has_a_row_for_each_kind_and_says_what_held():
    page = trust.page(FOUND, None)
    assert "| 0 (equal) | 1 of 40 | 0 | 0 | 1 | 0 | at most 5 of 40 told apart | so far |" in page
    assert "| 5% | 1 of 2 | 1 | 0 | 0 | 0 | found, ratio 1.05 ± 0.01 | so far |" in page
    assert (
        "Slower by 5%, 0.08 s of each side a round: 1.0520 (1.0420 to 1.0620) after 8 rounds."
        in page
    )
    assert "Of all 18 rounds 2 were disturbed, and did not count." in page
    assert "Measured 2026-11-30, EPYC, 2 threads." in page


def test_a_ratio_that_is_off_is_explained_by_the_spread_of_rounds():
    missed = one("slower-5-2", 0.05, "faster", 1.07) | {"sd": 0.05}
    said = "A ratio to within 0.01 takes about 97 rounds where they spread by 5.0%, as they did"
    assert said in trust.page([*FOUND, missed], None)
    assert "takes about" not in trust.page(FOUND, None)
    assert "all the same" not in trust.page([*FOUND, missed], None)


def test_a_ratio_that_is_off_after_enough_rounds_is_not_explained_by_their_spread():
    missed = one("slower-5-2", 0.05, "faster", 1.07) | {"sd": 0.01}
    said = "takes about 4 rounds where they spread by 1.0%, as they did then: so many were made"
    assert said in trust.page([*FOUND, missed], None)


def test_the_table_has_a_line_for_each_trial():
    lines = trust.table(FOUND).splitlines()
    assert lines[0].startswith("trial,slow_down,verdict,ratio,low,high,rounds_used")
    assert lines[2].startswith("slower-5-1,0.05,faster,1.05200,1.04200,1.06200,8,1,0.01000,,0.08")


def test_the_figure_names_each_kind_with_how_many_there_are(tmp_path):
    with style.styled():
        style.save(trust.draw(FOUND), tmp_path / "f.svg", trust.TITLE)
    text = (tmp_path / "f.svg").read_text()
    assert "slower by 5%, 1" in text
    assert "equal, 1" in text
