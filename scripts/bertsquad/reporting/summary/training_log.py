"""Training logs: read step by step, and summed up as columns of summary.csv."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from bertsquad.console.errors import UserError

_LARGEST = 1e300  # beyond it sums are no numbers


def read_training_log(path: str | Path) -> pd.DataFrame:
    """A training log: one row per optimizer step, columns as in the file.

    `examples` and `tokens` are those of the step; `elapsed_s` counts from the start of training.
    """
    path = Path(path)
    if path.name != "training_log.jsonl":
        raise UserError(
            f"{path}: not the path of a training log; expected {{run}}/training_log.jsonl"
        )
    steps = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: not UTF-8 text (byte {error.start}); delete the run's folder to train "
            "it again"
        ) from None
    for number, line in enumerate(lines, start=1):
        try:
            step = json.loads(line)
        except (ValueError, RecursionError):
            step = None
        if not isinstance(step, dict) or not {"step", "loss"} <= step.keys():
            raise UserError(
                f"{path}: line {number} is not a training step, a JSON object with step and loss;"
                " delete the run's folder to train it again"
            )
        steps.append(step)
    names = ["step", "loss", "learning_rate", "examples", "tokens", "threads"]
    names += ["tokens_per_second", "elapsed_s"]
    for number, step in enumerate(steps, start=1):
        for name in names:
            value = step.get(name, 0.0)
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or abs(value) > _LARGEST
            ):
                raise UserError(
                    f"{path}: line {number}: {name} is {value!r:.40}, expected a number; delete "
                    "the run's folder to train it again"
                )
    return pd.DataFrame(steps, columns=names).astype(float)


def training_totals(path: str | Path) -> dict[str, Any]:
    """The training columns of one run. A run of 0 steps has `train_steps` 0 and nothing else."""
    log = read_training_log(path)
    totals: dict[str, Any] = {"source": path, "run": run_of_log(path), "train_steps": len(log)}
    if log.empty:
        return totals
    seconds = elapsed(log["elapsed_s"])
    tokens = log["tokens"].sum()
    return totals | {
        "train_examples": log["examples"].sum(),
        "train_tokens": tokens,
        "train_threads": log["threads"].max(),
        "train_seconds": seconds,
        "train_examples_per_second": log["examples"].sum() / seconds if seconds > 0 else None,
        "train_tokens_per_second": tokens / seconds if seconds > 0 else None,
        "train_final_loss": final_loss(log["loss"]),
    }


def final_loss(losses: pd.Series) -> float:
    """The mean loss of the last 5 % of the steps."""
    return float(losses.tail(max(1, round(len(losses) / 20))).mean())


def elapsed(clock: pd.Series) -> float:
    """Seconds in all, where the clock may have started again at 0 after a resume."""
    steps = clock.diff()
    return float(steps.where(steps >= 0, clock).sum())


def run_of_log(path: str | Path) -> str:
    """The run whose log this is, from `{run}/training_log.jsonl`."""
    return Path(path).parent.name
