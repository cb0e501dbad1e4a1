"""What stands against a call of the launcher: a finding, and how a table of checks makes them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bertsquad.errors import UserError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or not as it looks."""

    check: str
    severity: Literal[
        "error", "warning"
    ]  # error: the run fails, or its results are not what is said
    message: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.message}"


@dataclass(frozen=True, slots=True)
class CallCheck:
    """One entry of a table: `found` gives what was found each time it applies; `reason` says what
    comes of it."""

    name: str
    severity: Literal["error", "warning"]
    found: Callable[..., Iterable[str] | str | bool | None]
    reason: str

    def findings(self, *situation: Any) -> Iterator[Finding]:
        """What the check says of a situation (the arguments its `found` takes)."""
        found = self.found(*situation)
        if found is True:
            found = ""
        for text in [found] if isinstance(found, str) else found or ():
            message = f"{text}: {self.reason}" if text else self.reason
            yield Finding(self.name, self.severity, message)


def examine(checks: Iterable[CallCheck], *situation: Any) -> list[Finding]:
    """All findings, errors first, else in the table's order."""
    found = [finding for check in checks for finding in check.findings(*situation)]
    return sorted(found, key=lambda finding: finding.severity != "error")


def refuse_errors(findings: Sequence[Finding], place: str) -> None:
    """`UserError` that names every error, on one line; `place` says whose they are."""
    errors = [finding.message for finding in findings if finding.severity == "error"]
    if len(errors) == 1:
        raise UserError(f"{place}: {errors[0]}")
    if errors:
        listed = " ".join(f"({number}) {text}" for number, text in enumerate(errors, 1))
        raise UserError(f"{place}: {len(errors)} things stand against it: {listed}")
