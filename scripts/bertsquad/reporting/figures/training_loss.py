"""The loss of every run over the examples that it has seen; seeds of one run are one line."""

import re

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bertsquad.reporting import style
from bertsquad.reporting.formats import short
from bertsquad.reporting.palette import RUNS
from bertsquad.reporting.summary.summary import Summary
from bertsquad.reporting.summary.training_log import final_loss

TITLE = "Training loss by run"
READS = "logs"
SECTION = "training"
RANK = 1
ALT = "Training loss over examples seen, by run; totals are in the table below."
CAPTION = """\
The loss of every fine-tuning run over the training examples it has seen; faint every step, \
strong the running mean.
Runs that differ in their seed alone are one line, the mean of their running means, in the range \
of these.
A curve that still falls at its end would gain from more training; one that jumps had too high a \
learning rate.
"""
_HEIGHT = 3.2  # inches
_MOST_POINTS = 300  # more would make the file large and the line no clearer
_SEED = re.compile(r"(.+)-seed\d+")


def caption(_summary: Summary) -> tuple[str, str]:
    return (
        "Training loss by run.",
        "The loss is the mean cross-entropy of the answer's start and end, in nats; lower is "
        "better. The strong line is a running mean, the faint one every step. The number is the "
        "mean of the last 5\u00a0% of the steps, as in the table.",
    )


def draw(logs: dict[str, pd.DataFrame]) -> Figure | str:
    """Loss over examples seen: faint the loss of every step, strong its running mean.

    `logs`: of each run, as training_log.read_training_log returns it. Runs named `<run>-seed0`,
    `<run>-seed1`, ... are drawn as one: strong the mean of their running means, faint their range.
    """
    logs = {run: log for run, log in logs.items() if len(log)}
    if not logs:
        return "No run was trained."
    figure = style.new_figure(_HEIGHT)
    axes = figure.subplots()
    ends = []
    for number, (run, group) in enumerate(_by_seeds(logs).items()):
        colour = style.run_colour(number)
        line = style.LINE_STYLES[number // len(RUNS) % len(style.LINE_STYLES)]
        ends.append(_draw_run(axes, run, group, colour, line))
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("training examples seen")
    axes.set_ylabel("loss, nats")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    style.label_line_ends(axes, ends, _HEIGHT - 0.8)
    return figure


def _by_seeds(logs: dict[str, pd.DataFrame]) -> dict[str, list[pd.DataFrame]]:
    """The logs of each run: one, or one for each of several seeds."""
    groups: dict[str, dict[str, pd.DataFrame]] = {}
    for run, log in logs.items():
        seed = _SEED.fullmatch(run)
        groups.setdefault(seed[1] if seed else run, {})[run] = log
    named = {}
    for name, members in groups.items():
        if len(members) > 1:
            named[f"{name} ({len(members)} seeds)"] = list(members.values())
        else:
            named.update({run: [log] for run, log in members.items()})
    return named


def _draw_run(
    axes: Axes, run: str, logs: list[pd.DataFrame], colour: str, line: style.LineStyle
) -> tuple[float, float, str, str]:
    """Draw one run; return where and how to label its end."""
    if len(logs) > 1:
        return _draw_seeds(axes, run, logs, colour, line)
    (log,) = logs
    seen = log["examples"].fillna(1).cumsum().to_numpy()
    loss = log["loss"].to_numpy()
    mean = running_mean(loss)
    if len(loss) > _MOST_POINTS:
        blocks = np.array_split(np.arange(len(loss)), _MOST_POINTS)
        x = [seen[block[-1]] for block in blocks]
        low = [loss[block].min() for block in blocks]
        high = [loss[block].max() for block in blocks]
        axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
        last = [block[-1] for block in blocks]
        seen, mean = seen[last], mean[last]
    else:
        axes.plot(seen, loss, color=colour, alpha=0.3, linewidth=0.8)
    axes.plot(seen, mean, color=colour, linestyle=line, linewidth=1.8)
    if len(seen) == 1:
        axes.plot(seen, mean, "o", color=colour)
    return float(seen[-1]), float(mean[-1]), f"{run}\u2002{short(final_loss(log['loss']))}", colour


def _draw_seeds(
    axes: Axes, run: str, logs: list[pd.DataFrame], colour: str, line: style.LineStyle
) -> tuple[float, float, str, str]:
    """As `_draw_run`, over the steps that all seeds have."""
    steps = min(map(len, logs))
    means = np.stack([running_mean(log["loss"].to_numpy())[:steps] for log in logs])
    seen = logs[0]["examples"].fillna(1).cumsum().to_numpy()[:steps]
    shown = np.unique(np.linspace(0, steps - 1, _MOST_POINTS).astype(int))
    seen, means = seen[shown], means[:, shown]
    mean = means.mean(0)
    axes.fill_between(seen, means.min(0), means.max(0), color=colour, alpha=0.2, linewidth=0)
    axes.plot(seen, mean, color=colour, linestyle=line, linewidth=1.8)
    final = sum(final_loss(log["loss"]) for log in logs) / len(logs)
    return float(seen[-1]), float(mean[-1]), f"{run}\u2002{short(final)}", colour


def running_mean(loss: np.ndarray) -> np.ndarray:
    """Mean over a centred window of 5 % of the steps (at least 5), cut off at both ends."""
    half = max(2, len(loss) // 40)
    total = np.concatenate([[0.0], np.cumsum(loss)])
    centre = np.arange(len(loss))
    low, high = np.maximum(centre - half, 0), np.minimum(centre + half + 1, len(loss))
    return np.asarray((total[high] - total[low]) / (high - low))
