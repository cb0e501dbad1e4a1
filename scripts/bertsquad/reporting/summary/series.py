"""A benchmark cell's samples in the order they were taken, from its file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from bertsquad.benchmark import services
from bertsquad.console.errors import UserError
from bertsquad.reporting.summary.result_files import available, read_object


@dataclass(frozen=True, slots=True)
class Series:
    """One cell over time."""

    precision: str
    threads: int
    started: datetime
    seconds: np.ndarray  # float64[samples]
    relative: np.ndarray  # float64[samples]: each over what one of its length takes
    dropped: int  # samples before it was steady
    product: str
    products: tuple[float | None, float | None]  # its rate before and after, GFLOP/s
    other_cpus: float | None
    valid: bool


def read_series(path: str | Path) -> Series | None:
    """A cell's samples; None where it was not run or holds none. `UserError` where damaged."""
    path = Path(path)
    data = read_object(path)
    try:
        if "latency_samples_ms" in data:
            seconds = np.array(data["latency_samples_ms"], np.float64) / 1000
        else:
            seconds = np.array(data.get("pass_samples_s", []), np.float64)
        if not len(seconds) or not data.get("started_at"):
            return None
        if not (np.isfinite(seconds).all() and (seconds > 0).all()):
            raise ValueError("times are not above 0")
        tokens = np.array(data.get("batch_tokens") or [1] * len(seconds))
        calibration = data.get("calibration") or {}
        return Series(
            precision=data["precision"],
            threads=int(data["threads"]),
            started=datetime.fromisoformat(data["started_at"]),
            seconds=seconds,
            relative=services.fit(tokens, seconds).residuals,
            dropped=int((data.get("steady") or {}).get("dropped") or 0),
            product=calibration.get("product", ""),
            products=(calibration.get("before_gflops"), calibration.get("after_gflops")),
            other_cpus=available((data.get("activity") or {}).get("other_cpus")),
            valid=(data.get("validity") or {}).get("verdict", "valid") == "valid",
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path}: its samples are not as a cell holds them ({error}); measure it again"
        ) from None
