"""Every cell and repeat as a coloured field: whether the machine drifted from repeat to repeat."""

import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from bertsquad.reporting import style
from bertsquad.reporting.palette import INK, MUTED, PAPER, PRECISION
from bertsquad.reporting.summary.summary import CELL_KEY, Summary

TITLE = "Each repeat's throughput against the median of its cell"
READS = "summary"
SECTION = "speed"
RANK = 9
ALT = "A field for every cell and repeat, coloured by how far its throughput is from the median."
CAPTION = """\
Every cell and repeat: how far its throughput is from the median of the cell's repeats, in percent.
Columns are repeats in the order of time, rows the cells in the order of the first repeat. A \
column of one colour means that the machine changed; a row of many that the cell itself varies. \
Hatched fields are disturbed.
"""
_MOST_LABELLED = 60  # rows; more have no names
_FULL = 5.0  # percent, of the darkest colour
_SLOWER_FASTER = LinearSegmentedColormap.from_list(
    "slower_faster", [PRECISION["bf16"], PAPER, PRECISION["fp32"]]
)


def caption(summary: Summary) -> tuple[str, str]:
    return (
        f"The {summary.repeats} repeats in order." if summary.repeats > 1 else "The repeats.",
        "Percent from the median of the cell's repeats: blue is faster, orange slower. A column of "
        "one colour means that the machine changed meanwhile; hatched fields are disturbed.",
    )


def draw(summary: Summary) -> Figure | str:
    """A row a cell, a column a repeat."""
    cells = summary.cells.copy()
    cells = cells[cells["features_per_second"].notna()]
    if cells.empty or summary.repeats < 2:
        return "Each cell was measured once: there are no repeats to compare."
    key = [cells[name] for name in CELL_KEY]
    rates = cells["features_per_second"].astype(float)
    cells["deviation"] = 100 * (
        rates / rates.groupby(key, dropna=False, sort=False).transform("median") - 1
    )
    groups = list(cells.groupby(list(CELL_KEY), dropna=False, sort=False))
    groups.sort(key=lambda group: _first_place(group[1]))
    figure = style.new_figure(0.8 + (0.21 if len(groups) <= _MOST_LABELLED else 0.07) * len(groups))
    axes = figure.subplots()
    for row, (_, group) in enumerate(groups):
        for repeat, deviation, validity in zip(
            group["repeat"].astype(int), group["deviation"], group["validity"], strict=True
        ):
            colour = _SLOWER_FASTER(0.5 + max(-1.0, min(1.0, deviation / _FULL)) / 2)
            hatch = "////" if validity in ("disturbed", "invalid") else ""
            axes.barh(
                *(row, 0.94),
                height=0.9,
                left=repeat - 0.47,
                color=colour,
                hatch=hatch,
                edgecolor=MUTED if hatch else PAPER,
                linewidth=0,
            )
            if len(groups) <= _MOST_LABELLED:
                dark = abs(deviation) > 0.7 * _FULL
                text = f"{deviation:+.1f}".replace("-", "\u2212")
                ink = PAPER if dark else INK
                axes.text(repeat, row, text, ha="center", va="center", size=7, color=ink)
    names = [_name(group.iloc[0]) for _, group in groups]
    if len(groups) <= _MOST_LABELLED:
        axes.set_yticks(range(len(names)), names)
    else:
        axes.set_yticks([])
    repeats = range(1, summary.repeats + 1)
    axes.set_xticks(repeats, [f"repeat {number}" for number in repeats])
    axes.set_xlim(0.5, summary.repeats + 0.5)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(visible=False)
    return figure


def _first_place(group: pd.DataFrame) -> tuple[float, str]:
    """When a cell came in its first repeat; those that do not tell come last, by name."""
    first = group.sort_values("repeat").iloc[0]
    return (float("inf") if pd.isna(first["place"]) else float(first["place"]), _name(first))


def _name(row: pd.Series) -> str:
    batch = "" if pd.isna(row["batch_size"]) else f", batch {row['batch_size']}"
    machine = f"{row['machine']}: " if row["machine"] else ""
    model = f"{machine}{row['engine']} {row['precision']}"
    return f"{model}, {row['scenario']}{batch}, {row['threads']} threads"
