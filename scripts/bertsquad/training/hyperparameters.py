"""The hyperparameters: default, unit, range and help of each, here and nowhere else.

From these fields follow the options of scripts/finetune.py, the keys of a run in the configuration
(experiment/run_keys.py) and their table in config/README.md. The Snakefile reads this file, so it
imports nothing heavy.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Range:
    """The numbers that are allowed. None: no such limit."""

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None

    def __contains__(self, number: float) -> bool:
        return (
            math.isfinite(number)
            and (self.at_least is None or number >= self.at_least)
            and (self.above is None or number > self.above)
            and (self.at_most is None or number <= self.at_most)
            and (self.below is None or number < self.below)
        )

    def __str__(self) -> str:
        """`1 to 65536`, `0 < x ≤ 1`, or `≥ 16` where there is one limit."""
        low, high = self.at_least, self.at_most
        if high is None and self.below is None:
            return f"> {self.above}" if low is None else f"≥ {low}"
        if low is not None and high is not None:
            return f"{low} to {high}"
        left = f"{self.above} <" if low is None else f"{low} ≤"
        return f"{left} x {f'< {self.below}' if high is None else f'≤ {high}'}"


@dataclass(frozen=True, slots=True)
class About:
    """What a field of `Hyperparameters` states of itself besides name, type and default."""

    help: str
    unit: str
    range: Range
    when_none: str  # the meaning of None


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """One field of `Hyperparameters`, as a user gives it."""

    name: str
    kind: type[float]  # float or int; not used where there are choices
    choices: tuple[str, ...]  # empty: a number
    optional: bool  # whether it may be left out, for `about.when_none`
    default: Any
    about: About

    @property
    def values(self) -> str:
        """The values it takes, in words."""
        if self.choices:
            return " or ".join(self.choices)
        unit = f" of {self.about.unit}" if self.about.unit else ""
        noun = "whole number" if self.kind is int else "number"
        return f"{noun}{unit}, {self.about.range}"

    def read(self, text: str) -> float | str:
        """The value of a text; ValueError where it is not one of `values`."""
        if text in self.choices:
            return text
        try:
            number = self.kind(text)
        except ValueError:
            number = math.nan
        if self.choices or number not in self.about.range:
            raise ValueError(f"{text}: expected {self.values}")
        return number


def _about(
    default: T, help: str, *, unit: str = "", when_none: str = "", **limits: float | None
) -> T:
    """A field with this default, and what is to be said of it; `limits`: see Range."""
    about = About(help, unit, Range(**limits), when_none)
    return field(default=default, metadata={"about": about})


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """What decides the weights, besides checkpoint and features.

    Defaults: run_squad.py's, with batch, learning rate and epochs as in the SQuAD example of BERT's
    README for BERT-Large.
    """

    precision: Literal["fp32", "bf16"] = _about(
        "fp32",
        "Of training. bf16: matrix products in BF16; weights, optimizer, LayerNorm, softmax, loss "
        "in FP32.",
    )
    epochs: float = _about(
        2,
        "Passes over the training questions; may be a fraction. 0 keeps the checkpoint as it is.",
        unit="passes",
        at_least=0,
    )
    batch_size: int = _about(
        24,
        "Examples per optimizer step, of all ranks together.",
        unit="examples",
        at_least=1,
        at_most=65536,
    )
    learning_rate: float = _about(
        3.0e-5, "Peak learning rate of the linear schedule.", above=0, at_most=1
    )
    warmup_proportion: float = _about(
        0.1,
        "Share of the steps over which the learning rate rises from 0.",
        at_least=0,
        below=1,
    )
    weight_decay: float = _about(
        0.01, "Decoupled decay of all weights but LayerNorm and biases.", at_least=0, at_most=1
    )
    max_grad_norm: float = _about(
        1.0, "Gradients are scaled down to this joint L2 norm of all of them.", above=0
    )
    hidden_dropout: float | None = _about(
        None,
        "Dropout after embeddings, attention and feed-forward; by default the checkpoint's (0.1).",
        when_none="the checkpoint's",
        at_least=0,
        below=1,
    )
    attention_dropout: float | None = _about(
        None,
        "Dropout on attention probabilities; by default the checkpoint's (0.1).",
        when_none="the checkpoint's",
        at_least=0,
        below=1,
    )
    head_init: Literal["normal", "nsp", "checkpoint"] = _about(
        "normal",
        "The question-answering head: normal (Google: drawn anew), nsp (Intel: from the "
        "next-sentence head), checkpoint (keep).",
    )
    count_steps_by: Literal["examples", "features"] = _about(
        "examples",
        "examples: steps from questions, as run_squad.py; features: from windows, a little more.",
    )
    # 1 to 4 thousand are equally fast.
    micro_batch_tokens: int = _about(
        2048,
        "Tokens per forward and backward pass; changes memory and speed, results only by rounding.",
        unit="tokens",
        at_least=16,
    )
    seed: int = _about(
        0, "Of data order, dropout and head initialisation.", at_least=0, at_most=4294967295
    )
    # ranks.py has these four.
    ranks: int = _about(
        1,
        "How many ranks share a step in the recipe, whatever computes it; with 1 the next three "
        "change nothing.",
        unit="ranks",
        at_least=1,
        at_most=4096,
    )
    rank_data: Literal["split", "same"] = _about(
        "split",
        "split: every rank its share of the examples; same: all read the same ones from the start, "
        "as Intel's code does.",
    )
    rank_gradients: Literal["averaged", "independent"] = _about(
        "averaged",
        "averaged over the ranks; independent: every rank updates its own model, rank 0's is kept.",
    )
    rank_learning_rate: Literal["plain", "sqrt"] = _about(
        "plain",
        "plain: `learning_rate` as given; sqrt: times the square root of `ranks`, as Intel's code "
        "does.",
    )

    @property
    def dropout(self) -> dict[str, float]:
        """The dropout rates that replace those of config.json, under their names there."""
        rates = {
            "hidden_dropout_prob": self.hidden_dropout,
            "attention_probs_dropout_prob": self.attention_dropout,
        }
        return {name: rate for name, rate in rates.items() if rate is not None}


def hyperparameters() -> Iterator[Hyperparameter]:
    """All of them, in the order of the fields."""
    types = get_type_hints(Hyperparameters)
    for each in fields(Hyperparameters):
        alternatives = get_args(types[each.name]) or (types[each.name],)
        choices = alternatives if get_origin(types[each.name]) is Literal else ()
        kind = float if choices else alternatives[0]
        optional = NoneType in alternatives
        yield Hyperparameter(
            each.name, kind, choices, optional, each.default, each.metadata["about"]
        )
