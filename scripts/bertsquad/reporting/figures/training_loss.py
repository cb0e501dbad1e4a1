"""The loss of every run over the examples that it has seen."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bertsquad.reporting import style
from bertsquad.reporting.palette import RUNS

TITLE = "Training loss by run"
HEIGHT = 3.2  # inches
MOST_POINTS = 300  # more would make the file large and the line no clearer


def draw(logs: dict[str, pd.DataFrame]) -> Figure:
    """Loss over examples seen: faint the loss of every step, strong its running mean.

    `logs` holds a training log (tables.read_training_log) per run name.
    """
    logs = {run: log for run, log in logs.items() if len(log)}
    if not logs:
        return style.message("No run was trained.")
    figure = style.new_figure(HEIGHT)
    axes = figure.subplots()
    ends = []
    for number, (run, log) in enumerate(logs.items()):
        colour = style.run_colour(number)
        line = style.LINE_STYLES[number // len(RUNS) % len(style.LINE_STYLES)]
        ends.append(draw_run(axes, run, log, colour, line))
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("training examples seen")
    axes.set_ylabel("loss, nats")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    style.label_line_ends(axes, ends, HEIGHT - 0.8)
    return figure


def draw_run(
    axes: Axes, run: str, log: pd.DataFrame, colour: str, line: str | tuple
) -> tuple[float, float, str, str]:
    """Draw one run; return where and how to label its end."""
    seen = log["examples"].fillna(1).cumsum().to_numpy()
    loss = log["loss"].to_numpy()
    mean = running_mean(loss)
    if len(loss) > MOST_POINTS:
        blocks = np.array_split(np.arange(len(loss)), MOST_POINTS)
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
    return float(seen[-1]), float(mean[-1]), f"{run}\u2002{mean[-1]:.2f}", colour


def running_mean(loss: np.ndarray) -> np.ndarray:
    """Mean over a centred window of 5 % of the steps (at least 5), cut off at both ends."""
    half = max(2, len(loss) // 40)
    total = np.concatenate([[0.0], np.cumsum(loss)])
    centre = np.arange(len(loss))
    low, high = np.maximum(centre - half, 0), np.minimum(centre + half + 1, len(loss))
    return (total[high] - total[low]) / (high - low)
