"""How sure one can be of exact match, of F1 and of a difference of two systems, in percent.

Two questions have two answers. "Other questions on these articles": the questions are drawn anew,
as if each stood for itself. "Other articles": whole articles are drawn anew, since questions of one
article hang together; that interval is about twice as wide on SQuAD. Either holds the model fixed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95  # of every interval here
BOOTSTRAP_SAMPLES = 1000
FEWEST_ARTICLES = 10  # of fewer, drawing articles anew says nothing
_ROWS_PER_DRAW = 64  # resamples drawn at once: 5 MiB of indices for SQuAD dev, inside the cache
_SIGN_FLIPS = 10_000  # drawn where all patterns are too many
_EXACT_UP_TO = 13  # changed answers whose patterns of signs are all tried

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Intervals:
    """Confidence intervals in percent, `(low, high)`."""

    exact_match: Interval
    f1: Interval


def of_scores(
    exact_match: np.ndarray,
    f1: np.ndarray,
    *,
    samples: int = BOOTSTRAP_SAMPLES,
    seed: int = 0,
    confidence: float = CONFIDENCE,
) -> Intervals:
    """For other questions on these articles; exact_match and f1 [Q] from 0 to 1.

    Exact match is a share: Wilson's score interval (1927), right down to one question. F1 is a
    bootstrap with Efron's BCa correction (1987), since most questions score 0 or 1. Where most F1
    are 1 (or 0) few questions say how far the others reach: its end is no nearer than that of
    Wilson's interval for the share of questions that are not.
    """
    wilson_match = wilson(exact_match.sum(), len(exact_match), confidence)
    means = _bootstrap_means(f1, samples, seed)
    low, high = _bca(f1, means, confidence)
    # A question adds at most 1: F1 is not above the share of questions with any, and not below
    # the share of those that are wholly right.
    low = min(low, wilson((f1 > 0).sum(), len(f1), confidence)[0])
    high = max(high, wilson((f1 >= 1).sum(), len(f1), confidence)[1])
    return Intervals(wilson_match, (low, high))


def wilson(successes: float, count: int, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's score interval of a share, in percent."""
    z = _quantile((1 + confidence) / 2)
    share = float(successes) / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    spread = share * (1 - share) / count + z * z / (4 * count * count)
    half = z * float(np.sqrt(spread)) / (1 + z * z / count)
    return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)


def of_difference(
    change: np.ndarray,
    *,
    samples: int = BOOTSTRAP_SAMPLES,
    seed: int = 0,
    confidence: float = CONFIDENCE,
) -> tuple[Interval, float]:
    """Interval of the mean of paired differences [Q], -1 to 1, and the p of an exact sign test.

    The test flips the signs of the differences. Where all are of one size, as of exact match, that
    is McNemar's exact test (1947), a binomial; else all patterns are tried where few answers
    changed, and 10,000 drawn ones where many did (Fisher's randomization). The interval is a BCa
    bootstrap, which is too narrow for few changes: where the test does not tell the two apart, it
    is widened to hold 0.
    """
    changed = change[change != 0].astype(np.float64)
    probability = _sign_test(changed, seed)
    low, high = _bca(change, _bootstrap_means(change, samples, seed), confidence)
    if probability > 1 - confidence:
        low, high = min(low, 0.0), max(high, 0.0)
    return (low, high), probability


def of_articles(
    values: Sequence[np.ndarray],
    articles: np.ndarray,
    at_least: Sequence[Interval],
    *,
    lowest: float = 0.0,
    samples: int = BOOTSTRAP_SAMPLES,
    seed: int = 0,
    confidence: float = CONFIDENCE,
) -> list[Interval] | None:
    """For other articles: an interval for each of the values [Q], with the article of each question
    [Q]; None where there are fewer than FEWEST_ARTICLES.

    Args:
        at_least: the intervals for other questions. Other articles bring other questions, so theirs
            hold these; what is right in every article is not certain of the next.
        lowest: the least possible value in percent: 0 of scores, -100 of differences.

    Percentile bootstrap of whole articles (Davison and Hinkley 1997, 3.8), widened for A articles
    by sqrt(A / (A - 1)), which the bootstrap's variance lacks, and from a normal distribution's
    quantile to that of Student's t with A - 1 degrees of freedom (Hesterberg 2015, 4.2).
    """
    from scipy.special import stdtrit

    names, number = np.unique(articles, return_inverse=True)
    count = len(names)
    if count < FEWEST_ARTICLES:
        return None
    questions = np.bincount(number, minlength=count).astype(np.float64)
    sums = [np.bincount(number, weights=value, minlength=count) for value in values]
    drawn = np.random.default_rng(seed).integers(count, size=(samples, count))
    size = questions[drawn].sum(axis=1)
    tail = (1 - confidence) / 2
    student = float(stdtrit(count - 1, 1 - tail)) / _quantile(1 - tail)
    widening = student * float(np.sqrt(count / (count - 1)))
    found = []
    for value, total, (least_low, least_high) in zip(values, sums, at_least, strict=True):
        means = 100 * total[drawn].sum(axis=1) / size
        low, high = np.quantile(means, [tail, 1 - tail])
        middle = 100 * float(value.mean())
        low, high = (middle + widening * float(end - middle) for end in (low, high))
        found.append((max(lowest, min(low, least_low)), min(100.0, max(high, least_high))))
    return found


def _bootstrap_means(values: np.ndarray, samples: int, seed: int) -> np.ndarray:
    """The means of `samples` resamples of the values [Q]."""
    generator = np.random.default_rng(seed)
    questions = len(values)
    means = np.empty(samples)
    for first in range(0, samples, _ROWS_PER_DRAW):
        rows = min(_ROWS_PER_DRAW, samples - first)
        drawn = generator.integers(questions, size=(rows, questions), dtype=np.int64)
        means[first : first + rows] = values[drawn].mean(axis=1)
    return means


def _bca(values: np.ndarray, means: np.ndarray, confidence: float) -> Interval:
    """Bias-corrected and accelerated interval of a mean, from bootstrap means, in percent."""
    mean = float(values.mean())
    centred = values - mean
    square = float((centred**2).sum())
    if square == 0.0:
        return 100 * mean, 100 * mean
    below = (means < mean).mean() + (means == mean).mean() / 2
    bias = _quantile(float(np.clip(below, 1 / len(means), 1 - 1 / len(means))))
    # The jackknife's acceleration of a mean is a sixth of its skewness (Efron 1987, 6.6).
    acceleration = float((centred**3).sum()) / (6 * square**1.5)
    ends = []
    for tail in ((1 - confidence) / 2, (1 + confidence) / 2):
        shifted = bias + _quantile(tail)
        ends.append(_probability(bias + shifted / (1 - acceleration * shifted)))
    low, high = np.quantile(100 * means, np.clip(ends, 0, 1))
    return float(low), float(high)


def _sign_test(changed: np.ndarray, seed: int) -> float:
    """Two-sided p of the sum of the differences when each sign is as likely as the other."""
    count = len(changed)
    if not count:
        return 1.0
    size = np.abs(changed)
    if (size == size[0]).all():
        return min(1.0, 2 * _at_most(min((changed > 0).sum(), (changed < 0).sum()), count))
    observed = abs(float(changed.sum())) - 1e-9
    if count <= _EXACT_UP_TO:
        patterns = (np.arange(2**count)[:, None] >> np.arange(count)) & 1
        sums = (2 * patterns - 1) @ size
        return float((np.abs(sums) >= observed).mean())
    generator = np.random.default_rng(seed)
    extreme = 0
    for _ in range(_SIGN_FLIPS // 500):
        signs = generator.integers(0, 2, size=(500, count)) * 2.0 - 1.0
        extreme += int((np.abs(signs @ size) >= observed).sum())
    return (extreme + 1) / (_SIGN_FLIPS + 1)


def _at_most(heads: int, tosses: int) -> float:
    """Probability of so few heads of a fair coin."""
    from scipy.special import bdtr

    return float(bdtr(heads, tosses, 0.5))


def _quantile(probability: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(probability))


def _probability(quantile: float) -> float:
    from scipy.special import ndtr

    return float(ndtr(quantile))
