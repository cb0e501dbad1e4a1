"""Intervals hold the truth as often as they say, and tell no two equal systems apart too often."""

import numpy as np
import pytest

from bertsquad.answers.intervals import (
    FEWEST_ARTICLES,
    Intervals,
    of_articles,
    of_difference,
    of_scores,
    wilson,
)

NO_INTERVAL = (100.0, -100.0)  # holds nothing


def test_intervals_of_a_fair_coin_are_as_wide_as_theory_says():
    coin = np.arange(1000) % 2.0
    found = of_scores(coin, coin, samples=4000)
    deviation = 100 * np.sqrt(0.25 / 1000)
    for low, high in (found.exact_match, found.f1):
        assert low == pytest.approx(50 - 1.96 * deviation, abs=0.3)
        assert high == pytest.approx(50 + 1.96 * deviation, abs=0.3)


def test_intervals_depend_on_the_seed_alone():
    values = np.random.default_rng(5).random((2, 300))
    first, again, other = (of_scores(*values, samples=100, seed=s) for s in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize(
    ("successes", "count", "low", "high"),
    # Wilson's formula by hand; 0 and all of n are 0 to z2 / (n + z2) and its mirror image.
    [(0, 50, 0.0, 7.1350), (50, 50, 92.8650, 100.0), (25, 50, 36.6449, 63.3551)],
)
def test_wilson(successes: int, count: int, low: float, high: float):
    assert wilson(successes, count) == pytest.approx((low, high), abs=1e-3)


def test_fifty_right_of_fifty_is_not_certain():
    assert of_scores(np.ones(50), np.ones(50)) == Intervals(wilson(50, 50), wilson(50, 50))


def draw_f1(generator: np.random.Generator, count: int, right: float, wrong: float) -> np.ndarray:
    """F1 of questions: wholly right, wholly wrong, or anything between."""
    kind = generator.random(count)
    partly = generator.random(count)
    return np.where(kind < right, 1.0, np.where(kind < right + wrong, 0.0, partly))


@pytest.mark.parametrize(("count", "right", "wrong"), [(510, 0.93, 0.02), (50, 0.95, 0.03)])
def test_scores_near_the_top_are_covered(count: int, right: float, wrong: float):
    generator = np.random.default_rng(1)
    truth = 100 * (right + (1 - right - wrong) / 2)
    covered = [0, 0]
    for seed in range(400):
        f1 = draw_f1(generator, count, right, wrong)
        found = of_scores((f1 >= 1) * 1.0, f1, samples=400, seed=seed)
        covered[0] += found.exact_match[0] <= 100 * right <= found.exact_match[1]
        covered[1] += found.f1[0] <= truth <= found.f1[1]
    # 95 of 100; 400 draws leave a standard deviation of 1.1.
    assert min(covered) >= 0.92 * 400


@pytest.mark.parametrize("share", [0.01, 0.03, 0.1])
def test_equal_systems_are_seldom_told_apart(share: float):
    generator = np.random.default_rng(2)
    wrong = 0
    for seed in range(400):
        change = generator.choice([-1, -0.5, 0.5, 1], 510)
        change = np.where(generator.random(510) < share, change, 0.0)
        (low, high), probability = of_difference(change, samples=400, seed=seed)
        wrong += not low <= 0 <= high
        assert low <= 0 <= high or probability <= 0.05
    assert wrong <= 0.08 * 400  # 5 of 100 and three standard deviations


def test_a_difference_that_is_there_is_told():
    change = np.zeros(500)
    change[:20] = -1
    (low, high), probability = of_difference(change)
    assert low < -4.0 < high < 0
    assert probability < 0.001


def test_the_sign_test_of_few_changes_is_exact():
    assert of_difference(np.array([1.0, 0.0, 0.0]))[1] == 1.0
    assert of_difference(np.array([1.0, 1, 1, 1, 1, 0]))[1] == 2 / 32
    assert of_difference(np.array([1.0, 1, 1, 1, 1, 1, 0]))[1] == 2 / 64
    # McNemar: 3 of 20 one way, 2 (1 + 20 + 190 + 1140) / 2 ** 20.
    assert of_difference(np.array([1.0] * 3 + [-1.0] * 17))[1] == pytest.approx(2702 / 2**20)
    assert of_difference(np.array([1.0, -1.0]))[1] == 1.0
    assert of_difference(np.zeros(9)) == ((0.0, 0.0), 1.0)


def test_questions_of_one_article_that_hang_together_widen_the_interval():
    generator = np.random.default_rng(3)
    articles = np.repeat(np.arange(40), 50)
    alone = (generator.random(2000) < 0.8) * 1.0
    together = np.repeat(generator.random(40) < 0.8, 50) * 1.0
    narrow, wide = of_articles([alone, together], articles, [NO_INTERVAL] * 2)
    assert narrow[1] - narrow[0] == pytest.approx(2 * 1.96 * 0.4 / np.sqrt(2000) * 100, rel=0.35)
    assert wide[1] - wide[0] == pytest.approx(2 * 1.96 * 0.4 / np.sqrt(40) * 100, rel=0.35)


def test_few_articles_say_nothing():
    articles = np.arange(FEWEST_ARTICLES - 1)
    assert of_articles([np.ones(len(articles))], articles, [NO_INTERVAL]) is None


def test_what_is_right_in_every_article_is_not_certain_of_others():
    right = np.ones(50)
    scores = of_scores(right, right)
    found = of_articles([right, right], np.arange(50) // 5, [scores.exact_match, scores.f1])
    assert found == [wilson(50, 50), wilson(50, 50)]


@pytest.mark.parametrize("articles", [10, 48])
def test_other_articles_are_covered(articles: int):
    # Articles differ: 30 questions each, of which Beta(16, 4) are answered, 80 % on average.
    generator = np.random.default_rng(4)
    number = np.repeat(np.arange(articles), 30)
    covered = 0
    for seed in range(400):
        right = (generator.random(len(number)) < generator.beta(16, 4, articles)[number]) * 1.0
        of_questions = wilson(right.sum(), len(right))
        ((low, high),) = of_articles([right], number, [of_questions], samples=400, seed=seed)
        covered += low <= 80 <= high
        assert 0 <= low <= of_questions[0] < of_questions[1] <= high <= 100
    assert 0.92 * 400 <= covered <= 0.98 * 400


def test_the_difference_on_other_articles_may_be_negative():
    change = np.tile([-1.0, 0, 0, 0, 0], 20)
    change[::50] = 1.0
    ((low, high),) = of_articles([change], np.arange(100) // 5, [NO_INTERVAL], lowest=-100.0)
    assert -25 < low < -16 < high < -5
