"""A layout that is loaded and warm, and what it is made to serve: the part that modes share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bertsquad.benchmark.arrivals import make_arrivals
from bertsquad.benchmark.fleet import Fleet
from bertsquad.benchmark.lanes import Schedule
from bertsquad.benchmark.layout import InstancePlace, Layout
from bertsquad.benchmark.samples import Samples, late_ms
from bertsquad.benchmark.services import Services, fit
from bertsquad.benchmark.statistics import percentile
from bertsquad.benchmark.steady import Steady, classify
from bertsquad.machine.activity import Watch
from bertsquad.machine.noise import difference

# Every length once on every lane, since an engine may prepare a shape when it first meets it. A
# large model on few cores would take minutes for it.
WARM_UP_S = 60.0
_MOST_REQUESTS = 2_000_000  # of a saturated run; more than any layout serves in its time
CLOCK = "time.perf_counter_ns (CLOCK_MONOTONIC of all processes); garbage collector off"


@dataclass(frozen=True, slots=True)
class ServingSettings:
    """What a cell under load was asked to measure."""

    engine: str
    precision: str
    scenario: str  # the configuration's name for it
    mode: str  # "saturated" or "server"
    load: str  # loads.Load as text
    threads: int  # of the whole layout
    threads_requested: str  # the layout as it was asked for
    repeat: int
    workload_seed: int
    seconds: float  # of the run, at least
    requests_at_least: int  # server: whatever the rate
    capacity_seconds: float  # server: for measuring capacity and services before
    arrivals: Mapping[str, Any]  # server: `kind`, and what it takes (arrivals.make_arrivals)
    max_tokens: int | None = None  # of a batch; None: a request at a time
    wait_ms: float = 0.0  # for more requests of a batch
    padding: str = "none"
    batch_size: int = 1

    def describe(self) -> dict[str, Any]:
        """As a cell holds it."""
        facts = asdict(self)
        max_tokens, wait_ms = facts.pop("max_tokens"), facts.pop("wait_ms")
        batching = None if max_tokens is None else {"max_tokens": max_tokens, "wait_ms": wait_ms}
        return facts | {"batching": batching}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a schedule, and what disturbed it."""

    schedule: Schedule
    samples: Samples
    noise: dict[str, Any]  # machine.noise.difference, other_cpus and late_share
    activity: dict[str, Any]
    seed: int | None = None  # of open arrivals and their features
    steady: Steady | None = None  # of services with all lanes busy; None: too few to tell

    def services(self) -> tuple[np.ndarray, np.ndarray]:
        """Tokens and services, seconds, of each batch since the services are steady."""
        first = self.steady.dropped if self.steady is not None else 0
        samples = self.samples
        return samples.batch_tokens[first:], samples.service_ms[first:] / 1000

    def describe_steady(self) -> dict[str, Any]:
        """`steady` of a cell; empty where there were too few services to tell."""
        return {} if self.steady is None else {"steady": self.steady.describe()}


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a layout does with every lane always busy."""

    features_per_second: float
    requests: int
    seconds: float


@dataclass(frozen=True)
class Serving:
    """A fleet that is warm, and the features it serves. `tell(phase, done, total)`: progress."""

    fleet: Fleet
    layout: Layout
    lengths: np.ndarray  # int[features]
    settings: ServingSettings
    tell: Callable[[str, int, int], None]

    def warm_up(self) -> dict[str, Any]:
        """Every length of the features once on every lane, the longest first."""
        lengths, features = np.unique(self.lengths, return_index=True)
        self.tell("warm-up of all lengths", 0, len(lengths))
        visited = self.fleet.warm_up(features[::-1], WARM_UP_S)
        return {"lengths": len(lengths), "visited": visited}

    def saturate(self, seconds: float) -> tuple[Run, Capacity, Services]:
        """All lanes busy for so long; the capacity is the sum of what each lane did until its last
        request ended. What was served before services were steady does not count as a service."""
        features = self._drawn(min(_MOST_REQUESTS, int(10_000 * seconds) + 1), stream=4)
        due = np.zeros(len(features), np.int64)
        run = self._run("timing, saturated", self._schedule(due, features, seconds))
        samples = run.samples
        rate = 0.0
        for lane in range(self.layout.lanes):
            own = samples.end_ns[samples.lane == lane]
            rate += len(own) / (own.max() / 1e9) if len(own) else 0.0
        last = float(samples.end_ns.max()) / 1e9
        # A raw series is steady only beside its lengths: those of features differ by six times.
        normal = fit(samples.batch_tokens, samples.service_ms / 1000).residuals
        run = replace(run, steady=classify(normal))
        return run, Capacity(rate, len(samples), last), fit(*run.services())

    def serve(self, rate: float, seed: int, requests: int | None = None) -> Run:
        """Open arrivals, `rate` a second on average."""
        settings = self.settings
        if requests is None:
            requests = self.requests(rate)
        due = make_arrivals(rate, requests, seed, **settings.arrivals)
        features = self._drawn(len(due), stream=3, seed=seed)
        return self._run("timing", self._schedule((due * 1e9).astype(np.int64), features), seed)

    def requests(self, rate: float) -> int:
        """How many requests a run at a rate has, unless another number is asked for."""
        settings = self.settings
        return max(settings.requests_at_least, int(np.ceil(rate * settings.seconds)))

    def describe_layout(self, places: list[InstancePlace]) -> dict[str, Any]:
        """served_cell.LayoutFacts."""
        reasons = [facts["not_bound"] for facts in self.fleet.facts if facts["not_bound"]]
        return asdict(self.layout) | {
            "cpus": [list(place.cpus) for place in places],
            "memory_nodes": [list(place.memory_nodes) for place in places],
            "not_bound": reasons[0] if reasons else None,
            "pss_mib": self.fleet.pss_mib[0],
            "peak_pss_mib": max(self.fleet.pss_mib),
        }

    def _drawn(self, count: int, *, stream: int, seed: int | None = None) -> np.ndarray:
        """Feature numbers, uniform and with replacement, as MLPerf's rules have it."""
        seed = self.settings.workload_seed if seed is None else seed
        random = np.random.default_rng([seed, stream])
        return random.integers(0, len(self.lengths), count)

    def _schedule(
        self, due_ns: np.ndarray, features: np.ndarray, seconds: float | None = None
    ) -> Schedule:
        return Schedule(
            due_ns,
            features,
            self.lengths[features].astype(np.int64),
            until_ns=None if seconds is None else int(seconds * 1e9),
            max_tokens=self.settings.max_tokens,
            wait_ns=int(self.settings.wait_ms * 1e6),
        )

    def _run(self, phase: str, schedule: Schedule, seed: int | None = None) -> Run:
        self.tell(phase, 0, 1)
        watch = Watch()
        samples, (first, last) = self.fleet.serve(schedule)
        activity = watch.result()
        other = activity.get("other_cpus")
        other_s = None if other is None else other * activity["seconds"]
        noise = difference(first, last, other_s) | {"other_cpus": other}
        if schedule.until_ns is None:
            late = percentile(late_ms(samples, schedule).tolist(), 99)
            noise["late_share"] = late / float(np.median(samples.latency_ms))
        return Run(schedule, samples, noise, activity, seed)


def write_samples(path: str | Path, samples: Samples) -> None:
    """All samples as arrays in a .npz file."""
    from bertsquad.files import written_whole

    with written_whole(path) as part, open(part, "wb") as file:
        np.savez_compressed(file, **samples.arrays())  # type: ignore[arg-type]
