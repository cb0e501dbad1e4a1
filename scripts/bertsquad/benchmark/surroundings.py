"""What a cell holds of the machine and the moment it was measured in."""

from typing import Any

from bertsquad import engines
from bertsquad.machine.surroundings import describe_surroundings
from bertsquad.machine.versions import versions


def surroundings_of(precision: str) -> dict[str, Any]:
    """What was true when the measurement began, and whether the precision is `native` here."""
    native = {"native": engines.native(precision)}
    return native | describe_surroundings(versions(engines.packages()))
