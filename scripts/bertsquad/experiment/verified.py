"""Which files `snakemake verify_cells` reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bertsquad.console.errors import UserError
from bertsquad.experiment.options import options
from bertsquad.experiment.plan_files import PlanFiles


@dataclass(frozen=True)
class Verified:
    """Somebody else's cells.json, which the configuration names, and what it is measured with."""

    plan: PlanFiles

    def file(self) -> list[str]:
        """Their cells.json; none where none is named."""
        named = self.plan.experiment.config.get("verify")
        return [named] if named else []

    def quantized(self) -> list[str]:
        """The INT8 models of the runs that are timed."""
        experiment = self.plan.experiment
        return [
            folder
            for run in self.plan.runs()
            for engine, precision in experiment.engine_precisions()
            for folder in experiment.quantized(run, engine, precision)
        ]

    def options(self) -> str:
        """How long is measured, and waited for a quiet machine: as for this experiment's cells."""
        benchmark = self.plan.experiment.config["benchmark"]
        return options((name, benchmark[name]) for name in ("seconds", "quiet_seconds"))

    def check(self, source: str, arguments: Sequence[str]) -> None:
        """`UserError` where no file is named, where it is no cells.json, and where it has no run of
        this experiment: before a model is trained for it. `arguments` are those of Snakemake: of
        a file among its targets the right call is told."""
        if not self.file():
            files = [each for each in arguments if each.endswith(".json") and "=" not in each]
            name = files[0] if files else "their/cells.json"
            raise UserError(
                "verify_cells: no file is named; call snakemake verify_cells --cores all --config "
                f"verify={name}"
            )
        (path,) = self.file()
        if not Path(path).is_file():
            raise UserError(
                f"{source}: verify: {path}: no such file; expected a cells.json, which `snakemake "
                "export_cells` makes on their machine"
            )
        from bertsquad.planner.cells import read  # NumPy: only where it is asked for

        theirs, ours = read(path).runs, self.plan.runs()
        if not set(theirs) & set(ours):
            raise UserError(
                f"{path}: cells of {', '.join(theirs)}, but {source} times {', '.join(ours)}; take "
                "the configuration that the file was made with"
            )
