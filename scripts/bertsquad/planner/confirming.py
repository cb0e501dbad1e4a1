"""The winner of a race as a real server: whether it keeps the SLO at the rate that it won with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bertsquad.benchmark.percentiles import needed
from bertsquad.planner.check import Measured, expected_run
from bertsquad.planner.demand import length_classes
from bertsquad.planner.exploring import Scorer
from bertsquad.planner.race import FailedError, Score

CAPACITY_S = 5.0  # with all lanes busy, before the requests come: what the run's twin is made of
_SHORTEST_S = 20.0
_MORE = 1.1  # requests come by chance: so many times the seconds that a percentile should take

Serve = Callable[[float, float], Measured]  # requests a second, seconds


def confirm(
    name: str, score: Score, scorer: Scorer, *, left_s: float, beside_s: float, serve: Serve
) -> dict[str, Any]:
    """Run the winner at the lower end of its score, and compare.

    `left_s` of the budget, seconds; `beside_s`: what a measurement takes beside them. `status` is
    confirmed, beyond (the SLO), disturbed, failed or no time; `why` is set where nothing was
    learned.
    """
    assert scorer.file is not None
    assert scorer.slo_s is not None
    questions, wanted = scorer.file.questions(scorer.run), scorer.wanted
    rate = score.low * questions.windows
    known = {"cell": name, "questions_per_second": score.low, "requests_per_second": rate}
    if rate <= 0:
        return known | {"status": "failed", "why": "its services are known too little for a rate"}
    seconds = max(_SHORTEST_S, _MORE * needed(wanted.percentile) / rate)
    takes = seconds + CAPACITY_S + beside_s
    if takes > left_s:
        more = max(0.1, (takes - left_s) / 60)
        why = f"that takes {takes:.0f} s more; give explore.minutes {more:.2g} more"
        return known | {"status": "no time", "why": why}
    try:
        measured = serve(rate, seconds)
    except FailedError as error:
        return known | {"status": "failed", "why": str(error)}
    cell, classes = scorer.cells()[name], length_classes(wanted, questions)
    shares = {each: found.share for each, found in classes.items()}
    requests = len(measured.latencies_ms)
    expected = expected_run(
        cell.at_load, classes, shares, cell.lanes, rate, requests, wanted.percentile
    )
    found = float(np.percentile(measured.latencies_ms, wanted.percentile, method="inverted_cdf"))
    status = "confirmed" if found <= 1000 * scorer.slo_s else "beyond"
    return known | {
        "status": "disturbed" if measured.validity == "invalid" else status,
        "requests": requests,
        "predicted_ms": expected,
        "measured_ms": found,
        "validity": measured.validity,
        "twin": measured.twin,
        "started_at": measured.started_at,
    }
