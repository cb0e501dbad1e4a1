"""The winner of a race beside a server of its own: what is asked of it, and what is said."""

import numpy as np
import pytest

from bertsquad.planner.cells import parsed
from bertsquad.planner.check import Measured
from bertsquad.planner.confirming import confirm, in_words
from bertsquad.planner.exploring import Scorer
from bertsquad.planner.race import FailedError, Score
from made_cells import cell, cells_data
from planner.test_exploring import asked

NAME = "torch fp32 1x1x2"


@pytest.fixture
def scorer() -> Scorer:
    data = cells_data(cells=[cell()])
    made = Scorer("demo", asked(slo={"ms": 200}), lambda names: parsed(data, "made up"))
    made([NAME])
    return made


def found(scorer, *, p99=150.0, low=16.0, left_s=600.0, validity="valid"):
    calls = []

    def serve(rate, seconds):
        calls.append((rate, seconds))
        latencies = np.concatenate([np.full(440, 50.0), np.full(10, p99)])
        return Measured(latencies, validity, "fits", 1.0, "2026-01-02T03:04:05+00:00")

    score = Score(18.0, low, 20.0)
    return confirm(NAME, score, scorer, left_s=left_s, beside_s=4.0, serve=serve), calls


def test_it_is_sent_the_lower_end_of_its_score_for_as_long_as_its_percentile_takes(scorer):
    said, calls = found(scorer)
    # 1.25 windows a question; 1.1 x 368 requests at 20 a second.
    assert calls == [(20.0, pytest.approx(20.24))]
    assert (said["status"], said["measured_ms"], said["requests"]) == ("confirmed", 150.0, 450)
    assert said["questions_per_second"] == 16.0
    assert said["predicted_ms"]["low"] < said["predicted_ms"]["value"]
    text = in_words(said, 99, 200.0)
    assert text.startswith(
        "confirmed: as a server at 20 requests/s it had p99 150 ms of 450 requests (predicted "
    )
    assert text.endswith("), within the SLO of 200 ms")


def test_beyond_the_slo_it_is_not_confirmed(scorer):
    said, _ = found(scorer, p99=230.0)
    assert said["status"] == "beyond"
    text = in_words(said, 99, 200.0)
    assert text.startswith("not confirmed: as a server at 20 requests/s it had p99 230 ms")
    assert text.endswith("beyond the SLO of 200 ms")


def test_a_disturbed_run_confirms_nothing(scorer):
    said, _ = found(scorer, validity="invalid")
    assert said["status"] == "disturbed"
    assert in_words(said, 99, 200.0).endswith("and the run was disturbed")


def test_without_time_it_says_what_it_takes(scorer):
    said, calls = found(scorer, left_s=17.24)  # 20.24 + 5 to saturate + 4 beside
    assert (said["status"], calls) == ("no time", [])
    assert in_words(said, 99, 200.0) == (
        "not confirmed by a server of its own: that takes 29 s more; give explore.minutes 0.2 more"
    )


def test_a_server_that_fails_is_told(scorer):
    def fails(rate, seconds):
        raise FailedError("could not be run (status 1): no memory")

    score = Score(18.0, 16.0, 20.0)
    said = confirm(NAME, score, scorer, left_s=600.0, beside_s=4.0, serve=fails)
    assert (said["status"], said["why"]) == ("failed", "could not be run (status 1): no memory")


def test_a_winner_without_a_sure_rate_is_not_run(scorer):
    said, calls = found(scorer, low=0.0)
    assert (said["status"], calls) == ("failed", [])
    assert said["why"] == "its services are known too little for a rate"
