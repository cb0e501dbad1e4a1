"""Which files `snakemake explore` reads and makes, and how the race is set."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsquad.console.errors import UserError
from bertsquad.experiment.options import options
from bertsquad.experiment.plan_files import PlanFiles
from bertsquad.schema import with_defaults

# What of the configuration's `plan` decides a score. Prices and machines do not.
_SCORED_BY = ("slo", "lengths", "length_classes", "minimum_f1", "minimum_f1_share")


@dataclass(frozen=True)
class Explore:
    """The races of an experiment: one for each run that is timed."""

    plan: PlanFiles

    def raced(self) -> list[str]:
        """What each race found."""
        return [self.plan.experiment.place(f"<results>/explore/{r}.json") for r in self.plan.runs()]

    def made(self) -> list[str]:
        """Of `raced` what is there: the report shows it from then on."""
        return [path for path in self.raced() if Path(path).is_file()]

    def texts(self) -> list[str]:
        """The same in words."""
        return [path.removesuffix("json") + "txt" for path in self.raced()]

    def results(self) -> list[str]:
        """Of `raced` what a plan takes: all where the configuration has `explore`, else what was
        made; none where there are several kinds of machines."""
        config = self.plan.experiment.config
        if config.get("machines"):
            return []
        return [path for path in self.raced() if "explore" in config or Path(path).is_file()]

    def engines_of(self, code: Callable[[str], list[str]]) -> list[str]:
        """The files of every engine that is raced, each once; `code`: those of one engine."""
        engines = self.plan.experiment.config["engines"]
        return list(dict.fromkeys(path for engine in engines for path in code(engine)))

    def quantized(self, run: str) -> list[str]:
        """The INT8 models of a run."""
        experiment = self.plan.experiment
        pairs = experiment.engine_precisions()
        return [path for pair in pairs for path in experiment.quantized(run, *pair)]

    def metrics(self, run: str) -> list[str]:
        """The scores of a run."""
        return self._of(run, self.plan.metrics())

    def comparisons(self, run: str) -> list[str]:
        """What each engine and precision of a run changes."""
        return self._of(run, self.plan.comparisons())

    def _of(self, run: str, paths: list[str]) -> list[str]:
        folder = self.plan.experiment.place(f"<results>/{run}/")
        return [path for path in paths if path.startswith(folder)]

    def options(self, schema: dict[str, Any]) -> str:
        """How a race is set, as options of explore.py; `schema` is the configuration's."""
        config = self.plan.experiment.config
        given = config.get("explore", {})
        settings = with_defaults(given, schema["properties"]["explore"], schema)
        plan = {key: value for key, value in config.get("plan", {}).items() if key in _SCORED_BY}
        asked = with_defaults(plan, schema["properties"]["plan"], schema)
        names = ("minutes", "seconds", "within", "seed")
        parts = [options((name, settings[name]) for name in names)]
        parts += [f"--engine {e} {p}" for e, p in self.plan.experiment.engine_precisions()]
        if settings["layouts"]:
            parts.append(f"--layouts {' '.join(settings['layouts'])}")
        return " ".join([*parts, options([("plan", json.dumps(asked))])])

    def check(self, source: str) -> None:
        """`UserError` where `snakemake explore` has nothing that it could race."""
        if self.plan.experiment.config.get("machines"):
            raise UserError(
                f"{source}: explore: it races on the machine that it runs on, and `machines` names "
                "several kinds; run it on each with a configuration without them"
            )
        if not self.plan.runs():
            raise UserError(f"{source}: explore: no run is timed; give one `benchmark: true`")
