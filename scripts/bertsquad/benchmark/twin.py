"""The twin of a server: its queue computed from the services that were measured.

Arrivals are known exactly; only the services are measured. So the latency at a rate follows by
simulation, from a minute of measuring, and a run at that rate has only to confirm it.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import numpy as np

from bertsquad.benchmark.steady import BLOCKS

WARM_UP = 1000  # arrivals dropped at the start of each stream, where the queue is still empty
PRECISION = 0.005  # of the highest rate, relative


class TooSlowError(Exception):
    """The service alone takes longer than the SLO: no rate, however low, meets it."""

    def __init__(self, service_s: float) -> None:
        super().__init__(f"the service alone takes {1000 * service_s:.0f} ms")
        self.service_s = service_s


@dataclass(frozen=True, slots=True)
class Streams:
    """How much is simulated. The seed is fixed, so latency rises with the rate without noise."""

    streams: int = 10
    arrivals: int = 100_000  # of each stream, without the warm-up
    seed: int = 0


STANDARD = Streams()


def fcfs(arrivals: np.ndarray, services: np.ndarray, servers: int) -> np.ndarray:
    """Latency of each request, from its arrival to its end, in seconds: [requests] float64.

    First come, first served: each request, in order of `arrivals` (ascending), goes to the server
    that is free first and keeps it for its service. ValueError for other input.
    Source: Kiefer and Wolfowitz, "On the theory of queues with many servers" (1955).
    """
    if servers < 1:
        raise ValueError(f"{servers} servers: at least 1 is needed")
    if arrivals.shape != services.shape or arrivals.ndim != 1:
        raise ValueError(f"{arrivals.shape} arrivals, {services.shape} services: one each needed")
    if np.any(np.diff(arrivals) < 0):
        raise ValueError("arrivals are not in ascending order")
    if np.any(services < 0):
        raise ValueError("a service is below 0 s")
    if servers == 1:
        return _one_server(arrivals, services)
    free = [-math.inf] * servers
    ends = np.empty(len(arrivals))
    pairs = zip(arrivals.tolist(), services.tolist(), strict=True)
    for request, (arrival, service) in enumerate(pairs):
        end = max(arrival, free[0]) + service
        heapq.heapreplace(free, end)
        ends[request] = end
    latencies: np.ndarray = ends - arrivals
    return latencies


def _one_server(arrivals: np.ndarray, services: np.ndarray) -> np.ndarray:
    """The same for one server, without a loop: the end of a request is all services so far after
    the latest moment at which the server had been idle. Source: Lindley, "The theory of queues
    with a single server" (1952)."""
    worked = np.cumsum(services)
    idle = np.maximum.accumulate(arrivals - (worked - services))
    latencies: np.ndarray = worked + idle - arrivals
    return latencies


def latency_percentile(
    services: np.ndarray,
    servers: int,
    rate: float,
    percentile: float,
    size: Streams = STANDARD,
    block: int = 1,
) -> float:
    """Of Poisson arrivals, seconds, nearest rank. Services are drawn from those measured, so many
    in a row as a `block` has (`in_blocks`)."""
    latencies = [
        fcfs(gaps.cumsum() / rate, drawn, servers)[WARM_UP:]
        for gaps, drawn in _draws(services, size, block)
    ]
    return _percentile(np.concatenate(latencies), percentile)


def highest_rate(
    services: np.ndarray,
    servers: int,
    slo_s: float,
    percentile: float,
    size: Streams = STANDARD,
    block: int = 1,
) -> float:
    """Requests a second up to which the percentile of latency stays within the SLO.

    By bisection, from below, to PRECISION; `block` as for `latency_percentile`. TooSlowError where
    the services alone exceed the SLO.
    """
    alone = _percentile(services, percentile)
    if alone > slo_s:
        raise TooSlowError(alone)

    def meets(rate: float) -> bool:
        return latency_percentile(services, servers, rate, percentile, size, block) <= slo_s

    high = servers / float(np.mean(services))  # above it the queue grows without end
    low = high / 2
    while not meets(low):
        low, high = low / 2, low
        if low * float(np.mean(services)) < PRECISION**2:
            raise TooSlowError(alone)
    while high > low * (1 + PRECISION):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if meets(middle) else (low, middle)
    return low


def block_of(count: int) -> int:
    """How many of so many measured values, in a row, are drawn together: a twentieth."""
    return -(-count // BLOCKS)


def in_blocks(
    values: np.ndarray, count: int, block: int, random: np.random.Generator
) -> np.ndarray:
    """`count` of [n] measured values, so many of them in a row as they were measured: what is slow
    together stays together. Each row begins anywhere, and the last value is followed by the first.

    `block` 1: each by itself. Source: Politis and Romano, "A circular block-resampling procedure
    for stationary data" (1992).
    """
    begins = random.integers(len(values), size=-(-count // block))
    taken = (begins[:, None] + np.arange(block)).ravel()[:count] % len(values)
    drawn: np.ndarray = values[taken]
    return drawn


def _draws(services: np.ndarray, size: Streams, block: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Gaps at rate 1 and services of each stream."""
    count = size.arrivals + WARM_UP
    generators = [np.random.default_rng([size.seed, stream]) for stream in range(size.streams)]
    return [
        (random.exponential(1.0, count), in_blocks(services, count, block, random))
        for random in generators
    ]


def _percentile(values: np.ndarray, percentile: float) -> float:
    return float(np.percentile(values, percentile, method="inverted_cdf"))
