"""Mode `end_to_end`: texts in, answers out, all questions at hand (bertsquad.answers.pipeline).

One sample is one pass over the questions: contexts and questions as texts -> features -> engine ->
n best answers. Each is followed by the same batches through the engine alone, which shows what
tokenising and decoding add to the time of the model.
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bertsquad.answers.decoding import MAX_ANSWER_LENGTH, N_BEST_SIZE
from bertsquad.answers.pipeline import Answers, Limits, Windows, answer
from bertsquad.benchmark import timing
from bertsquad.benchmark.cell import Settings, Sources, describe_cell
from bertsquad.benchmark.loading import load_engine
from bertsquad.benchmark.passes import PassMeasurement, run_through, spread
from bertsquad.benchmark.statistics import per_second
from bertsquad.benchmark.workload import squares
from bertsquad.data import squad
from bertsquad.data.features import Features
from bertsquad.data.selection import select
from bertsquad.data.tokenization import Vocabulary
from bertsquad.engines import Engine
from bertsquad.files import read_json
from bertsquad.machine.memory import peak_memory_mib
from bertsquad.model.fit import check_made_from

_TIMED_REGION = (
    "one pass over all questions: contexts and questions as Python texts -> features -> engine -> "
    "n best answers of each question as Python texts; model_samples_s: the same batches, packed "
    "from features that are there -> engine -> logits"
)


@dataclass(frozen=True, slots=True)
class EndToEndMeasurement(PassMeasurement):
    """Beside the passes: what they were made of."""

    questions: int  # all passes together
    model_samples_s: list[float]  # the batches of each pass, through the engine alone
    tokenise_samples_s: list[float]  # of each pass, processor time
    decode_samples_s: list[float]


def measured(
    load: Callable[[], Engine],
    features: Features,
    settings: Settings,
    sources: Sources,
    progress: Callable[[str, int, int], None],
) -> dict[str, Any]:
    """The cell of a mode `end_to_end` measurement."""
    assert settings.count is not None  # the command asks for it in this mode
    assert sources.dataset is not None
    facts = features.metadata
    limits = Limits(N_BEST_SIZE, MAX_ANSWER_LENGTH)
    measurement = measure(
        load,
        questions_at_hand(sources.features, sources.dataset, features, settings.count),
        Vocabulary(
            sources.model / "vocab.txt",
            lowercase=facts["lowercase"],
            strip_accents=facts["strip_accents"],
        ),
        windows=Windows(facts["max_seq_length"], facts["doc_stride"], facts["max_query_length"]),
        limits=limits,
        warmup=settings.warmup_iterations,
        passes=settings.iterations,
        seconds=settings.seconds,
        progress=progress,
    )
    if settings.seconds is not None:
        settings = replace(settings, iterations=len(measurement.pass_samples_s))
    return describe_cell(
        settings,
        measurement,
        [1000 * sample for sample in measurement.pass_samples_s],
        timed_region=_TIMED_REGION,
        **asdict(limits),
        **shares(measurement),
    )


def shares(measurement: EndToEndMeasurement) -> dict[str, float]:
    """Medians over the passes, in seconds; and what a pass takes over the model alone, less 1."""
    passes, models = measurement.pass_samples_s, measurement.model_samples_s
    overheads = [whole / model - 1 for whole, model in zip(passes, models, strict=True)]
    return {
        "questions_per_second": per_second(measurement.questions, [1000 * s for s in passes]),
        "wall_s": statistics.median(passes),
        "model_s": statistics.median(models),
        "tokenise_s": statistics.median(measurement.tokenise_samples_s),
        "decode_s": statistics.median(measurement.decode_samples_s),
        "overhead_share": statistics.median(overheads),
    }


def questions_at_hand(
    features_path: Path, dataset_path: Path, features: Features, count: int
) -> squad.Dataset:
    """Paragraphs of the dataset, spread over all of it, with at least `count` questions.

    `UserError` where the features were made from another dataset.
    """
    check_made_from(features_path, features.metadata, dataset_path, "dataset")
    chosen = select(read_json(dataset_path), questions=count, longest_context=sys.maxsize)
    return squad.parse(chosen, source=str(dataset_path))


def measure(
    load: Callable[[], Engine],
    dataset: squad.Dataset,
    vocabulary: Vocabulary,
    *,
    windows: Windows,
    limits: Limits,
    warmup: int,
    passes: int,
    seconds: float | None = None,
    clock: timing.Clock = time.perf_counter_ns,
    progress: Callable[[str, int, int], None] = timing.silent,
) -> EndToEndMeasurement:
    """Load an engine and answer all questions `passes` times and, with `seconds`, again while three
    quarters of them are not over.

    Before that, one paragraph is answered, the first inference, then all, so that the engine has
    met every shape of the run, and `warmup` paragraphs from all over the dataset.
    """

    def answered(paragraphs: Sequence[int]) -> Answers:
        some = replace(dataset, paragraphs=tuple(dataset.paragraphs[p] for p in paragraphs))
        return answer(engine, some, vocabulary, windows=windows, limits=limits)

    engine, loading = load_engine(load, clock, progress)
    _, first_ns = timing.timed(lambda: answered([0]), clock)
    whole = range(len(dataset.paragraphs))
    progress("warm-up of all shapes", 0, 1)
    _, visits_ns = timing.timed(lambda: answered(whole), clock)
    progress("warm-up", 0, warmup)
    answered(spread(len(whole), warmup))
    pass_ns: list[int] = []
    model_ns, tokenise_s, decode_s = [], [], []
    while len(pass_ns) < passes or sum(pass_ns) < timing.at_least(seconds) * timing.NANOSECONDS:
        progress("timing", len(pass_ns), passes)
        with timing.garbage_collector_off():
            answers, sample = timing.timed(lambda: answered(whole), clock)
            _, alone = timing.timed(partial(run_through, engine, answers.batches()), clock)
        pass_ns.append(sample)
        model_ns.append(alone)
        tokenise_s.append(answers.tokenise_s)
        decode_s.append(answers.decode_s)
    passes = len(pass_ns)
    tokens = passes * sum(int(part.starts[-1]) for part in answers.parts)
    return EndToEndMeasurement(
        pass_samples_s=[sample / timing.NANOSECONDS for sample in pass_ns],
        model_samples_s=[sample / timing.NANOSECONDS for sample in model_ns],
        tokenise_samples_s=tokenise_s,
        decode_samples_s=decode_s,
        questions=passes * sum(1 for _ in dataset.questions()),
        features=passes * answers.features,
        tokens=tokens,
        squared_lengths=passes * sum(squares(np.diff(part.starts)) for part in answers.parts),
        computed_tokens=tokens,
        batches=sum(len(part.plan) for part in answers.parts),
        first_inference_s=first_ns / timing.NANOSECONDS,
        cold_s=(visits_ns - statistics.median(pass_ns)) / timing.NANOSECONDS,
        peak_memory_mib=peak_memory_mib(),
        **loading,
    )
