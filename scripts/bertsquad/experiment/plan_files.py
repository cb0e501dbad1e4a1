"""Which files `snakemake export_cells` and `snakemake plan` read."""

from dataclasses import dataclass

from bertsquad.experiment.files import Experiment, options


@dataclass(frozen=True, slots=True)
class PlanFiles:
    """The cells of single requests at real lengths, and what says whose they are."""

    experiment: Experiment

    def runs(self) -> list[str]:
        """The runs that are timed."""
        runs = self.experiment.config["runs"]
        return [run for run in runs if runs[run]["benchmark"]]

    def scenarios(self) -> list[str]:
        """The scenarios that time requests at real lengths, one after another."""
        scenarios = self.experiment.config["benchmark"]["scenarios"]
        return [
            name
            for name, each in scenarios.items()
            if each["mode"] == "batches" and each["padding"] == "none"
        ]

    def cells(self) -> list[str]:
        """The cells of single requests."""
        starts = tuple(f"/benchmark/{name}/batch1-" for name in self.scenarios())
        return [path for path in self.experiment.cell_files() if any(s in path for s in starts)]

    def metrics(self) -> list[str]:
        """The scores of the timed runs."""
        return self._of_runs(self.experiment.metrics_files())

    def comparisons(self) -> list[str]:
        """What each engine and precision of the timed runs changes."""
        return self._of_runs(self.experiment.comparison_files())

    def features(self) -> list[str]:
        """The dev features of the timed runs."""
        return list(dict.fromkeys(self.experiment.features_file(r, "dev") for r in self.runs()))

    def models(self) -> list[str]:
        """The weights and the shape of each timed run's model."""
        return [
            self.experiment.place(f"<results>/{run}/model/{name}")
            for run in self.runs()
            for name in ("model.safetensors", "config.json")
        ]

    def run_options(self) -> str:
        """Each timed run as an option of export_cells.py."""
        found = []
        for run in self.runs():
            parts = (
                run,
                self.experiment.checkpoint_of(run),
                self.experiment.dataset_of(run),
                self.experiment.features_file(run, "dev"),
                self.experiment.place(f"<results>/{run}/model"),
            )
            found.append("--run " + " ".join(map(quoted, parts)))
        return " ".join(found)

    def _of_runs(self, paths: list[str]) -> list[str]:
        starts = tuple(self.experiment.place(f"<results>/{run}/") for run in self.runs())
        return [path for path in paths if path.startswith(starts)]


def quoted(text: str) -> str:
    """A text as a shell's word."""
    return options([("x", text)]).removeprefix("--x ")
