"""How long the features really are, against the length that they are padded to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bertsquad import tensorfile
from bertsquad.console.errors import UserError
from bertsquad.reporting import style
from bertsquad.reporting.formats import whole
from bertsquad.reporting.palette import INK, MUTED, OTHER, PAPER, REFERENCE
from bertsquad.reporting.summary.summary import Summary

TITLE = "Tokens per feature, and the share of padding"
READS = "features"
SECTION = "data"
RANK = 1
ALT = "Histogram of the tokens per feature, with mean, median and the share of padding."
CAPTION = """\
How many tokens the features have, with mean and median, against the length that padding would \
fill them up to.
The share in the heading is the work that padding wastes: what lies right of a bar up to the full \
length.
"""
_SPECIAL_TOKENS = 3  # [CLS] question [SEP] window [SEP]
BINS = 32


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of the features in one features file."""

    name: str  # dataset and split
    recipe: str  # checkpoint, lengths and stride
    lengths: np.ndarray  # int64[N]: tokens, special ones included
    max_seq_length: int

    @property
    def padding_share(self) -> float:
        """The part of the tokens that would be padding if every feature were filled up."""
        return 1 - float(self.lengths.mean()) / self.max_seq_length


def caption(_summary: Summary) -> tuple[str, str]:
    return (
        "How long the features are.",
        "Each bar counts the features of that length; the last one holds those that fill the "
        "window. Padding computes every feature at the full width; the share of that work that is "
        "padding is in the heading.",
    )


def read(path: str | Path) -> Lengths:
    """The lengths in a features file.

    Its path ends in `{dataset}-{split}/{recipe}.safetensors`. Raises `UserError` for a file of
    another kind.
    """
    path = Path(path)
    arrays, metadata = tensorfile.read(path)
    try:
        question = np.diff(arrays["question_starts"])[arrays["feature_question"]]
        lengths = question + arrays["doc_length"] + _SPECIAL_TOKENS
        max_seq_length = int(json.loads(metadata["features"])["max_seq_length"])
    except KeyError as error:
        raise UserError(f"{path}: not a features file: it has no {error}") from None
    tensorfile.verified(path, arrays, metadata)
    return Lengths(path.parent.name, path.stem, lengths, max_seq_length)


def draw(paths: Sequence[Path]) -> Figure | str:
    """A histogram per features file, with mean, median and what padding would cost."""
    files = [file for file in map(read, paths) if len(file.lengths)]
    if not files:
        return "There are no features."
    height = 2.3
    figure = style.new_figure(height * len(files) + 0.2)
    plots = figure.subplots(len(files), 1, squeeze=False)[:, 0]
    names = [file.name for file in files]
    for axes, file in zip(plots, files, strict=True):
        several = names.count(file.name) > 1
        _draw_histogram(axes, file, f"{file.name}, {file.recipe}" if several else file.name)
    plots[-1].set_xlabel("tokens per feature, special tokens included")
    figure.supylabel("features", size=9, color=MUTED)
    return figure


def _draw_histogram(axes: Axes, file: Lengths, name: str) -> None:
    """One histogram; the bar at the right end holds the windows that are full."""
    edges = np.linspace(0, file.max_seq_length, BINS + 1) + 0.5
    counts, _ = np.histogram(file.lengths, bins=edges)
    axes.bar(edges[:-1], counts, width=np.diff(edges), align="edge", color=OTHER, edgecolor=PAPER)
    axes.set_title(
        f"{name}: {whole(len(file.lengths))} features, "
        f"{100 * file.padding_share:.0f} % padding at {file.max_seq_length} tokens"
    )
    axes.set_xlim(0, file.max_seq_length + 0.5)
    axes.yaxis.set_major_formatter(lambda value, _: whole(value))
    axes.locator_params(axis="y", integer=True)
    top = counts.max() * 1.28
    axes.set_ylim(0, top)
    mean, median = float(file.lengths.mean()), float(np.median(file.lengths))
    left, right = sorted([("mean", mean), ("median", median)], key=lambda mark: mark[1])
    for (name, value), side in ((left, "right"), (right, "left")):
        axes.axvline(value, color=REFERENCE if name == "mean" else INK, linewidth=1.2)
        axes.annotate(
            f"{name} {value:.0f}",
            xy=(value, top),
            xytext=(-4 if side == "right" else 4, -2),
            textcoords="offset points",
            ha=side,
            va="top",
        )
