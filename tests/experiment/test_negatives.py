"""negatives.py: which runs are on questions that may have no answer, and their options."""

from pathlib import Path

import yaml

from bertsquad.artifacts.catalogue import load_catalogue
from bertsquad.experiment.config import resolve
from bertsquad.experiment.files import Experiment
from bertsquad.experiment.negatives import Negatives

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
checkpoint: synthetic
dataset: synthetic
runs: {plain: {}, negative: {dataset: village}}
decoding: {n_best_size: 5, null_score_diff_threshold: -1.5}
artifacts:
  datasets: {village: {train: demo-train.json, dev: demo-dev.json, version_2_with_negative: true}}
"""


def negatives() -> Negatives:
    """<results> is `my results`."""
    schema = ROOT / "config/schemas/config.schema.yaml"
    config = resolve(yaml.safe_load(CONFIG), schema, "my.yaml")
    catalogue = load_catalogue(ROOT / "config/artifacts.yaml", config["artifacts"])
    return Negatives(
        Experiment(config, catalogue, lambda path: path.replace("<results>", "my results"))
    )


def test_the_datasets_entry_says_which_runs():
    assert negatives().runs() == ["negative"]
    assert negatives().other_runs() == ["plain"]


def test_a_plain_run_is_told_nothing():
    plain = ("plain", "torch", "fp32")
    assert negatives().null_odds(*plain) == []
    assert negatives().na_prob_options(*plain) == ""
    assert negatives().scoring_option("plain") == ""
    assert negatives().training_option("synthetic", "train") == ""
    assert negatives().decoding_options() == "--n-best-size 5 --max-answer-length 30"


def test_decoding_and_scoring_are_told_one_file_and_one_threshold():
    model = ("negative", "torch", "fp32")
    path = "my results/negative/torch-fp32/null_odds.json"
    assert negatives().null_odds(*model) == [path]
    assert negatives().negative_decoding_options(*model) == (
        f"--n-best-size 5 --max-answer-length 30 --null-odds '{path}' "
        "--null-score-diff-threshold=-1.5"
    )
    assert negatives().na_prob_options(*model) == f"--na-prob-file '{path}' --na-prob-thresh=-1.5"
    assert negatives().scoring_option("negative") == "--version-2-with-negative"


def test_only_training_keeps_impossible_questions():
    assert negatives().training_option("village", "train") == "--version-2-with-negative"
    assert negatives().training_option("village", "dev") == ""
