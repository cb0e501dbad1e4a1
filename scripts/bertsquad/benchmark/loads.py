"""How much is asked of a layout, as paths name it: saturated, share0.7, rate12.5, slo300."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from bertsquad.console.errors import UserError

Kind = Literal["saturated", "share", "rate", "slo"]
# share: of the capacity that the same process measures; rate: requests a second; slo: the highest
# rate whose p99 stays within so many milliseconds.
PATTERN = r"saturated|(?:share|rate|slo)\d+(?:\.\d+)?"
_FORM = re.compile(r"(share|rate|slo)(\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Load:
    kind: Kind
    value: float = math.inf  # of saturated: all that it can do

    def __str__(self) -> str:
        return self.kind if self.kind == "saturated" else f"{self.kind}{plain(self.value)}"


def read_load(text: str) -> Load:
    """UserError for another text, and for nothing."""
    if text == "saturated":
        return Load("saturated")
    match = _FORM.fullmatch(text)
    if match is None or not float(match[2]) > 0:
        raise UserError(
            f"load is {text!r}; expected saturated, or share, rate or slo and a number above 0, "
            "as share0.7, rate12.5, slo300"
        )
    return Load(match[1], float(match[2]))  # type: ignore[arg-type]


def plain(value: float) -> str:
    """A number as short as it can be, without an exponent."""
    return f"{value:.6f}".rstrip("0").rstrip(".")
