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
    A mode that is `served` has a layout of processes and lanes (serving.py), and requests of one
    feature each.
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
    served: bool = False


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
        Mode(
            name="saturated",
            goal="throughput",
            whole_set=False,
            from_texts=False,
            rates=("features_per_second",),
            meaning="all lanes of a layout always busy",
            does="keeps every lane of a layout busy with one request after another",
            served=True,
        ),
        Mode(
            name="server",
            goal="latency",
            whole_set=False,
            from_texts=False,
            rates=("features_per_second",),
            meaning="requests come by themselves; latency from the scheduled arrival",
            does="gets requests at a rate, whether or not a lane of the layout is free",
            served=True,
        ),
    )
}
DEFAULT = "batches"
WITH_LATENCY = tuple(mode.name for mode in MODES.values() if not (mode.whole_set or mode.served))
SERVED = tuple(mode.name for mode in MODES.values() if mode.served)
FROM_TEXTS = tuple(mode.name for mode in MODES.values() if mode.from_texts)
ENGINE_ALONE = tuple(mode.name for mode in MODES.values() if not (mode.from_texts or mode.served))
