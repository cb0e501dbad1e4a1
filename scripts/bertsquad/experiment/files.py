"""An experiment's files: which it needs, which it makes, and where they lie.

Pure: from a resolved configuration and the catalogue to paths and command-line options. Paths may
hold <pathvars>, which Snakemake spells out.
"""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from bertsquad.artifacts.catalogue import known
from bertsquad.benchmark.modes import MODES, Mode
from bertsquad.console.errors import UserError
from bertsquad.engines import REFERENCE, about
from bertsquad.experiment.inputs import Inputs
from bertsquad.experiment.options import options as options
from bertsquad.training.schedule import share

MODEL_FILES = ("model.safetensors", "config.json", "vocab.txt", "tokenizer_config.json")


def casing_option(suffix: str) -> str:
    """The casing in the name of a features file as an option."""
    return options([("casing", suffix.removeprefix("-") or None)])


def training_option(split: str) -> str:
    """Only the training split's features need the positions of answers."""
    return "--training" if split == "train" else ""


@dataclass(frozen=True)
class Experiment(Inputs):
    """A resolved configuration: the files that its steps read and make, and their options."""

    def check(self, source: str) -> None:
        """`UserError` for a checkpoint or dataset that is not in the catalogue, for a batch that
        its ranks cannot share, and for fewer threads than processes; `source` names the config."""
        for run in self.config["runs"]:
            place = f"{source}: runs.{run}"
            names = dict.fromkeys(self.catalogue.checkpoint_names)
            known(self.checkpoint_of(run), names, "checkpoint", place)
            known(self.dataset_of(run), self.catalogue.datasets, "dataset", place)
            self._check_training_questions(run, place)
            settings = self.config["runs"][run]
            try:
                share(settings["batch_size"], settings["ranks"])
            except UserError as error:
                raise UserError(f"{place}: {error}") from None
            threads, processes = settings["threads"], self.config["distributed"]["processes"]
            if isinstance(threads, int) and isinstance(processes, int) and threads < processes:
                raise UserError(
                    f"{place}.threads: {threads} cannot be shared by distributed.processes, which "
                    f"are {processes}; give {processes} or more, or all"
                )

    def _check_training_questions(self, run: str, place: str) -> None:
        """`UserError` where a run needs training questions and its dataset has none."""
        if self.catalogue.dataset(self.dataset_of(run)).train is not None:
            return
        epochs = self.config["runs"][run]["epochs"]
        if epochs > 0:
            raise UserError(
                f"{place}: epochs is {epochs:g}, and the dataset {self.dataset_of(run)} has no "
                "training questions; add train to it, or write epochs: 0 to take the checkpoint "
                "as it is"
            )
        for engine, precision in self.engine_precisions():
            if precision == "int8" and about(engine).INT8_CALIBRATED:
                raise UserError(
                    f"{place}: {engine} calibrates int8 on training questions, and the dataset "
                    f"{self.dataset_of(run)} has none; add train to it, or leave int8 out of "
                    f"engines.{engine}"
                )

    # What a run is made of

    def run_options(self, run: str, names: Iterable[str]) -> str:
        """These keys of a run as options."""
        return options((name, self.config["runs"][run][name]) for name in names)

    def training_threads(self, run: str, most: int) -> int:
        """How many threads a run's training asks for, `most` where it takes the whole machine."""
        threads = self.config["runs"][run]["threads"]
        return most if threads == "all" else threads

    def distribution(self) -> str:
        """On how many processes, and on which hosts, models are trained, as options."""
        settings = self.config["distributed"]
        hosts = settings["hosts"]
        together = hosts if isinstance(hosts, str) else ",".join(hosts) or None
        return options((name, together if name == "hosts" else settings[name]) for name in settings)

    def saving(self) -> str:
        """How often a training saves its state, as an option; none where nothing is asked."""
        return options(self.config.get("training", {}).items())

    def features_file(self, run: str, split: str) -> str:
        """A run's tokenised questions; runs with the same lengths share them."""
        settings = self.config["runs"][run]
        return self.place(
            f"<resources>/features/{self.dataset_of(run)}-{split}/{self.checkpoint_of(run)}"
            f"-length{settings['max_seq_length']}-stride{settings['doc_stride']}"
            f"-query{settings['max_query_length']}{self.casing_suffix(run, split)}.safetensors"
        )

    def training_features(self, run: str) -> list[str]:
        """What a run is trained on: nothing where its dataset has no training questions."""
        train = self.catalogue.dataset(self.dataset_of(run)).train
        return [self.features_file(run, "train")] if train else []

    def training_features_option(self, run: str) -> str:
        """What a run is trained on, as an option."""
        return options(("features", path) for path in self.training_features(run))

    def casing_suffix(self, run: str, split: str) -> str:
        """What a forced casing adds to the name of the dev features."""
        casing = self.config["runs"][run]["dev_casing"]
        return "" if split == "train" or casing == "vocabulary" else f"-{casing}"

    def questions_file(self, dataset: str, split: str) -> str:
        """The JSON of a dataset's `train` or `dev` split."""
        if self.catalogue.dataset(dataset).selection:
            return self.place(f"<resources>/selections/{dataset}/{split}.json")
        return self.whole_questions_file(dataset, split)

    def whole_questions_file(self, dataset: str, split: str) -> str:
        """The JSON that a split is selected from, or is."""
        return self.download(getattr(self.catalogue.dataset(dataset), split))

    def selection(self, dataset: str, split: str) -> str:
        """What is selected of a dataset, as options."""
        selection = self.catalogue.dataset(dataset).selection
        return options(selection.options(split) if selection else ())

    def dev_questions(self, run: str) -> str:
        """The JSON that a run is scored on."""
        return self.questions_file(self.dataset_of(run), "dev")

    def official_evaluator(self, run: str) -> list[str]:
        """The official scoring script, where the run's dataset names one."""
        return self.evaluator_of(self.dataset_of(run))

    def evaluator_of(self, dataset: str) -> list[str]:
        """The official scoring script of a dataset, where it names one."""
        evaluator = self.catalogue.dataset(dataset).evaluator
        return [self.download(evaluator)] if evaluator else []

    def official_option(self, run: str) -> str:
        """The official scoring script as an option, where there is one."""
        return options(("official-script", path) for path in self.official_evaluator(run))

    def checkpoint_folder(self, run: str) -> str:
        """The converted checkpoint that a run starts from."""
        return self.place(f"<resources>/checkpoints/{self.checkpoint_of(run)}")

    def checkpoint_folder_files(self, run: str) -> list[str]:
        """The files of the checkpoint that a run starts from."""
        return [f"{self.checkpoint_folder(run)}/{name}" for name in MODEL_FILES]

    # What is quantized

    def calibration_features(self, run: str, engine: str) -> list[str]:
        """The training features that an engine's INT8 model is calibrated on, if it is."""
        return [self.features_file(run, "train")] if about(engine).INT8_CALIBRATED else []

    def calibration_option(self, run: str, engine: str) -> str:
        """The training features for calibration as an option."""
        return options(("features", path) for path in self.calibration_features(run, engine))

    def quantized(self, run: str, engine: str, precision: str) -> list[str]:
        """The folder of the INT8 model that this precision takes, if it takes one."""
        folder = self.place(f"<results>/{run}/{engine}-int8/quantized")
        return [folder] if precision == "int8" else []

    def quantized_option(self, run: str, engine: str, precision: str) -> str:
        """The folder of the INT8 model as an option."""
        return options(("quantized", path) for path in self.quantized(run, engine, precision))

    # What is measured

    def engine_precisions(self) -> list[tuple[str, str]]:
        """Every configured (engine, precision)."""
        engines = self.config["engines"].items()
        return [(engine, precision) for engine, precisions in engines for precision in precisions]

    def metrics_files(self) -> list[str]:
        """The scores of every run, engine and precision."""
        return [
            self.place(f"<results>/{run}/{engine}-{precision}/metrics.json")
            for run in self.config["runs"]
            for engine, precision in self.engine_precisions()
        ]

    def answers_files(self) -> list[str]:
        """The answers and n-best answers of every run, engine and precision."""
        return [
            path.replace("metrics.json", name)
            for path in self.metrics_files()
            for name in ("predictions.json", "nbest_predictions.json")
        ]

    def explored(self) -> str:
        """Each dataset with everybody's answers to it, as options of report.py."""
        of: dict[str, list[str]] = {}
        for run in self.config["runs"]:
            for engine, precision in self.engine_precisions():
                path = self.place(f"<results>/{run}/{engine}-{precision}/predictions.json")
                of.setdefault(self.dev_questions(run), []).append(path)
        return " ".join(f"--explore {shlex.join([asked, *paths])}" for asked, paths in of.items())

    def reference(self) -> tuple[str, str] | None:
        """The (engine, precision) that all others are compared with: FP32, of PyTorch where it is
        configured, else of the first engine that has it. None: nothing is compared."""
        exact = [each for each in self.engine_precisions() if each[1] == "fp32"]
        return next((each for each in exact if each[0] == REFERENCE), exact[0] if exact else None)

    def of_reference(self, run: str, name: str) -> list[str]:
        """A run's file of this name from its reference, where there is one."""
        reference = self.reference()
        return [self.place(f"<results>/{run}/{'-'.join(reference)}/{name}")] if reference else []

    def comparison_files(self) -> list[str]:
        """What each engine and precision of every run changes beside the reference."""
        reference = self.reference()
        return [
            self.place(f"<results>/{run}/{engine}-{precision}/comparison.json")
            for run in self.config["runs"]
            for engine, precision in self.engine_precisions()
            if reference and (engine, precision) != reference
        ]

    def cell_files(self) -> list[str]:
        """Every measured cell of the inference benchmark."""
        return [
            self.place(
                f"<results>/{run}/{engine}-{precision}/benchmark/{machine}{scenario}"
                f"/batch{batch}-threads{threads}-repeat{repeat}.json"
            )
            for machine in self.machine_folders()
            for run, engine, precision, scenario, batch, threads in self.cells()
            for repeat in range(1, self.config["benchmark"]["repeats"] + 1)
        ]

    def machine_folders(self) -> list[str]:
        """The folder of each kind of machine in a benchmark's; none of its own where there is one
        kind."""
        return [f"{name}/" for name in self.config.get("machines") or {}] or [""]

    def cells(self) -> list[tuple[str, ...]]:
        """The six names in the path of every cell, of one repeat."""
        return [
            (run, engine, precision, scenario, str(batch), str(threads))
            for run in self.config["runs"]
            if self.config["runs"][run]["benchmark"]
            for engine, precision in self.engine_precisions()
            for scenario in self.config["benchmark"]["scenarios"]
            for batch in self.batch_sizes(scenario)
            for threads in self.config["benchmark"]["threads"]
        ]

    def batch_sizes(self, scenario: str) -> list[int | str]:
        """The batch sizes of a scenario: `auto` where the engine cuts the batches itself, none
        where a layout serves requests (served.py)."""
        if self.mode(scenario).served:
            return []
        if self.mode(scenario).whole_set:
            return ["auto"]
        benchmark = self.config["benchmark"]
        chosen: list[int | str] = benchmark["scenarios"][scenario].get(
            "batch_sizes", benchmark["batch_sizes"]
        )
        return chosen

    def mode(self, scenario: str) -> Mode:
        """The mode in which a scenario is measured."""
        return MODES[self.config["benchmark"]["scenarios"][scenario]["mode"]]

    def goal(self, scenario: str) -> str:
        """What an engine is loaded for in a scenario: a cell depends on it."""
        return self.mode(scenario).goal

    def scenario_options(self, scenario: str) -> str:
        """How a scenario is measured, as options: mode, padding, and how much is run."""
        benchmark = self.config["benchmark"]
        chosen = benchmark["scenarios"][scenario]
        whole_set = self.mode(scenario).whole_set
        iterations = chosen["passes"] if whole_set else benchmark["iterations"]
        seconds = benchmark["seconds"]
        return options(
            [
                ("mode", chosen["mode"]),
                ("padding", chosen["padding"]),
                ("count", chosen["count"] if whole_set else None),
                ("warmup", benchmark["warmup"]),
                ("iterations", iterations if seconds is None else None),
                ("seconds", seconds),
                ("min_seconds", benchmark["min_seconds"]),
                ("emulated", benchmark["emulated"]),
            ]
        )

    def benchmark_texts(self, run: str, scenario: str) -> list[str]:
        """The questions as texts, where a scenario starts from them."""
        return [self.dev_questions(run)] if self.mode(scenario).from_texts else []

    def texts_option(self, run: str, scenario: str) -> str:
        """The file of `benchmark_texts`, if any, as an option."""
        return options(("dataset", path) for path in self.benchmark_texts(run, scenario))

    def dev_features_files(self) -> list[str]:
        """The tokenised dev questions of all runs, each file once."""
        return sorted({self.features_file(run, "dev") for run in self.config["runs"]})
