"""The grids of throughput and latency: a row a run and thread count, a column a scenario or, with
several engines, an engine."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

_LETTERS = 76  # of titles beside each other, over the width of a figure


@dataclass(frozen=True, slots=True)
class Panel:
    """One small plot: its place, its title, and its cells (medians over repeats)."""

    row: int
    column: int
    title: str
    engine: str  # "" where several share the panel, or there is one
    cells: pd.DataFrame


def panels(cells: pd.DataFrame) -> list[Panel]:
    """The panels of `cells` (from Summary.medians), row by row."""
    scenarios = _scenario_order(cells)
    groups = list(cells.groupby(["run", "threads"]))
    several_runs = cells["run"].nunique() > 1
    several_threads = cells["threads"].nunique() > 1
    result = []
    for row, ((run, threads), group) in enumerate(groups):
        for column, scenario in enumerate(scenarios):
            part = group[group["scenario"] == scenario]
            if part.empty:
                continue
            title = _scenario_title(part)
            if several_threads:
                title = f"{threads} thread{'s' if threads != 1 else ''}, {title}"
            if several_runs:
                title = f"{run}: {title}"
            result.append(Panel(row, column, title, "", part))
    return result


def engine_panels(cells: pd.DataFrame) -> list[Panel]:
    """As `panels`, but where there are several engines each has a column and each scenario a row,
    so that a panel holds one line per precision, however many engines there are."""
    engines = list(cells["engine"].unique())
    if len(engines) == 1:
        return panels(cells)
    columns = len({panel.column for panel in panels(cells)})
    return [
        Panel(panel.row * columns + panel.column, column, panel.title, engine, part)
        for panel in panels(cells)
        for column, engine in enumerate(engines)
        if not (part := panel.cells[panel.cells["engine"] == engine]).empty
    ]


def fitted(titles: Sequence[str], columns: int) -> list[str]:
    """The titles of plots, so many side by side: broken behind their first part, all alike, where
    the longest would run into the next plot's."""
    fit = max(map(len, titles), default=0) * columns <= _LETTERS
    return [title if fit else title.replace(": ", ":\n", 1) for title in titles]


def _scenario_order(cells: pd.DataFrame) -> list[str]:
    """Padded scenarios first: they are what the others are compared with."""
    padding = cells.drop_duplicates("scenario").set_index("scenario")["padding"]
    return sorted(padding.index, key=lambda name: (padding[name] == "none", name))


def _scenario_title(cells: pd.DataFrame) -> str:
    """`padded to 384`, `real lengths`; with the scenario's name where that differs."""
    name = str(cells["scenario"].iloc[0])
    if cells["padding"].iloc[0] == "none":
        return name
    longest = cells["max_seq_length"].max()
    return name if pd.isna(longest) else f"{name} (to {longest:.0f} tokens)"
