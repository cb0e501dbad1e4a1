"""Which files `snakemake export_cells` and `snakemake plan` read."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsquad.console.errors import UserError
from bertsquad.experiment.files import Experiment, options
from bertsquad.experiment.machines import Machines, on_machine, with_own_machines
from bertsquad.experiment.served import Served
from bertsquad.schema import with_defaults


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

    def cells(self, machine: str = "") -> list[str]:
        """The cells of single requests, and of layouts under load, of a kind of machine; "" where
        there is one."""
        folder = f"/benchmark/{machine}/" if machine else "/benchmark/"
        starts = tuple(f"{folder}{name}/batch1-" for name in self.scenarios())
        found = [path for path in self.experiment.cell_files() if any(s in path for s in starts)]
        return found + [path for path in Served(self.experiment).files() if folder in path]

    def metrics(self, machine: str = "") -> list[str]:
        """The scores of the timed runs: those of this kind of machine, where it has its own."""
        paths = self._of_runs(self.experiment.metrics_files())
        own = machine in Machines(self.experiment).scored
        return [on_machine(path, machine) for path in paths] if own else paths

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
        return " ".join(map(self.run_option, self.runs()))

    def run_option(self, run: str) -> str:
        """A run as an option: its name, and what its cells are measured with."""
        parts = (
            run,
            self.experiment.checkpoint_of(run),
            self.experiment.dataset_of(run),
            self.experiment.features_file(run, "dev"),
            self.experiment.place(f"<results>/{run}/model"),
        )
        return "--run " + " ".join(map(quoted, parts))

    def served_options(self) -> str:
        """Each timed run as an option of check_plan.py."""
        found = []
        for run in self.runs():
            model = self.experiment.place(f"<results>/{run}/model")
            parts = (run, self.experiment.features_file(run, "dev"), model)
            found.append("--run " + " ".join(map(quoted, parts)))
        return " ".join(found)

    def settings(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The configuration's `plan` with its defaults, which are all there is where it is absent;
        `schema` is the configuration's."""
        plan = with_own_machines(self.experiment.config).get("plan", {})
        found: dict[str, Any] = with_defaults(plan, schema["properties"]["plan"], schema)
        for name, each in found["machines"].items():
            if each["cells"] is None and name in self.own_cells():
                each["cells"] = self.own_cells()[name]
        return found

    def own_cells(self) -> dict[str, str]:
        """cells.json of each of the configuration's `machines`, which this experiment makes."""
        names = self.experiment.config.get("machines") or {}
        return {n: self.experiment.place(f"<results>/machines/{n}/cells.json") for n in names}

    def machines(self, schema: dict[str, Any]) -> dict[str, str]:
        """The cells.json of each kind of machine: this experiment's where none is named."""
        here = self.experiment.place("<results>/cells.json")
        machines = self.settings(schema)["machines"]
        return {name: each["cells"] or here for name, each in machines.items()}

    def settings_text(self, schema: dict[str, Any]) -> str:
        """The same as JSON, in the order of the configuration: `lengths` go by their places."""
        return json.dumps(self.settings(schema))

    def made(self) -> list[str]:
        """plan.json for the report: where the configuration has a `plan` and it was made."""
        path = self.experiment.place("<results>/plan/plan.json")
        return [path] if "plan" in self.experiment.config and Path(path).is_file() else []

    def check_machines(self, schema: dict[str, Any], source: str) -> None:
        """`UserError` for a kind of machine whose file of cells is not there."""
        made = {self.experiment.place("<results>/cells.json"), *self.own_cells().values()}
        for name, path in self.machines(schema).items():
            if path not in made and not Path(path).is_file():
                raise UserError(
                    f"{source}: plan.machines.{name}.cells: {path}: no such file; copy it from "
                    "that machine, where `snakemake export_cells` makes it"
                )

    def machine_options(self, schema: dict[str, Any]) -> str:
        """Each kind of machine as an option of make_plan.py."""
        machines = self.machines(schema).items()
        return " ".join(f"--cells {quoted(name)} {quoted(path)}" for name, path in machines)

    def _of_runs(self, paths: list[str]) -> list[str]:
        starts = tuple(self.experiment.place(f"<results>/{run}/") for run in self.runs())
        return [path for path in paths if path.startswith(starts)]


def quoted(text: str) -> str:
    """A text as a shell's word."""
    return options([("x", text)]).removeprefix("--x ")
