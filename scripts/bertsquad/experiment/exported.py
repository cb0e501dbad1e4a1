"""Which files the exports read, and what models were made of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bertsquad.experiment.files import Experiment
from bertsquad.experiment.plan_files import quoted
from bertsquad.experiment.served import Served


@dataclass(frozen=True)
class Exported:
    """The inputs of `snakemake exports` beside certificate, table and machine."""

    experiment: Experiment

    def cells(self) -> list[str]:
        """Every cell of the benchmark."""
        return [*self.experiment.cell_files(), *Served(self.experiment).files()]

    def shapes(self) -> list[str]:
        """config.json of each run's model."""
        runs = self.experiment.config["runs"]
        return [self.experiment.place(f"<results>/{run}/model/config.json") for run in runs]

    def models_text(self) -> str:
        """What each run's model was made of, as JSON for export_results.py: inputs by the names
        that inputs.json has for them."""
        return json.dumps({run: self._model(run) for run in self.experiment.config["runs"]})

    def folders(self) -> str:
        """Each run's model folder as an option of export_results.py."""
        return " ".join(
            f"--model {quoted(run)} {quoted(self.experiment.place(f'<results>/{run}/model'))}"
            for run in self.experiment.config["runs"]
        )

    def _model(self, run: str) -> dict[str, Any]:
        experiment = self.experiment
        checkpoint, dataset = experiment.checkpoint_of(run), experiment.dataset_of(run)
        catalogue = experiment.catalogue
        entry = catalogue.dataset(dataset)
        # Of a folder inputs.json has each file, under the folder's name.
        folder = checkpoint in catalogue.folders
        return {
            "checkpoint": checkpoint,
            "dataset": dataset,
            "started_from": [f"{checkpoint}/"]
            if folder
            else list(catalogue.checkpoint(checkpoint).artifacts),
            "train": entry.train,
            "dev": entry.dev,
            "selected": entry.selection is not None,
        }
