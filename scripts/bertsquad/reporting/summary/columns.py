"""The columns of summary.csv: the one place where each has its unit and its meaning."""

from dataclasses import dataclass
from typing import Literal

from bertsquad.benchmark.modes import MODES


@dataclass(frozen=True, slots=True)
class Column:
    """One column of summary.csv. An empty cell means: not measured."""

    name: str
    kind: Literal["text", "integer", "number", "boolean"]
    unit: str  # "" where there is none
    meaning: str


COLUMNS = (
    Column("run", "text", "", "name of the fine-tuned model: a key under `runs` in the config"),
    Column("checkpoint", "text", "", "pretrained model that the run started from"),
    Column("dataset", "text", "", "dataset of the questions"),
    Column("training_precision", "text", "", "precision of the fine-tuning"),
    Column("engine", "text", "", "software that ran the fine-tuned model"),
    Column("precision", "text", "", "number format of the inference"),
    Column("native", "boolean", "", "False: this processor emulates the precision, slowly"),
    Column("questions", "integer", "", "questions scored"),
    Column("exact_match", "number", "%", "answers equal to a reference, as in evaluate-v1.1.py"),
    Column("exact_match_low", "number", "%", "lower end of the bootstrap interval"),
    Column("exact_match_high", "number", "%", "upper end of the bootstrap interval"),
    Column("f1", "number", "%", "mean word overlap with the best reference, as evaluate-v1.1.py"),
    Column("f1_low", "number", "%", "lower end of the bootstrap interval"),
    Column("f1_high", "number", "%", "upper end of the bootstrap interval"),
    Column("confidence", "number", "", "probability that the two intervals stand for"),
    Column("unanswered", "integer", "", "questions without a prediction, scored 0"),
    Column("official_script", "text", "", "what evaluate-v1.1.py itself said: agrees, or not run"),
    Column("reference", "text", "", "engine-precision it is compared with; empty: with none"),
    Column("f1_share", "number", "", "its F1 divided by the reference's"),
    Column("changed_answers", "integer", "", "questions answered otherwise than by the reference"),
    Column("max_logit_difference", "number", "", "largest difference from the reference's logits"),
    Column("minimum_f1_share", "number", "", "the config's limit of f1_share"),
    Column("passed", "boolean", "", "False: f1_share is below that limit"),
    Column("scenario", "text", "", "name of the benchmark scenario; empty: accuracy only"),
    Column(
        *("mode", "text", ""),
        "; ".join(f"{mode.name}: {mode.meaning}" for mode in MODES.values()),
    ),
    Column("refused", "text", "", "why this benchmark cell was not run; empty: it was"),
    Column("padding", "text", "", "max_length: features filled up to max_seq_length; none: packed"),
    Column("max_seq_length", "integer", "tokens", "longest feature"),
    Column("batch_size", "integer", "features", "features per batch; empty: as the engine plans"),
    Column("threads", "integer", "", "threads of the engine"),
    Column("threads_requested", "text", "", "what the config asks: a number, or all"),
    Column("repeat", "integer", "", "number of this repetition of the same cell"),
    Column("warmup_iterations", "integer", "", "batches run before the clock started"),
    Column("iterations", "integer", "", "timed batches, or passes over the whole set"),
    Column("features", "integer", "", "features in all that was timed"),
    Column("tokens", "integer", "tokens", "useful tokens in the timed batches, without padding"),
    Column("computed_tokens", "integer", "tokens", "tokens that were computed, padding included"),
    Column("features_per_second", "number", "1/s", "throughput"),
    Column(
        "printed_features_per_second", "number", "1/s", "throughput as the Model Zoo printed it"
    ),
    Column("observed_features_per_second", "number", "1/s", "the same by when its log lines came"),
    Column("questions_per_second", "number", "1/s", "texts in, answers out: throughput"),
    Column("tokenise_s", "number", "s", "processor time of making features, of one pass"),
    Column("decode_s", "number", "s", "processor time of making answers, of one pass"),
    Column("model_s", "number", "s", "time of the same batches through the engine alone"),
    Column("overhead_share", "number", "", "time from texts to answers over model_s, less 1"),
    Column("useful_tokens_per_second", "number", "1/s", "throughput in tokens, without padding"),
    Column("latency_mean_ms", "number", "ms", "mean time of one batch"),
    Column("latency_min_ms", "number", "ms", "fastest batch"),
    Column("latency_p50_ms", "number", "ms", "half of the batches took at most this long"),
    Column("latency_p90_ms", "number", "ms", "90 % of the batches took at most this long"),
    Column("latency_p95_ms", "number", "ms", "95 % of the batches took at most this long"),
    Column("latency_p99_ms", "number", "ms", "99 % of the batches took at most this long"),
    Column("latency_max_ms", "number", "ms", "slowest batch"),
    Column("other_cpus", "number", "CPUs", "processors that other programs kept busy meanwhile"),
    Column("peak_memory_mib", "number", "MiB", "largest resident memory of the benchmark process"),
    Column("model_load_s", "number", "s", "time to load the model"),
    Column("first_inference_s", "number", "s", "time of the very first batch"),
    Column("cpu", "text", "", "processor that ran the cell"),
    Column("started_at", "text", "", "when the cell was started"),
    Column("train_steps", "integer", "", "optimizer steps of the fine-tuning"),
    Column("train_examples", "integer", "", "training examples seen"),
    Column("train_tokens", "integer", "tokens", "training tokens seen, padding not counted"),
    Column("train_threads", "integer", "", "threads that computed, of all processes"),
    Column("train_seconds", "number", "s", "time spent in optimizer steps"),
    Column("train_examples_per_second", "number", "1/s", "training speed in examples"),
    Column("train_tokens_per_second", "number", "1/s", "training speed in useful tokens"),
    Column("train_final_loss", "number", "", "mean loss of the last 5 % of the steps"),
)

NAMES = tuple(column.name for column in COLUMNS)
