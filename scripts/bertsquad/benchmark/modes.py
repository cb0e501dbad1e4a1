"""The benchmark's modes: what each measures, what its cells hold, and how the report words it.

`bertsquad/benchmark/<name>.py` measures a mode, by its function `measured`. This module imports
nothing, since the Snakefile reads it; no timing depends on it but through the rule's parameters.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to give an engine its work.

    In a mode of a whole set (`whole_set`) the engine has `count` features or questions at hand,
    cuts the batches itself, and one sample is a pass over all of them. In the others it gets
    batches of a given size, one after another, and one sample is one batch, which has a latency.
    """

    name: str
    goal: Literal["latency", "throughput"]  # what the engine is loaded for
    whole_set: bool
    from_texts: bool  # starts from the dataset's texts: takes its JSON, counts questions
    rates: tuple[str, ...]  # numbers that a cell must hold, the one that ranks it first
    meaning: str  # of summary.csv's column `mode`
    does: str  # "Scenario x ..." in the report, with features at real lengths
    does_padded: str = ""  # the same with padded ones; {length} is their number of tokens
    panel: str = ""  # of a whole set: heading of its panel in the figure


MODES = {
    mode.name: mode
    for mode in (
        Mode(
            name="batches",
            goal="latency",
            whole_set=False,
            from_texts=False,
            rates=("features_per_second",),
            meaning="one after another",
            does="computes every feature at its real length",
            does_padded="fills every feature up to {length} tokens",
        ),
        Mode(
            name="offline",
            goal="throughput",
            whole_set=True,
            from_texts=False,
            rates=("features_per_second",),
            meaning="all features at hand",
            does="gives the engine all features at once, to batch them as it likes",
            panel="engine alone",
        ),
        Mode(
            name="end_to_end",
            goal="throughput",
            whole_set=True,
            from_texts=True,
            rates=("questions_per_second", "features_per_second", "overhead_share"),
            meaning="texts to answers",
            does="starts from the texts and ends with the answers",
            panel="texts in, answers out",
        ),
    )
}
DEFAULT = "batches"
WITH_LATENCY = tuple(mode.name for mode in MODES.values() if not mode.whole_set)
FROM_TEXTS = tuple(mode.name for mode in MODES.values() if mode.from_texts)
ENGINE_ALONE = tuple(mode.name for mode in MODES.values() if not mode.from_texts)
