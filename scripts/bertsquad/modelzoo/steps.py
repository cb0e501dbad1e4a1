"""The Model Zoo's part of an experiment: its steps, the files that they need and make.

Pure functions of the configuration and the catalogue, like bertsquad.experiment.files. Paths may
hold <pathvars>, which Snakemake expands.
"""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsquad.artifacts.catalogue import NO_BRACES, Catalogue, Checkpoint, known
from bertsquad.console.errors import UserError
from bertsquad.console.suggestions import did_you_mean
from bertsquad.experiment.files import MODEL_FILES, Experiment, options
from bertsquad.modelzoo.checks.table import Finding, refuse_errors
from bertsquad.modelzoo.command_line import LAUNCHER
from bertsquad.modelzoo.options import normalised
from bertsquad.modelzoo.settings import CallFiles, command, examine_step, step_of, words

IN_IMAGE = "image:"  # begins a source that is a folder in the image
TRAINED = "model.ckpt"  # new name of a training's last checkpoint, a prefix
SHARD = ".data-00000-of-00001"
# Keys of a step's entry that decide its command line.
SETTINGS = ("mode", "precision", "numactl", "options", "arguments", "environment")


@dataclass(frozen=True)
class ModelZoo:
    """The steps of an experiment's configuration."""

    experiment: Experiment

    @property
    def catalogue(self) -> Catalogue:
        return self.experiment.catalogue

    def place(self, path: str) -> str:
        """A path with its <pathvars> expanded."""
        return self.experiment.place(path)

    @property
    def section(self) -> dict[str, Any]:
        """The configuration's `modelzoo`; empty without one."""
        return self.experiment.config.get("modelzoo") or {}

    @property
    def steps(self) -> dict[str, dict[str, Any]]:
        """The steps by name; empty without `modelzoo` in the configuration."""
        steps: dict[str, dict[str, Any]] = self.section.get("steps", {})
        return steps

    def names(self, *modes: str) -> list[str]:
        """Names of the steps of these modes."""
        return [name for name, step in self.steps.items() if step["mode"] in modes]

    def check_names(self, source: str) -> None:
        """Raise `UserError` for an unknown name; `source` names the configuration."""
        for name, step in self.steps.items():
            place = f"{source}: modelzoo.steps.{name}"
            checkpoint, dataset = self.checkpoint_name(name), self.dataset_name(name)
            known(checkpoint, dict.fromkeys(self.catalogue.checkpoint_names), "checkpoint", place)
            known(dataset, self.catalogue.datasets, "dataset", place)
            if step["mode"] == "training" and self.catalogue.dataset(dataset).train is None:
                raise UserError(
                    f"{place}: dataset {dataset!r} has no training questions; add train"
                )
            trained = step.get("weights_from")
            if trained is not None and trained not in self.names("training"):
                hint = did_you_mean(trained, self.names("training"))
                raise UserError(f"{place}.weights_from: no training step {trained!r}; {hint}")
            if trained is not None and step["mode"] == "training":
                raise UserError(f"{place}.weights_from: only for the modes benchmark and accuracy")
            if checkpoint in self.catalogue.folders or not self.checkpoint(name).weights.members:
                raise UserError(
                    f"{place}: checkpoint {checkpoint!r} is not TensorFlow's; the "
                    "Model Zoo reads only such ones"
                )
        if {"{", "}"} & set(self.source) and not self.source.startswith(IN_IMAGE):
            raise UserError(f"{source}: modelzoo.source: found {self.source!r}, {NO_BRACES}")
        if self.steps and not self.source.startswith(IN_IMAGE) and self.source.endswith(".zip"):
            known(self.source, self.catalogue.artifacts, "artifact", f"{source}: modelzoo.source")
        if self.source.startswith(IN_IMAGE) and self.section.get("image") is None:
            raise UserError(f"{source}: modelzoo.source: {self.source} needs an `image`")

    def findings(self) -> list[tuple[str, Finding]]:
        """(step, finding) for all findings that the configuration alone shows."""
        return [
            (name, finding)
            for name, step in self.steps.items()
            for finding in examine_step(step_of(step))
        ]

    def refuse(self, found: list[tuple[str, Finding]], source: str) -> None:
        """Raise `UserError` for the first step with an error."""
        for step in self.steps:
            findings = [finding for name, finding in found if name == step]
            refuse_errors(findings, f"{source}: modelzoo.steps.{step}")

    # Parts of a step

    def checkpoint_name(self, step: str) -> str:
        """The catalogue's checkpoint of a step: its own, or that of its `weights_from`."""
        entry = self.steps[step]
        trained = self.steps.get(entry.get("weights_from") or "", {})
        own = entry.get("checkpoint") or trained.get("checkpoint")
        return str(own or self.experiment.config["checkpoint"])

    def checkpoint(self, step: str) -> Checkpoint:
        return self.catalogue.checkpoint(self.checkpoint_name(step))

    def dataset_name(self, step: str) -> str:
        return str(self.steps[step].get("dataset") or self.experiment.config["dataset"])

    def settings(self, step: str) -> str:
        """The settings that decide a step's command line, as JSON."""
        entry = {name: self.steps[step].get(name) for name in SETTINGS}
        entry["python"] = self.section["python"]
        return json.dumps({k: v for k, v in entry.items() if v is not None}, sort_keys=True)

    def described(self) -> str:
        """All steps as JSON, for modelzoo_command.py."""
        steps = {
            name: {
                "settings": self.settings(name),
                "launcher": self.launcher(),
                "files": self.paths(name),
            }
            for name in self.steps
        }
        return json.dumps(steps, sort_keys=False)

    def paths(self, step: str) -> dict[str, str]:
        """The paths of a step by the fields of `CallFiles`."""
        return {
            "output": self.place(f"<results>/modelzoo/{step}/output"),
            "vocab": self.member(step, "vocab"),
            "config": self.member(step, "config"),
            "weights": self.weights(step),
            "dev": self.questions(step, "dev"),
            "train": self.questions(step, "train"),
        }

    def container_options(self) -> str:
        """Options for the container; empty without an image."""
        if self.section.get("image") is None:
            return ""
        binding = "yes" if self.section["binding"] else "no"
        return options([("shm_size", self.section["shm_size"]), ("binding", binding)])

    def words(self, step: str) -> str:
        """The launcher's command line with the workflow's paths.

        This text is what the rules track: it decides the result, the code around it does not.
        """
        files = CallFiles(**{name: Path(path) for name, path in self.paths(step).items()})
        line = command(
            step_of(self.steps[step]),
            files,
            launcher=self.launcher(),
            python=self.section["python"],
        )
        return shlex.join(words(line))

    # Files that a step needs

    @property
    def source(self) -> str:
        """The origin of the launcher: an archive, a folder, or `image:` and a folder."""
        return str(self.section.get("source", ""))

    def launcher(self) -> str:
        """The path of launch_benchmark.py for the job of a step."""
        if self.source.startswith(IN_IMAGE):
            return f"{self.source.removeprefix(IN_IMAGE).rstrip('/')}/benchmarks/{LAUNCHER}"
        if self.source.endswith(".zip"):
            return self.place(f"<resources>/modelzoo/{self.source}/benchmarks/{LAUNCHER}")
        return f"{self.source.rstrip('/')}/benchmarks/{LAUNCHER}"

    def launcher_files(self) -> list[str]:
        """The launcher as an input file; empty if it is in the image."""
        return [] if self.source.startswith(IN_IMAGE) else [self.launcher()]

    def archives(self) -> list[str]:
        """The archive with the launcher, as a list; empty without one."""
        is_artifact = self.source.endswith(".zip") and not self.source.startswith(IN_IMAGE)
        return [self.source] if is_artifact else []

    def member(self, step: str, part: str) -> str:
        """The path of a step's vocabulary (`vocab`) or configuration (`config`)."""
        return self.experiment.source_files(getattr(self.checkpoint(step), part))[0]

    def weights(self, step: str) -> str:
        """The prefix of the TensorFlow checkpoint that a step starts from."""
        trained = self.steps[step].get("weights_from")
        if trained is not None:
            return self.place(f"<results>/modelzoo/{trained}/{TRAINED}")
        return self.experiment.checkpoint_weights(self.checkpoint_name(step))

    def weights_files(self, step: str) -> list[str]:
        """The files of the checkpoint that a step starts from."""
        if self.steps[step].get("weights_from") is not None:
            return [f"{self.weights(step)}{suffix}" for suffix in (".index", SHARD)]
        return self.experiment.source_files(self.checkpoint(step).weights)

    def questions(self, step: str, split: str) -> str:
        """The path of a step's `train` or `dev` questions."""
        return self.experiment.questions_file(self.dataset_name(step), split)

    def evaluator(self, step: str) -> list[str]:
        """The official scoring script, as a list; empty if the dataset has none."""
        return self.experiment.evaluator_of(self.dataset_name(step))

    def train_files(self, step: str) -> list[str]:
        """The questions that a training step reads, as a list; empty for other modes."""
        is_training = self.steps[step]["mode"] == "training"
        return [self.questions(step, "train")] if is_training else []

    def train_option(self, step: str) -> str:
        """The training questions as an option of run_modelzoo.py; empty for other modes."""
        return options(("train-questions", path) for path in self.train_files(step))

    def official_option(self, step: str) -> str:
        """The official scoring script as an option of evaluate.py; empty without one."""
        return options(("official-script", path) for path in self.evaluator(step))

    def artifacts(self) -> list[str]:
        """Names of all artifacts that the steps need, without repetition."""
        return list(dict.fromkeys(self._artifacts()))

    def _artifacts(self) -> Iterator[str]:
        if self.steps:
            yield from self.archives()
        for step, entry in self.steps.items():
            checkpoint = self.checkpoint(step)
            parts = [checkpoint.config, checkpoint.vocab]
            parts += [] if entry.get("weights_from") else [checkpoint.weights]
            yield from (part.artifact for part in parts)
            dataset = self.catalogue.dataset(self.dataset_name(step))
            yield dataset.dev
            if entry["mode"] == "training" and dataset.train:
                yield dataset.train
            if entry["mode"] != "benchmark" and dataset.evaluator:
                yield dataset.evaluator

    # Files that the steps make

    def result_files(self) -> list[str]:
        """Measurements and scores of all steps, the summary's inputs."""
        return [*self.measurements(), *self.metrics()]

    def measurements(self) -> list[str]:
        """The result.json of each step."""
        return [self.place(f"<results>/modelzoo/{step}/result.json") for step in self.steps]

    def metrics(self) -> list[str]:
        """The metrics.json of each step that writes predictions."""
        names = self.names("training", "accuracy")
        return [self.place(f"<results>/modelzoo/{step}/metrics.json") for step in names]

    def models(self) -> list[str]:
        """The model of each training step, in the form that `transformers` loads."""
        return [
            self.place(f"<results>/modelzoo/{step}/model/{MODEL_FILES[0]}")
            for step in self.names("training")
        ]

    def targets(self) -> list[str]:
        """All files that the steps make; `UserError` without `modelzoo` in the configuration."""
        if not self.steps:
            raise UserError(
                "the configuration has no `modelzoo`: use --configfile config/modelzoo.yaml, or "
                "add that section to your own"
            )
        return self.all_files()

    def all_files(self) -> list[str]:
        """All files that the steps make; empty without `modelzoo` in the configuration."""
        return [*self.result_files(), *self.models()]

    def gelu(self, step: str) -> str:
        """The GELU of a trained model: `erf` (tf.nn.gelu, exact) or `tanh` (BERT's own form)."""
        given = self.steps[step].get("arguments", {})
        values = {normalised(name): str(value).lower() for name, value in given.items()}
        return "erf" if values.get("experimental_gelu") == "true" else "tanh"
