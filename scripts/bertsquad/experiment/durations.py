"""How long each job of an experiment takes on a machine, as a range of seconds.

What a job multiplies, at a share of what the machine's products reach, and what its program takes
besides: starting, reading, writing. Shares and seconds were measured on Zen 3 and Zen 4
(docs/results); the ranges hold their spread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bertsquad.artifacts.catalogue import known_size
from bertsquad.engines import about
from bertsquad.experiment.amounts import BERT_LARGE, Amount, Amounts, Shape, facts_of
from bertsquad.experiment.files import Experiment
from bertsquad.machine.rates import Rates

# Share of the ceiling that BERT-Large reaches (README.md, docs/results/zen4/benchmarks.md).
_TRAINING = {"fp32": (0.70, 0.85), "bf16": (0.58, 0.72)}
_INFERENCE = {"fp32": (0.65, 0.94), "bf16": (0.55, 0.87), "int8": (0.40, 0.90)}
_Shares = Mapping[str, tuple[float, float]]
# Narrower layers spend more beside products: MiniLM (384) reaches 0.55 where BERT-Large reaches
# 0.79, the demo's model (128) about 0.3. At this width half of the limit is reached.
_HALF_WIDTH = 260
_BACKWARD = 2  # times the forward pass: gradients of inputs and of weights
_RESTING = 1.3  # jobs that share the cores wait for each other
# Bytes a second over the network, and through a program that converts or packs.
_NETWORK = (5e6, 100e6)
_PACKING = (40e6, 300e6)
_QUANTIZING = (4e6, 30e6)
_QUESTIONS = (1500.0, 6000.0)  # decoded or scored by a process in a second
_TEXTS = (4000.0, 15000.0)  # tokenised in a second
_SERVED_SEARCH = (4, 12)  # runs of a search for the highest rate within an SLO


@dataclass(frozen=True, slots=True)
class Span:
    """At least and at most so many seconds."""

    low: float
    high: float

    def __add__(self, other: Span) -> Span:
        return Span(self.low + other.low, self.high + other.high)

    def times(self, low: float, high: float | None = None) -> Span:
        return Span(self.low * low, self.high * (low if high is None else high))


NONE = Span(0.0, 0.0)
# Of programs that import PyTorch or an engine, and of those that do not.
_STARTING = Span(2.0, 6.0)
_SMALL = Span(0.7, 3.0)
_CELL = Span(2.5, 7.0)  # loading, warming up, the matrix product before and after


_OF_A_KIND = "_on_machine"  # ends the name of a rule that repeats another on a kind of machine


@dataclass(frozen=True, slots=True)
class Job:
    """A planned job: its rule and its wildcards."""

    rule: str
    wildcards: Mapping[str, str]

    @property
    def work(self) -> str:
        """The rule; of one that a kind of machine runs, too, the rule that it does the work of."""
        return self.rule.removesuffix(_OF_A_KIND)


@dataclass(frozen=True)
class Durations:
    """Of the jobs of an experiment; None for one of which nothing can be said."""

    experiment: Experiment
    rates: Rates

    @property
    def amounts(self) -> Amounts:
        return Amounts(self.experiment)

    def threads(self, job: Job) -> int:
        """How many it takes of the cores there are."""
        wanted = 1
        if job.work == "finetune":
            wanted = self.experiment.training_threads(job.wildcards["run"], self.rates.cores)
        elif job.work in _ALONE or (
            job.work == "quantize" and about(job.wildcards["engine"]).INT8_CALIBRATED
        ):
            wanted = self.rates.cores
        elif job.work == "featurize":
            wanted = _FEATURIZING
        return min(wanted, self.rates.cores)

    def of(self, job: Job) -> Span | None:
        if job.work in _COMPUTED:
            return _COMPUTED[job.work](self, job)
        return _FIXED.get(job.work, _SMALL)

    def products(
        self, shape: Shape, amount: Amount, precision: str, threads: int, share: _Shares
    ) -> Span:
        """A forward pass over these features."""
        width = shape.hidden / (shape.hidden + _HALF_WIDTH) * (1024 + _HALF_WIDTH) / 1024
        least, most = share[precision if precision in self.rates.gflops else "fp32"]
        low, high = self.rates.band(precision, threads)
        gflop = shape.flops(amount.tokens, amount.squared) / 1e9
        return Span(gflop / (high * min(1.0, most * width)), gflop / (low * least * width))

    def finetune(self, job: Job) -> Span | None:
        run = self.experiment.config["runs"][job.wildcards["run"]]
        if not run["epochs"]:
            return _STARTING
        shape, amount = self._of(job, "train")
        if shape is None or amount is None:
            return None
        pass_ = self.products(shape, amount, run["precision"], self.threads(job), _TRAINING)
        recomputed = 1 if run.get("activation_checkpointing") else 0
        hosts = self.experiment.config["distributed"]["hosts"]
        hosts_count = len(hosts) if isinstance(hosts, list) and hosts else 1
        return _STARTING + pass_.times(run["epochs"] * (1 + _BACKWARD + recomputed) / hosts_count)

    def compute_logits(self, job: Job) -> Span | None:
        shape, amount = self._of(job, "dev")
        if shape is None or amount is None:
            return None
        found = self.products(
            shape, amount, job.wildcards["precision"], self.threads(job), _INFERENCE
        )
        return _STARTING + found.times(1 / int(job.wildcards.get("shards", 1)))

    def quantize(self, job: Job) -> Span | None:
        shape = self.amounts.shape(job.wildcards["run"])
        return None if shape is None else Span(4.0, 16.0) + _at(shape.weight_bytes, _QUANTIZING)

    def cell(self, job: Job) -> Span | None:
        shape, amount = self._of(job, "dev")
        if shape is None or amount is None:
            return None
        return _CELL + self._timed(job, self.experiment, shape, amount)

    def speed_cell(self, job: Job) -> Span:
        """A cell of `make speed`: BERT-Large of random weights, loaded anew, on SQuAD's lengths."""
        seconds = float(self.experiment.config["speed"]["seconds"])
        return Span(6.0, 20.0) + Span(seconds, 2.0 * seconds)

    def _timed(self, job: Job, experiment: Experiment, shape: Shape, amount: Amount) -> Span:
        """Warm-up and timed batches, or passes, of a cell; some are measured twice."""
        wildcards, benchmark = job.wildcards, experiment.config["benchmark"]
        scenario = benchmark["scenarios"][wildcards["scenario"]]
        whole_set = experiment.mode(wildcards["scenario"]).whole_set
        batch = 1 if wildcards["batch"] == "auto" else int(wildcards["batch"])
        count = min(scenario.get("count") or amount.features, amount.features)
        if scenario["padding"] == "max_length":
            run = experiment.config["runs"][wildcards["run"]]
            amount = amount.padded(run["max_seq_length"])
        again = (1.0, 1.5)
        (seconds,) = facts_of(benchmark, "seconds")
        if seconds:
            cold = self._features(job, shape, amount, (0 if whole_set else 5) * batch)
            return cold + Span(seconds, 1.3 * seconds).times(*again)
        warmup, iterations = facts_of(benchmark, "warmup", "iterations")
        passes = 1 + (scenario.get("passes") or 1) if whole_set else 0
        run_count = passes * count if whole_set else (warmup + iterations) * batch
        return self._features(job, shape, amount, run_count).times(*again)

    def _features(self, job: Job, shape: Shape, amount: Amount, count: float) -> Span:
        precision, threads = job.wildcards["precision"], job.wildcards.get("threads", "all")
        most = self.rates.cores if threads == "all" else int(threads)
        return self.products(shape, amount.of(count), precision, most, _INFERENCE)

    def served_cell(self, job: Job) -> Span:
        scenario = self.experiment.config["benchmark"]["scenarios"][job.wildcards["scenario"]]
        seconds, capacity = facts_of(scenario, "seconds", "capacity_seconds")
        if scenario["mode"] == "saturated":
            return _CELL + Span(seconds, 2 * seconds)
        runs = _SERVED_SEARCH if job.wildcards["load"].startswith("slo") else (1, 3)
        return _CELL + Span(capacity + runs[0] * seconds, 2 * capacity + runs[1] * seconds)

    def comparison(self, job: Job) -> Span:
        settings = self.experiment.config["comparisons"][job.wildcards["comparison"]]
        looks, turn = sorted(settings["looks"]), float(settings["turn_seconds"])
        # Both sides take their turns in a round, after two starts at once; the first look may
        # decide, and some rounds are disturbed.
        starts = _CELL.times(looks[0], 1.5 * looks[-1])
        return starts + Span(2 * turn * looks[0], 3 * turn * looks[-1])

    def featurize(self, job: Job) -> Span | None:
        split = job.wildcards["split"]
        for run in self.experiment.config["runs"]:
            if self.experiment.dataset_of(run) == job.wildcards["dataset"]:
                amount = self.amounts.questions(run, split)
                return None if amount is None else _SMALL + _at(amount.questions, _TEXTS)
        return _SMALL

    def answers(self, job: Job) -> Span | None:
        amount = self.amounts.questions(job.wildcards["run"], "dev")
        return None if amount is None else _SMALL + _at(amount.questions, _QUESTIONS)

    def download(self, job: Job) -> Span:
        artifact = self.experiment.catalogue.artifact(job.wildcards["artifact"])
        size = known_size(artifact) or 0
        if any(url.startswith("file:") for url in artifact.urls):
            return _SMALL + _at(size, _PACKING)
        return _SMALL + _at(size, _NETWORK)

    def _of(self, job: Job, split: str) -> tuple[Shape | None, Amount | None]:
        run = job.wildcards["run"]
        return self.amounts.shape(run), self.amounts.questions(run, split)


_FEATURIZING = 4  # threads of rule featurize
# Rules with threads: WHOLE_MACHINE.
_ALONE = (
    *(
        "compute_logits",
        "compute_logits_shard",
        "benchmark_inference",
        "benchmark_serving",
        "measure_speed",
    ),
    *("measure_ceilings", "compare_speed", "noise", "check_plan"),
    *("modelzoo_train", "modelzoo_predict", "modelzoo_benchmark"),
)
# Rules that take about the same whatever the experiment. None: nothing is known of them.
_LARGE_MODEL = _SMALL + Span(
    BERT_LARGE.weight_bytes / _PACKING[1], BERT_LARGE.weight_bytes / _PACKING[0]
)
_FIXED: dict[str, Span | None] = {
    "generate_demo": Span(2.0, 8.0),
    "generate_random_model": _LARGE_MODEL,
    "quantize_random_model": Span(40.0, 240.0),
    "measure_ceilings": Span(15.0, 60.0),
    "noise": Span(210.0, 600.0),
    "plot": Span(1.5, 4.0),
    "report": Span(2.0, 10.0),
    "check_plan": None,
    "measure_waterfall": Span(110.0, 900.0),
    "modelzoo_train": None,
    "modelzoo_predict": None,
    "modelzoo_benchmark": None,
    # Targets, which compute nothing.
    **dict.fromkeys(("all", "models", "accuracy", "timings", "speed", "comparisons"), NONE),
    **dict.fromkeys(("modelzoo", "plan", "doctor"), NONE),
}


_COMPUTED: dict[str, Callable[[Durations, Job], Span | None]] = {
    "finetune": Durations.finetune,
    "compute_logits": Durations.compute_logits,
    "compute_logits_shard": Durations.compute_logits,
    "quantize": Durations.quantize,
    "benchmark_inference": Durations.cell,
    "benchmark_serving": Durations.served_cell,
    "measure_speed": Durations.speed_cell,
    "featurize": Durations.featurize,
    "download": Durations.download,
    "compare_speed": Durations.comparison,
    **dict.fromkeys(("predict", "predict_with_negative"), Durations.answers),
    **dict.fromkeys(("evaluate", "compare_answers"), Durations.answers),
}
KNOWN_RULES = tuple(
    f"{rule}{ending}" for rule in (*_COMPUTED, *_FIXED) for ending in ("", _OF_A_KIND)
)


def _at(amount: float, rates: tuple[float, float]) -> Span:
    """The time of so much at a rate between these."""
    return Span(amount / rates[1], amount / rates[0])


def together(jobs: list[tuple[int, Span]], cores: int) -> Span:
    """Jobs, each of so many threads, on so many cores: those that take every core one after
    another, the others side by side."""
    alone, beside, longest = NONE, NONE, NONE
    for threads, span in jobs:
        if threads >= cores:
            alone = alone + span
        else:
            beside = beside + span.times(threads / cores, threads / cores * _RESTING)
            longest = Span(max(longest.low, span.low), max(longest.high, span.high))
    return alone + Span(max(beside.low, longest.low), max(beside.high, longest.high))
