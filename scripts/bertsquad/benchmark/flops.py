"""Useful operations of BERT, those on real tokens, and the ceiling that their rate is held against.

They are called floating-point operations also where an engine computes in INT8.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np


def useful_flops(config: Mapping[str, int], lengths: np.ndarray) -> float:
    """Operations of one forward pass over features of these many real tokens, all together."""
    lengths = np.asarray(lengths, dtype=np.int64)
    return useful_flops_of(config, int(lengths.sum()), int(np.square(lengths).sum()))


def useful_flops_of(config: Mapping[str, int], tokens: int, squared_lengths: int) -> float:
    """The same from the sum of the lengths and the sum of their squares.

    `config` is a config.json. A multiplication and an addition count as two. Counted are the linear
    layers (two operations for each weight and token), scores and weighted sums of attention (4 L^2
    H in each layer) and the answer head; LayerNorm, GELU, softmax and the embeddings, together
    about a thousandth, are not.
    """
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    weights = 4 * hidden * hidden + 2 * hidden * inner  # query, key, value, output; up, down
    layer = 2 * weights * tokens + 4 * hidden * squared_lengths
    return float(config["num_hidden_layers"] * layer + 2 * 2 * hidden * tokens)


def ceiling_gflops(found: Mapping[str, Any]) -> float | None:
    """What products of a precision reach here, of what `measure_ceiling` found; None where the
    processor emulates it: that is not a ceiling of the precision."""
    return found["gflops"] if found["native"] else None
