"""The columns of summary.csv: the one place where each has its type, its unit and its meaning."""

from dataclasses import dataclass
from typing import Annotated, Literal, TypedDict, get_args, get_type_hints

from bertsquad.benchmark.modes import MODES

_MODES = "; ".join(f"{mode.name}: {mode.meaning}" for mode in MODES.values())


class Row(TypedDict):
    """A row of summary.csv: each column as its type, unit ("" where there is none) and meaning.

    A missing text is "", another missing value is None: not measured.
    """

    run: Annotated[str, "", "name of the fine-tuned model: a key under `runs` in the config"]
    checkpoint: Annotated[str, "", "pretrained model that the run started from"]
    dataset: Annotated[str, "", "dataset of the questions"]
    training_precision: Annotated[str, "", "precision of the fine-tuning"]
    engine: Annotated[str, "", "software that ran the fine-tuned model"]
    precision: Annotated[str, "", "number format of the inference"]
    native: Annotated[bool | None, "", "False: this processor emulates the precision, slowly"]
    questions: Annotated[int | None, "", "questions scored"]
    exact_match: Annotated[
        float | None, "%", "answers equal to a reference, as in evaluate-v1.1.py"
    ]
    exact_match_low: Annotated[float | None, "%", "lower end of its interval, for other questions"]
    exact_match_high: Annotated[float | None, "%", "upper end of its interval, for other questions"]
    f1: Annotated[
        float | None, "%", "mean word overlap with the best reference, as evaluate-v1.1.py"
    ]
    f1_low: Annotated[float | None, "%", "lower end of its interval, for other questions"]
    f1_high: Annotated[float | None, "%", "upper end of its interval, for other questions"]
    confidence: Annotated[float | None, "", "probability that the two intervals stand for"]
    unanswered: Annotated[int | None, "", "questions without a prediction, scored 0"]
    official_script: Annotated[str, "", "what evaluate-v1.1.py itself said: agrees, or not run"]
    reference: Annotated[str, "", "engine-precision it is compared with; empty: with none"]
    f1_share: Annotated[float | None, "", "its F1 divided by the reference's"]
    changed_answers: Annotated[int | None, "", "questions answered otherwise than by the reference"]
    max_logit_difference: Annotated[
        float | None, "", "largest difference from the reference's logits"
    ]
    minimum_f1_share: Annotated[float | None, "", "the config's limit of f1_share"]
    passed: Annotated[bool | None, "", "False: gate is failed"]
    scenario: Annotated[str, "", "name of the benchmark scenario; empty: accuracy only"]
    mode: Annotated[str, "", _MODES]
    refused: Annotated[str, "", "why this benchmark cell was not run; empty: it was"]
    padding: Annotated[str, "", "max_length: features filled up to max_seq_length; none: packed"]
    max_seq_length: Annotated[int | None, "tokens", "longest feature"]
    batch_size: Annotated[int | None, "features", "features per batch; empty: as the engine plans"]
    threads: Annotated[int | None, "", "threads of the engine"]
    threads_requested: Annotated[str, "", "what the config asks: a number, or all"]
    repeat: Annotated[int | None, "", "number of this repetition of the same cell"]
    warmup_iterations: Annotated[int | None, "", "batches run before the clock started"]
    iterations: Annotated[int | None, "", "timed batches, or passes over the whole set"]
    features: Annotated[int | None, "", "features in all that was timed"]
    tokens: Annotated[int | None, "tokens", "useful tokens in the timed batches, without padding"]
    computed_tokens: Annotated[int | None, "tokens", "tokens that were computed, padding included"]
    features_per_second: Annotated[float | None, "1/s", "throughput"]
    printed_features_per_second: Annotated[
        float | None, "1/s", "throughput as the Model Zoo printed it"
    ]
    observed_features_per_second: Annotated[
        float | None, "1/s", "the same by when its log lines came"
    ]
    questions_per_second: Annotated[float | None, "1/s", "texts in, answers out: throughput"]
    tokenise_s: Annotated[float | None, "s", "processor time of making features, of one pass"]
    decode_s: Annotated[float | None, "s", "processor time of making answers, of one pass"]
    model_s: Annotated[float | None, "s", "time of the same batches through the engine alone"]
    overhead_share: Annotated[float | None, "", "time from texts to answers over model_s, less 1"]
    useful_tokens_per_second: Annotated[
        float | None, "1/s", "throughput in tokens, without padding"
    ]
    latency_mean_ms: Annotated[float | None, "ms", "mean time of one batch"]
    latency_min_ms: Annotated[float | None, "ms", "fastest batch"]
    latency_p50_ms: Annotated[float | None, "ms", "half of the batches took at most this long"]
    latency_p90_ms: Annotated[
        float | None, "ms", "90 % of the batches took at most this long; from 36 batches on"
    ]
    latency_p95_ms: Annotated[
        float | None, "ms", "95 % of the batches took at most this long; from 72 batches on"
    ]
    latency_p99_ms: Annotated[
        float | None, "ms", "99 % of the batches took at most this long; from 368 batches on"
    ]
    latency_max_ms: Annotated[float | None, "ms", "slowest batch"]
    other_cpus: Annotated[
        float | None, "CPUs", "processors that other programs kept busy meanwhile"
    ]
    peak_memory_mib: Annotated[
        float | None, "MiB", "largest resident memory of the benchmark process"
    ]
    model_load_s: Annotated[float | None, "s", "time to load the model"]
    first_inference_s: Annotated[float | None, "s", "time of the very first batch"]
    cpu: Annotated[str, "", "processor that ran the cell"]
    started_at: Annotated[str, "", "when the cell was started"]
    train_steps: Annotated[int | None, "", "optimizer steps of the fine-tuning"]
    train_examples: Annotated[int | None, "", "training examples seen"]
    train_tokens: Annotated[int | None, "tokens", "training tokens seen, padding not counted"]
    train_threads: Annotated[int | None, "", "threads that computed, of all processes"]
    train_seconds: Annotated[float | None, "s", "time spent in optimizer steps"]
    train_examples_per_second: Annotated[float | None, "1/s", "training speed in examples"]
    train_tokens_per_second: Annotated[float | None, "1/s", "training speed in useful tokens"]
    train_final_loss: Annotated[float | None, "", "mean loss of the last 5 % of the steps"]
    cold_s: Annotated[float | None, "s", "cost of meeting all shapes of the run for the first time"]
    latency_p50_low_ms: Annotated[float | None, "ms", "lower end of p50, of 95 % intervals"]
    latency_p50_high_ms: Annotated[float | None, "ms", "upper end of p50; empty: too few"]
    latency_p90_low_ms: Annotated[float | None, "ms", "lower end of p90, of 95 % intervals"]
    latency_p90_high_ms: Annotated[float | None, "ms", "upper end of p90; empty: too few"]
    latency_p95_low_ms: Annotated[float | None, "ms", "lower end of p95, of 95 % intervals"]
    latency_p95_high_ms: Annotated[float | None, "ms", "upper end of p95; empty: too few"]
    latency_p99_low_ms: Annotated[float | None, "ms", "lower end of p99, of 95 % intervals"]
    latency_p99_high_ms: Annotated[float | None, "ms", "upper end of p99; empty: too few"]
    exact_match_low_articles: Annotated[float | None, "%", "lower end, for other articles"]
    exact_match_high_articles: Annotated[float | None, "%", "upper end, for other articles"]
    f1_low_articles: Annotated[float | None, "%", "lower end, for other articles"]
    f1_high_articles: Annotated[float | None, "%", "upper end, for other articles"]
    gate: Annotated[str, "", "passed, failed or cannot tell, by the interval of the difference"]
    validity: Annotated[
        str, "", "valid; disturbed or invalid: shown, but no result; empty: unknown"
    ]
    validity_reasons: Annotated[str, "", "what disturbed the cell, and how much"]
    tries: Annotated[int | None, "", "2: the first was disturbed, and this is the second"]
    waited_s: Annotated[float | None, "s", "waiting for a quiet machine, before the cell"]
    place: Annotated[int | None, "", "in the random order of the cells of its repeat, from 1"]
    layout: Annotated[str, "", "processes x requests under way in each x threads for one"]
    load: Annotated[str, "", "saturated; share of the capacity; rate; slo: highest within it, ms"]
    requests: Annotated[int | None, "", "requests that a layout served"]
    service_mean_ms: Annotated[float | None, "ms", "mean time of a request in its lane"]
    capacity_per_second: Annotated[float | None, "1/s", "requests, all lanes of the layout busy"]
    arrival_rate: Annotated[float | None, "1/s", "requests that came, on average"]
    arrival_share: Annotated[float | None, "", "the same over the capacity"]
    twin: Annotated[str, "", "fits or refuted: the run beside the queue that was computed"]
    twin_p99_ms: Annotated[float | None, "ms", "p99 of the latency that was computed"]
    slo_ms: Annotated[float | None, "ms", "limit of p99 within which the highest rate was sought"]
    slo_met: Annotated[bool | None, "", "whether p99 was within it at the rate of the row"]
    slo_search: Annotated[str, "", "confirmed, unconfirmed or infeasible: the highest rate"]
    has_answer_exact_match: Annotated[float | None, "%", "SQuAD 2.0: of the answerable questions"]
    has_answer_f1: Annotated[float | None, "%", "SQuAD 2.0: of the answerable questions"]
    has_answer_f1_low: Annotated[float | None, "%", "lower end, for other questions"]
    has_answer_f1_high: Annotated[float | None, "%", "upper end, for other questions"]
    no_answer_f1: Annotated[
        float | None, "%", "SQuAD 2.0: unanswerable questions that got no answer; also exact match"
    ]
    no_answer_f1_low: Annotated[float | None, "%", "lower end, for other questions"]
    no_answer_f1_high: Annotated[float | None, "%", "upper end, for other questions"]
    best_f1: Annotated[
        float | None,
        "%",
        "SQuAD 2.0: the highest F1 that a threshold up to the predictions' own gives",
    ]
    best_f1_threshold: Annotated[float | None, "", "the null_score_diff_threshold of best_f1"]
    host: Annotated[str, "", "name of the machine that measured the cell"]
    node: Annotated[str, "", "what the batch system calls it"]
    job: Annotated[str, "", "number of the batch system's job"]
    calibration: Annotated[str, "", "matrix product run before and after what was timed"]
    calibration_before_gflops: Annotated[float | None, "GFLOP/s", "its rate before"]
    calibration_after_gflops: Annotated[float | None, "GFLOP/s", "its rate after"]
    features_per_second_at_reference_clock: Annotated[
        float | None, "1/s", "throughput if the product had been as fast as in the best cell"
    ]
    steady: Annotated[
        str, "", "flat, warm-up, slowdown or no steady state; empty: fewer than 100 samples"
    ]
    dropped: Annotated[int | None, "", "timed batches before the series was steady, not counted"]
    drift: Annotated[float | None, "", "change of the time of a batch from start to end, a share"]
    machine: Annotated[str, "", "kind of machine: a key under `machines` in the config; empty: one"]
    machine_exact_match: Annotated[
        float | None, "%", "of the answers that this kind of machine computed; empty: not asked"
    ]
    machine_f1: Annotated[
        float | None, "%", "of the answers that this kind of machine computed; empty: not asked"
    ]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of summary.csv. An empty cell means: not measured."""

    name: str
    kind: Literal["text", "integer", "number", "boolean"]
    unit: str
    meaning: str


def _columns() -> tuple[Column, ...]:
    kinds: dict[object, Literal["text", "integer", "number", "boolean"]] = {
        str: "text",
        int | None: "integer",
        float | None: "number",
        bool | None: "boolean",
    }
    found = []
    for name, hint in get_type_hints(Row, include_extras=True).items():
        kind, unit, meaning = get_args(hint)
        found.append(Column(name, kinds[kind], unit, meaning))
    return tuple(found)


COLUMNS = _columns()
NAMES = tuple(column.name for column in COLUMNS)
