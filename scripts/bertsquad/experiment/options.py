"""Values of a configuration as options of commands."""

import shlex
from collections.abc import Iterable
from typing import Any


def options(pairs: Iterable[tuple[str, Any]]) -> str:
    """Command-line options from (name, value) pairs; None leaves an option to its default."""
    return " ".join(
        f"--{name.replace('_', '-')} {shlex.quote(str(value))}"
        for name, value in pairs
        if value is not None
    )
