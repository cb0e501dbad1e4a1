"""Scenarios under load: which cells they have, and how each is measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bertsquad.experiment.files import Experiment, options
from bertsquad.experiment.load import cells


@dataclass(frozen=True)
class Served:
    """The cells under load of an experiment."""

    experiment: Experiment

    def files(self) -> list[str]:
        """Every cell, in the order in which cells of batches are listed."""
        return [
            self.experiment.place(
                f"<results>/{run}/{engine}-{precision}/benchmark/{machine}{scenario}/"
                f"layout{layout}-{load}-repeat{repeat}.json"
            )
            for machine in self.experiment.machine_folders()
            for run, engine, precision, scenario, layout, load in self.cells()
            for repeat in range(1, self.experiment.config["benchmark"]["repeats"] + 1)
        ]

    def cells(self) -> list[tuple[str, ...]]:
        """The six names in the path of every cell, of one repeat."""
        experiment = self.experiment
        return [
            (run, engine, precision, name, *cell)
            for run in experiment.config["runs"]
            if experiment.config["runs"][run]["benchmark"]
            for engine, precision in experiment.engine_precisions()
            for name, scenario in experiment.config["benchmark"]["scenarios"].items()
            if experiment.mode(name).served
            for cell in cells(scenario)
        ]

    def options(self, scenario: str) -> str:
        """How a scenario is measured, as options."""
        benchmark = self.experiment.config["benchmark"]
        pairs = option_pairs(benchmark["scenarios"][scenario])
        own = (("min_seconds", benchmark["min_seconds"]), ("emulated", benchmark["emulated"]))
        return options([*pairs, *own])

    def trace(self, scenario: str) -> list[str]:
        """The file that a scenario's arrivals are read from, if any."""
        file = self.experiment.config["benchmark"]["scenarios"][scenario]["arrivals"].get("file")
        return [] if file is None else [file]


def option_pairs(scenario: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """How a scenario is measured, as options of benchmark_serving.py."""
    pairs = [(name, scenario[name]) for name in ("mode", "seconds", "max_tokens", "seed")]
    if scenario["mode"] == "server":
        pairs += [(name, scenario[name]) for name in ("requests", "capacity_seconds", "wait_ms")]
        pairs.append(("arrivals", json.dumps(scenario["arrivals"], sort_keys=True)))
    return pairs
