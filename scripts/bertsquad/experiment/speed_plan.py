"""Which engines and precisions `snakemake speed` measures here, and from which files."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bertsquad.console.errors import UserError
from bertsquad.engines import PRECISIONS, check_able, native
from bertsquad.experiment.files import options


@dataclass(frozen=True, slots=True)
class SpeedPlan:
    """Follows from the processor and from `settings`, the config's `speed`; from no experiment."""

    settings: dict[str, Any]
    place: Callable[[str], str]  # puts folders in place of <resources> and <results>

    def cells(self) -> list[str]:
        """What is measured, a file for each engine and precision."""
        return [
            self.place(f"<results>/speed/{engine}-{precision}.json")
            for engine, precisions in PRECISIONS.items()
            for precision in precisions
            if self.measures(engine, precision)
        ]

    def measures(self, engine: str, precision: str) -> bool:
        """Whether the processor has the precision, or the engine emulates it and that is wanted."""
        if native(precision):
            return True
        try:
            check_able(engine, precision)
        except UserError:
            return False
        return bool(self.settings["emulated"] == "mark")

    def quantized(self, engine: str, precision: str) -> list[str]:
        """The folder of the INT8 model that this precision takes, if it takes one."""
        folder = self.place(f"<resources>/speed/{engine}-int8")
        return [folder] if precision == "int8" else []

    def measure_options(self, engine: str, precision: str) -> str:
        """How measure_speed.py is called for it."""
        folder = next(iter(self.quantized(engine, precision)), None)
        return options(
            [*((key, self.settings[key]) for key in ("threads", "seconds")), ("quantized", folder)]
        )
