"""Which runs are on questions that may have no answer (SQuAD 2.0), and what their steps are told.

`version_2_with_negative` of a dataset's entry decides, under the name of run_squad.py's flag.
"""

from dataclasses import dataclass

from bertsquad.experiment.files import Experiment, options
from bertsquad.experiment.machines import on_machine

_OPTION = "--version-2-with-negative"


@dataclass(frozen=True)
class Negatives:
    """The questions without an answer of an experiment."""

    experiment: Experiment

    def runs(self) -> list[str]:
        """The runs on such datasets."""
        return [run for run in self.experiment.config["runs"] if self._has_run(run)]

    def other_runs(self) -> list[str]:
        """The runs whose questions all have an answer."""
        return [run for run in self.experiment.config["runs"] if not self._has_run(run)]

    def training_option(self, dataset: str, split: str) -> str:
        """That the training features of such a dataset keep its unanswerable questions."""
        return _OPTION if split == "train" and self._has(dataset) else ""

    def scoring_option(self, run: str) -> str:
        """That such a run's answers are scored so."""
        return _OPTION if self._has_run(run) else ""

    def null_odds(self, run: str, engine: str, precision: str, machine: str = "") -> list[str]:
        """How unanswerable each question looks to a model: a file of such a run alone. `machine`:
        the kind that computes it, where that is not the one that computes for all."""
        if not self._has_run(run):
            return []
        path = self.experiment.place(f"<results>/{run}/{engine}-{precision}/null_odds.json")
        return [on_machine(path, machine) if machine else path]

    def decoding_options(self) -> str:
        """How logits become answers where every question has one, as options."""
        decoding = self.experiment.config["decoding"]
        return options((name, decoding[name]) for name in ("n_best_size", "max_answer_length"))

    def negative_decoding_options(
        self, run: str, engine: str, precision: str, machine: str = ""
    ) -> str:
        """How they become answers where a question may have none, as options."""
        paths = self.null_odds(run, engine, precision, machine)
        files = options(("null_odds", path) for path in paths)
        threshold = f"--null-score-diff-threshold={self._threshold()}"
        return f"{self.decoding_options()} {files} {threshold}"

    def na_prob_options(self, run: str, engine: str, precision: str, machine: str = "") -> str:
        """The same file and threshold as options of evaluate.py: what counts as unanswered is what
        was predicted so."""
        paths = self.null_odds(run, engine, precision, machine)
        if not paths:
            return ""
        return f"{options([('na_prob_file', paths[0])])} --na-prob-thresh={self._threshold()}"

    def _threshold(self) -> float:
        # Given after "=": argparse takes a negative number alone for an option.
        threshold: float = self.experiment.config["decoding"]["null_score_diff_threshold"]
        return threshold

    def _has_run(self, run: str) -> bool:
        return self._has(self.experiment.dataset_of(run))

    def _has(self, dataset: str) -> bool:
        return self.experiment.catalogue.dataset(dataset).version_2_with_negative
