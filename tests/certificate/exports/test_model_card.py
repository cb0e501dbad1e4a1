"""A model's README: what it claims, what it does not, and that the Hub's own reader takes it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import fake_cells
import fake_results
from bertsquad.certificate.exports.facts import Facts
from bertsquad.certificate.exports.model_card import PADDING, export
from fake_certificate import CHAIN, WEIGHTS, demo_facts, facts_of, model

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def facts(tmp_path) -> Facts:
    return demo_facts(tmp_path)


def card(facts: Facts, run: str = "demo-fp32") -> str:
    return export(facts)[f"{run}/README.md"]


def head(text: str) -> dict:
    return yaml.safe_load(text.split("---\n")[1])


def with_model(facts: Facts, **changes) -> Facts:
    return replace(facts, models={"demo-fp32": model("demo-fp32", **changes)})


def squad(tmp_path) -> Facts:
    """All of SQuAD's development questions were scored."""
    results = fake_results.Results(tmp_path)
    fake_results.add_log(results, "demo-fp32", 30)
    fake_results.add_metrics(results, "demo-fp32", "torch-fp32", 80.5, 88.25)
    path = results.metrics[0]
    path.write_text(path.read_text().replace('"questions": 500', '"questions": 10570'))
    return facts_of(results)


def test_there_is_a_card_for_each_run(facts):
    assert sorted(export(facts)) == [
        "demo-bf16/README.md",
        "demo-fp32/README.md",
        "untrained/README.md",
    ]


def test_the_model_index_is_squads_where_all_of_squad_was_scored(tmp_path):
    found = head(card(squad(tmp_path)))
    (entry,) = found["model-index"]
    assert entry["name"] == "demo-fp32"
    (result,) = entry["results"]
    assert result["task"] == {"type": "question-answering", "name": "Question Answering"}
    assert result["dataset"] == {
        "type": "squad",
        "name": "SQuAD 1.1",
        "config": "plain_text",
        "split": "validation",
    }
    assert result["metrics"] == [
        {
            "type": "exact_match",
            "value": 80.5,
            "name": "Exact Match (95 % interval 77.50 to 83.50)",
        },
        {"type": "f1", "value": 88.25, "name": "F1 (95 % interval 85.25 to 91.25)"},
    ]
    assert found["datasets"] == ["squad"]
    assert found["language"] == "en"
    assert found["license"] == "apache-2.0"


def test_the_hubs_reader_takes_it(tmp_path):
    hub = pytest.importorskip("huggingface_hub")
    read = hub.ModelCard(card(squad(tmp_path)))
    assert read.data.model_name == "demo-fp32"
    scores = {each.metric_type: each.metric_value for each in read.data.eval_results}
    assert scores == {"exact_match": 80.5, "f1": 88.25}
    assert {each.dataset_type for each in read.data.eval_results} == {"squad"}
    assert read.data.to_dict()["pipeline_tag"] == "question-answering"


@pytest.mark.parametrize("part", ["selected", "fewer", "other"])
def test_a_part_of_squad_or_another_dataset_is_not_called_squad(facts, tmp_path, part):
    if part == "selected":
        found = head(card(with_model(squad(tmp_path / "squad"), selected=True)))
    elif part == "fewer":
        found = head(card(facts))
    else:
        found = head(card(with_model(facts, dev="checkpoint.zip", train=None)))
    dataset = found["model-index"][0]["results"][0]["dataset"]
    assert dataset["type"] == "bertsquad-squad-1.1"
    assert ("not on the Hub" if part == "other" else "a part of SQuAD 1.1") in dataset["name"]
    assert ("language" in found) == (part != "other")


@pytest.mark.parametrize(
    ("license", "expected"),
    [
        ("Apache-2.0", {"license": "apache-2.0"}),
        ("MIT", {"license": "mit"}),
        ("Our own terms", {"license": "other", "license_name": "our-own-terms"}),
        ("not given", {"license": "unknown"}),
        (None, {"license": "unknown"}),
    ],
)
def test_a_licence_is_told_as_it_was_given(facts, license, expected):
    inputs = facts.certificate["inputs"]
    inputs["checkpoint.zip"]["license"] = license
    found = head(card(facts))
    assert {name: found[name] for name in found if name.startswith("license")} == expected
    unknown = "The licence of checkpoint.zip: nobody gave it."
    assert (unknown in card(facts)) == (expected == {"license": "unknown"})


def test_two_licences_of_a_checkpoint_are_no_licence(facts):
    found = head(card(with_model(facts, started_from=("checkpoint.zip", "dev-v1.1.json"))))
    assert found["license"] == "unknown"


def test_a_checkpoint_of_the_hub_is_named_as_base_model(facts):
    url = "https://huggingface.co/somebody/small-bert/resolve/main/model.safetensors"
    facts.certificate["inputs"]["checkpoint.zip"]["url"] = url
    assert head(card(facts))["base_model"] == "somebody/small-bert"


def test_a_local_folder_is_not_shown(facts):
    text = card(facts)
    assert "base_model" not in head(text)
    assert "/home/somebody" not in text
    assert "a file of the authors'" in text


def test_training_is_told_with_its_hyperparameters(facts):
    text = card(facts)
    assert "300 steps on 7,200 examples (288,000 tokens)" in text
    assert "| `learning_rate` | 3e-05 |" in text
    assert "By torch 2.13.0+cpu, numpy 2.4.6, on Example Processor 9000." in text


def test_what_was_not_trained_is_not_called_fine_tuned(facts):
    text = card(facts, "untrained")
    assert "taken as it came, not trained" in text
    assert "fine-tuned" not in text
    assert "training questions" not in text


def test_the_demo_says_that_it_is_one(facts):
    assert "> **A demo.**" in card(facts)


def test_doubts_are_told_those_about_times_by_their_number(facts):
    text = card(facts)
    assert "- dirty-tree: scripts/x.py is not that of the commit" in text
    assert "5 doubts are about times, which this card does not hold." in text
    assert f"chain `{CHAIN}`" in text
    assert f"`sha256 {WEIGHTS}  model.safetensors`" in text


def test_what_is_not_known_is_named(tmp_path):
    project = {"commit": None, "dirty": [], "version": "0.1.0", "note": "no git here"}
    text = card(demo_facts(tmp_path, project=project, files={}))
    assert "bertsquad 0.1.0, commit not known (no git here)" in text
    assert "- The commit of the code." in text
    assert "- The checksum of the weights." in text
    assert "sha256" not in text


def test_a_model_without_scores_has_no_model_index(facts):
    found = replace(facts, models={"other": model("other")})
    found.certificate["config"]["runs"]["other"] = {}
    text = card(found, "other")
    assert "model-index" not in head(text)
    assert "It was not scored." in text


def test_a_failed_precision_is_a_limit(tmp_path):
    results = fake_results.engines(tmp_path)
    text = card(facts_of(results), "guide")
    assert "Do not use guide onnxruntime-int8: it loses too much of FP32's F1." in text


def test_equal_results_give_equal_cards_whatever_was_timed(tmp_path):
    first, second = fake_results.demo(tmp_path / "a"), fake_results.demo(tmp_path / "b")
    fake_results.add_cell(second, "demo-fp32", fake_cells.cell("torch", "fp32", "x", 4, 3.0))
    assert export(facts_of(first)) == export(facts_of(second))


def test_padding_is_a_limit_of_what_was_trained_here_with_the_measured_numbers(facts):
    served = json.loads((ROOT / "docs/results/padding/padding.json").read_text())["served"]
    assert f"F1 ({served['f1_real_tokens']} to {served['f1_padded']})" in PADDING
    assert "0.20 of its F1" in PADDING
    assert round(served["f1_real_tokens"] - served["f1_padded"], 2) == 0.2
    assert f"one answer of {served['questions']}" in PADDING
    assert len(served["answers_that_differ"]) == 1
    assert f"- {PADDING}" in card(facts, "demo-fp32")
    assert PADDING not in card(facts, "untrained")
