"""What servers of a layout tell of its cell: how its services change under load, and how its
processes differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertsquad.benchmark.validity import VERDICTS
from bertsquad.planner.services import Services


@dataclass(frozen=True, slots=True)
class Server:
    """A server of single requests."""

    validity: str
    inflation: float  # mean service of its requests over that with all lanes busy
    saturated: Mapping[str, Any]  # `lengths` and `service_ms` with all lanes busy, before they came


def at_load(measured: Sequence[Mapping[str, Any]], servers: Sequence[Server]) -> dict[str, Any]:
    """`inflation` and `processes` of a cell: of what its own processes measured (`lengths` and
    `service_ms` of each), and of those of its layout's servers that have the best verdict."""
    best = min((VERDICTS.index(server.validity) for server in servers), default=0)
    taken = [server for server in servers if VERDICTS.index(server.validity) == best]
    processes = [
        Services(np.array(one["lengths"], np.int64), np.array(one["service_ms"], np.float64))
        for one in (*measured, *(server.saturated for server in taken))
    ]
    fit = Services(
        np.concatenate([one.lengths for one in processes]),
        np.concatenate([one.seconds for one in processes]),
    ).fit()
    means = [float(one.seconds.sum() / fit.of(one.lengths).sum()) for one in processes]
    return {
        "inflation": float(np.median([each.inflation for each in taken])) if taken else None,
        "processes": [round(mean, 5) for mean in means],
    }
