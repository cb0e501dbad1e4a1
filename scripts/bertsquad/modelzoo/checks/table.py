"""Tables of checks of a call of the launcher, and the findings that they return."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bertsquad.console.errors import UserError


@dataclass(frozen=True, slots=True)
class Finding:
    """One error or warning about a call."""

    check: str
    severity: Literal["error", "warning"]  # error: the run fails, or its results are wrong
    message: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.message}"


@dataclass(frozen=True, slots=True)
class CallCheck:
    """One check of a table.

    `found` returns one text, several, True or nothing; each makes a finding. `reason` is the
    consequence, the second half of every message.
    """

    name: str
    severity: Literal["error", "warning"]
    found: Callable[..., Iterable[str] | str | bool | None]
    reason: str

    def findings(self, *situation: Any) -> Iterator[Finding]:
        """The findings of this check; `situation` holds the arguments of `found`."""
        found = self.found(*situation)
        if found is True:
            found = ""
        for text in [found] if isinstance(found, str) else found or ():
            message = f"{text}: {self.reason}" if text else self.reason
            yield Finding(self.name, self.severity, message)


def examine(checks: Iterable[CallCheck], *situation: Any) -> list[Finding]:
    """All findings of a table, errors first, else in the order of the table."""
    found = [finding for check in checks for finding in check.findings(*situation)]
    return sorted(found, key=lambda finding: finding.severity != "error")


def refuse_errors(findings: Sequence[Finding], place: str) -> None:
    """Raise a `UserError` with every error on one line, after `place`; warnings raise nothing."""
    errors = [finding.message for finding in findings if finding.severity == "error"]
    if len(errors) == 1:
        raise UserError(f"{place}: {errors[0]}")
    if errors:
        listed = " ".join(f"({number}) {text}" for number, text in enumerate(errors, 1))
        raise UserError(f"{place}: {len(errors)} things stand against it: {listed}")
