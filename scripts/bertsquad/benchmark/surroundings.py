"""What a cell holds of the machine and the moment it was measured in."""

from typing import Any

from bertsquad import engines
from bertsquad.machine.identity import read_identity
from bertsquad.machine.surroundings import describe_surroundings
from bertsquad.machine.versions import versions


def surroundings_of(precision: str, cores: int | None = None) -> dict[str, Any]:
    """What was true when the measurement began, whether the precision is `native` here, and which
    processor this is. `cores`: how many a process could use before it was kept to some of them."""
    here = {"native": engines.native(precision), "cpu_identity": read_identity(cores)}
    return here | describe_surroundings(versions(engines.packages()))
