"""What one side of a comparison runs in a turn: whole passes over its features, again and again.

It is what the cell of the same settings runs, and the loop that times it is the cells'
(timing.time_batches). Only how much there is differs: a turn ends by the clock.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bertsquad.benchmark.passes import run_through
from bertsquad.benchmark.percentiles import PERCENTILES, needed
from bertsquad.benchmark.scenario import runner
from bertsquad.benchmark.statistics import percentile
from bertsquad.benchmark.timing import NANOSECONDS, Clock, time_batches
from bertsquad.benchmark.workload import make_workload, spread_over_lengths, squares
from bertsquad.data.features import Features

if TYPE_CHECKING:
    from bertsquad.benchmark.cell import Sources
    from bertsquad.engines import Engine

MODES = ("batches", "offline", "end_to_end")  # those that can be run by turns


@dataclass(frozen=True, slots=True)
class Pass:
    """All of a side's features once."""

    items: Sequence[Any]  # one sample each
    run: Callable[[Any], object]  # what is inside the clock, for one item
    features: int
    requests: bool  # an item is a request, which has a latency


def batches(
    engine: Engine, features: Features, *, padding: str, batch_size: int, count: int, seed: int = 0
) -> Pass:
    """Mode `batches`: about `count` features in batches, one after another."""
    workload = make_workload(
        features.lengths,
        batch_size=batch_size,
        warmup=0,
        iterations=max(1, math.ceil(count / batch_size)),
        seed=seed,
    )
    run = runner(features, padding)
    timed = workload.timed
    return Pass(timed, lambda batch: run(engine, batch), sum(map(len, timed)), requests=True)


def offline(engine: Engine, features: Features, *, count: int) -> Pass:
    """Mode `offline`: `count` features at hand, batched and streamed as the engine likes."""
    numbers = spread_over_lengths(features.lengths, min(count, len(features.lengths)))
    lengths = features.lengths[numbers]

    def run(_: Any) -> None:
        run_through(engine, map(features.packed, (numbers[b] for b in engine.plan(lengths))))

    return Pass([None], run, len(numbers), requests=False)


def end_to_end(engine: Engine, features: Features, sources: Sources, *, count: int) -> Pass:
    """Mode `end_to_end`: the texts of `count` questions to their answers."""
    from bertsquad.answers.decoding import MAX_ANSWER_LENGTH, N_BEST_SIZE
    from bertsquad.answers.pipeline import Limits, Windows, answer
    from bertsquad.benchmark.end_to_end import questions_at_hand
    from bertsquad.data.tokenization import Vocabulary

    assert sources.dataset is not None  # the command asks for it in this mode
    facts = features.metadata
    dataset = questions_at_hand(sources.features, sources.dataset, features, count)
    vocabulary = Vocabulary(
        sources.model / "vocab.txt",
        lowercase=facts["lowercase"],
        strip_accents=facts["strip_accents"],
    )
    windows = Windows(facts["max_seq_length"], facts["doc_stride"], facts["max_query_length"])
    limits = Limits(N_BEST_SIZE, MAX_ANSWER_LENGTH)

    def run(_: Any) -> Any:
        return answer(engine, dataset, vocabulary, windows=windows, limits=limits)

    return Pass([None], run, run(None).features, requests=False)


@dataclass(frozen=True, slots=True)
class OfQuestions:
    """Three ways through the same features, those of some questions."""

    texts: Pass  # from texts to answers
    alone: Pass  # the engine, in the batches that it had of these texts
    single: Pass  # one feature after the other
    questions: int
    tokens: int
    squared_lengths: int


def of_questions(
    engine: Engine, features: Features, sources: Sources, *, count: int
) -> OfQuestions:
    """The features of `count` questions or a few more, as `end_to_end` takes them."""
    texts = end_to_end(engine, features, sources, count=count)
    answers: Any = texts.run(None)
    batches = list(answers.batches())
    lengths = np.concatenate([np.diff(part.starts) for part in answers.parts])
    one_by_one = [
        part.features.packed(np.array([number]))
        for part in answers.parts
        for number in range(len(part.features))
    ]
    return OfQuestions(
        texts=texts,
        alone=Pass([None], lambda _: run_through(engine, batches), len(lengths), requests=False),
        single=Pass(one_by_one, engine.run, len(lengths), requests=True),
        questions=sum(len(part.waiting) for part in answers.parts),
        tokens=int(lengths.sum()),
        squared_lengths=squares(lengths),
    )


def slowed(work: Pass, share: float, clock: Clock = time.perf_counter_ns) -> Pass:
    """The same, each item followed by `share` of its own time in which nothing is done but look at
    the clock: a difference that is known, to test verdicts with."""

    def run(item: Any) -> object:
        begin = clock()
        result = work.run(item)
        now = clock()
        end = now + share * (now - begin)
        while clock() < end:
            pass
        return result

    return Pass(work.items, run, work.features, work.requests)


def take_turn(
    work: Pass, seconds: float, requests: int = 1, clock: Clock = time.perf_counter_ns
) -> dict[str, Any]:
    """Passes until they took `seconds` and gave as many samples as `requests`: `seconds`, how many
    `features`, and of requests the percentiles of `latency_ms` that so many have."""
    samples = time_batches(work.run, work.items, clock=clock, at_least_s=seconds)
    if len(samples) < requests:  # whole passes, again
        more = math.ceil((requests - len(samples)) / len(work.items))
        samples += time_batches(work.run, [*work.items] * more, clock=clock)
    taken: dict[str, Any] = {
        "seconds": sum(samples) / NANOSECONDS,
        "features": len(samples) // len(work.items) * work.features,
    }
    if work.requests:
        latencies = (np.array(samples) / 1e6).tolist()
        taken["requests"] = len(latencies)
        taken["latency_ms"] = {
            f"p{percent}": percentile(latencies, percent)
            for percent in PERCENTILES
            if len(latencies) >= needed(percent)
        }
    return taken
