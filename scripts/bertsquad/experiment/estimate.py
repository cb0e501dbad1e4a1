"""How long what is planned takes on this machine, in words; afterwards, whether that was right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bertsquad.experiment.durations import NONE, Durations, Job, Span, together
from bertsquad.experiment.files import Experiment
from bertsquad.machine.rates import Rates, assumed, measured
from bertsquad.own_json import OTHER_SHAPE, object_or_empty

CEILINGS = "<results>/speed/ceilings.json"
_TOLD = 3  # kinds of jobs that are told of, if they take
_WORTH = 0.05  # at least this share of the whole
_UNLIKE = 0.8  # mean over the longest, below which jobs are not alike
_PATIENT = ("benchmark_inference", "benchmark_serving")  # they wait for a quiet machine
_UNITS = (("days", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0))


@dataclass(frozen=True, slots=True)
class Kind:
    """Jobs of a rule that compute alike."""

    name: str
    count: int
    each: Span  # of the one that takes longest
    all: Span


@dataclass(frozen=True)
class Estimate:
    """What `estimate` finds."""

    total: Span
    jobs: int
    kinds: tuple[Kind, ...]  # what takes longest first
    unknown: tuple[str, ...]  # rules of which nothing can be said
    rates: Rates

    def lines(self, ceilings: str) -> list[str]:
        """For people, the sum first; [] where nothing is planned. `ceilings` is the file that would
        make the estimate a better one."""
        if not self.jobs:
            return []
        steps = "1 step" if self.jobs == 1 else f"{self.jobs:,} steps"
        head = f"{steps} to do, about {span(self.total)} on this machine"
        if self.unknown:
            head += f", without {', '.join(self.unknown)}, of which nothing can be said yet"
        if self.total.high < 60:
            return [head]
        how = (
            f"measured here: {self.rates.words}"
            if self.rates.measured
            else f"assumed: {self.rates.words}; to measure that: snakemake --cores all {ceilings}"
        )
        return [
            head,
            *(f"- {words(kind)}" for kind in self.kinds),
            f"- {_cores(self.rates.cores)}, {how}",
        ]

    def verdict(self, seconds: float) -> str:
        """How good it was."""
        took = span(Span(seconds, seconds))
        if self.total.low <= seconds <= self.total.high:
            how = "as"
        else:
            how = "longer than" if seconds > self.total.high else "shorter than"
        return f"this took {took}, {how} estimated ({span(self.total)})"


def estimate(experiment: Experiment, rates: Rates, jobs: Iterable[Job]) -> Estimate:
    """Of these jobs, by one machine."""
    durations = Durations(experiment, rates)
    known: list[tuple[Job, Span]] = []
    unknown: dict[str, None] = {}
    counted = 0
    for job in jobs:
        found = durations.of(job)
        counted += found != NONE
        if found is None:
            unknown[_said_of(job)] = None
        else:
            known.append((job, found))
    total = together([(durations.threads(job), found) for job, found in known], rates.cores)
    if any(job.rule in _PATIENT for job, _ in known):
        total += Span(0.0, float(experiment.config["benchmark"]["quiet_seconds"]))
    return Estimate(total, counted, _kinds(experiment, known), tuple(unknown), rates)


def _said_of(job: Job) -> str:
    return f"{job.rule} {job.wildcards['run']}" if "run" in job.wildcards else job.rule


def _kinds(experiment: Experiment, jobs: list[tuple[Job, Span]]) -> tuple[Kind, ...]:
    groups: dict[str, list[Span]] = {}
    for job, found in jobs:
        precision = job.wildcards.get("precision", "")
        if job.rule == "finetune":
            precision = experiment.config["runs"][job.wildcards["run"]]["precision"]
        groups.setdefault(f"{job.rule} in {precision}" if precision else job.rule, []).append(found)
    kinds = [
        Kind(name, len(spans), max(spans, key=lambda one: one.high), sum(spans, NONE))
        for name, spans in groups.items()
    ]
    whole = sum(kind.all.high for kind in kinds)
    kinds = [kind for kind in kinds if kind.all.high >= max(60.0, _WORTH * whole)]
    return tuple(sorted(kinds, key=lambda kind: -kind.all.high)[:_TOLD])


def words(kind: Kind) -> str:
    """`finetune in bf16: 2, each about 41 to 65 h`; those that differ are told together."""
    if kind.count == 1:
        return f"{kind.name}: about {span(kind.all)}"
    if kind.all.high < _UNLIKE * kind.count * kind.each.high:
        return f"{kind.name}: {kind.count}, together about {span(kind.all)}"
    return f"{kind.name}: {kind.count}, each about {span(kind.each)}"


def span(found: Span) -> str:
    """`45 to 70 h`, `6 min`, `up to 40 s`: in the unit of its end, with two digits."""
    unit, size = next(((name, size) for name, size in _UNITS if found.high >= 2 * size), ("s", 1.0))
    low, high = (_two_digits(value / size) for value in (found.low, found.high))
    if low == high:
        return f"{high} {unit}"
    return f"{low} to {high} {unit}" if float(low) else f"up to {high} {unit}"


def _two_digits(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") if value < 9.95 else f"{float(f'{value:.2g}'):g}"


def _cores(count: int) -> str:
    return "1 core" if count == 1 else f"{count} cores"


def rates_of(ceilings: Path, flags: frozenset[str], cores: int) -> Rates:
    """As measured on this machine, or assumed; of so many cores."""
    try:
        found = measured(object_or_empty(ceilings))
    except OTHER_SHAPE:
        return assumed(flags, cores)
    part = cores / found.cores
    if part >= 1:
        return found
    return Rates({name: rate * part for name, rate in found.gflops.items()}, cores, measured=True)


def rates_here(experiment: Experiment, most: int | None = None) -> Rates:
    """Of this machine, on at most so many cores."""
    from bertsquad.machine.cores import read_cores
    from bertsquad.machine.cpu import cpu_flags
    from bertsquad.machine.threads import choose_threads

    try:
        cores = choose_threads(read_cores()).count
    except (OSError, LookupError):
        cores = 1
    cores = min(cores, most or cores)
    return rates_of(Path(experiment.place(CEILINGS)), cpu_flags(), cores)


def missing_jobs(experiment: Experiment) -> list[Job]:
    """The jobs whose files are not there yet, without Snakemake: those of `snakemake all` that take
    long. What an edit would make again does not count."""
    config, place = experiment.config, experiment.place
    wanted: list[tuple[str, dict[str, str], str]] = []
    for run in config["runs"]:
        wanted.append(("finetune", {"run": run}, f"{run}/model/model.safetensors"))
        for engine, precision in experiment.engine_precisions():
            names = {"run": run, "engine": engine, "precision": precision}
            folder = f"{run}/{engine}-{precision}"
            if precision == "int8":
                wanted.append(("quantize", names, f"{folder}/quantized"))
            wanted.append(("compute_logits", names, f"{folder}/logits.safetensors"))
            for rule, file in (("predict", "predictions"), ("evaluate", "metrics")):
                wanted.append((rule, names, f"{folder}/{file}.json"))
    jobs = [
        Job(rule, names)
        for rule, names, file in wanted
        if not Path(place(f"<results>/{file}")).exists()
    ]
    return jobs + _missing_cells(experiment)


def _missing_cells(experiment: Experiment) -> list[Job]:
    from bertsquad.experiment.served import Served

    names = ("run", "engine", "precision", "scenario", "batch", "threads")
    served = ("run", "engine", "precision", "scenario", "layout", "load")
    repeats = experiment.config["benchmark"]["repeats"]
    found = [
        ("benchmark_inference", dict(zip(names, cell, strict=True)))
        for cell in experiment.cells()
        for _ in range(repeats)
    ]
    under_load = Served(experiment)
    found += [
        ("benchmark_serving", dict(zip(served, cell, strict=True)))
        for cell in under_load.cells()
        for _ in range(repeats)
    ]
    files = [*experiment.cell_files(), *under_load.files()]
    return [
        Job(rule, wildcards)
        for (rule, wildcards), file in zip(found, files, strict=True)
        if not Path(file).exists()
    ]
