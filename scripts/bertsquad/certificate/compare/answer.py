"""What one question of a comparison is answered with."""

import json
from dataclasses import dataclass, field
from typing import Any

SAME = "same"
DIFFER = "differ"
MISSING = "missing"
CANNOT_TELL = "can't tell"
_LONGEST = 60  # characters of a value that are shown


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict and the sentences that it rests on, the weightiest first."""

    verdict: str
    evidence: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {"verdict": self.verdict, "evidence": self.evidence}


def short(sha256: str | None) -> str:
    """The beginning of a checksum, as people compare it."""
    return f"{sha256[:12]}…" if sha256 else "not known"


def value(found: Any) -> str:
    """A value of a configuration or an option, on one line, not too long."""
    text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def both(first: Any, second: Any) -> str:
    """`0 / 1`: what A and B have."""
    return f"{value(first)} / {value(second)}"


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 file`, `2 files`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
