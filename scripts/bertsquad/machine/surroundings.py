"""What a measurement's result holds of the machine and the moment it was taken in."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bertsquad.machine.container import describe_container
from bertsquad.machine.cpu import cpu_model
from bertsquad.machine.kernel import load_average, measurement_environment


def describe_surroundings(versions: Mapping[str, Any]) -> dict[str, Any]:
    """What was true when the measurement began, beside the software's `versions`
    (`machine.versions`). `started_at` is in UTC."""
    return {
        "cpu": cpu_model(),
        "load_average": load_average(),
        "environment": measurement_environment(),
        "versions": dict(versions),
        "container": describe_container(),
        "started_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
