"""A made-up file in SQuAD 2.0's format through the whole workflow, and one without answers."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import official_script_v2
from project import Project

# A passage, and questions with their answer; None: the passage has none.
PASSAGES: dict[str, list[tuple[str, str | None]]] = {
    "The mill by the river grinds rye on Mondays. Its owner, Tom Abel, keeps three grey cats.": [
        ("When does the mill grind rye?", "Mondays"),
        ("Who owns the mill?", "Tom Abel"),
        ("How many dogs does Tom Abel keep?", None),
        ("When does the mill grind wheat?", None),
    ],
    "Ida Brook painted the town hall green in spring. The work took nine days.": [
        ("Who painted the town hall?", "Ida Brook"),
        ("How long did the work take?", "nine days"),
        ("Who painted the school?", None),
    ],
}


def squad(kind: str) -> dict[str, Any]:
    """The passages as a file `negative` (2.0), `plain` (the answerable ones, 1.1) or `blind`."""
    paragraphs: list[dict[str, Any]] = []
    for context, questions in PASSAGES.items():
        entries: list[dict[str, Any]] = []
        for text, answer in questions:
            entry: dict[str, Any] = {"id": f"{len(paragraphs)}-{len(entries)}", "question": text}
            golds = [{"text": answer, "answer_start": context.index(answer)}] if answer else []
            if kind == "negative":
                entry |= {"answers": golds, "is_impossible": not golds}
                entry |= {} if golds else {"plausible_answers": [{"text": "x", "answer_start": 0}]}
            if kind == "plain":
                entry |= {"answers": golds}
            if golds or kind != "plain":
                entries.append(entry)
        paragraphs.append({"context": context, "qas": entries})
    version = "v2.0" if kind == "negative" else "1.1"
    return {"version": version, "data": [{"title": "Village", "paragraphs": paragraphs}]}


def config(folder: Path) -> dict[str, Any]:
    names = {kind: f"{kind}.json" for kind in ("negative", "plain", "blind")}
    for kind, name in names.items():
        (folder / name).write_text(json.dumps(squad(kind)), encoding="utf-8")
    return {
        "checkpoint": "synthetic",
        "dataset": "village",
        "engines": {"torch": ["fp32", "bf16"]},
        "decoding": {"null_score_diff_threshold": 1.25},
        "runs": {
            "a": {"epochs": 2, "batch_size": 4, "learning_rate": 1.0e-3, "benchmark": False},
            "b": {"epochs": 0, "dataset": "blind", "benchmark": False},
        },
        "artifacts": {
            "artifacts": {name: {"urls": [f"file://{folder}/{name}"]} for name in names.values()},
            "datasets": {
                "village": {
                    **{"train": "negative.json", "dev": "negative.json"},
                    "version_2_with_negative": True,
                },
                "blind": {"train": "plain.json", "dev": "blind.json"},
            },
        },
    }


@pytest.mark.slow
def test_a_run_on_questions_without_answers_to_its_report(fresh: Project, tmp_path: Path) -> None:
    (fresh.folder / "my.yaml").write_text(yaml.safe_dump(config(tmp_path)))
    done = fresh.snakemake("--cores", "2", "--configfile", "my.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    results = fresh.folder / "results"

    def read(name: str) -> Any:
        return json.loads((results / name).read_text(encoding="utf-8"))

    # The scores are the official ones of what was predicted, by the numbers that decided it.
    predictions, odds = read("a/torch-fp32/predictions.json"), read("a/torch-fp32/null_odds.json")
    assert {id_: answer == "" for id_, answer in predictions.items()} == {
        id_: value > 1.25 for id_, value in odds.items()
    }
    expected = official_script_v2.evaluate(squad("negative")["data"], predictions, odds, 1.25)
    found = read("a/torch-fp32/metrics.json")
    assert {name: found[name] for name in expected} == expected
    assert (found["HasAns_total"], found["NoAns_total"]) == (4, 3)
    log = (results / "logs/featurize/village-train").glob("*.log")
    assert "3 of the questions have no answer: they point at [CLS]" in next(log).read_text()

    # Without any answers: predicted, and not scored.
    assert len(read("b/torch-fp32/predictions.json")) == 7
    assert not (results / "b/torch-fp32/null_odds.json").exists()
    assert read("b/torch-fp32/metrics.json")["not_scored"]
    log_text = (results / "logs/b/evaluate/torch-fp32.log").read_text()
    assert log_text.endswith("not scored: not one of 7 questions has an answer\n")
    assert len(log_text.splitlines()) == 1

    page = (results / "report.html").read_text(encoding="utf-8")
    assert "Of the unanswerable questions" in page
    assert "Not scored: the questions of run b have no answers" in page
    assert fresh.planned("--configfile", "my.yaml") == {}


def test_a_kind_of_machine_has_null_odds_of_its_own(fresh: Project, tmp_path: Path) -> None:
    kinds = {"machines": {"half": {"accuracy": True}}}
    (fresh.folder / "my.yaml").write_text(yaml.safe_dump(config(tmp_path) | kinds))
    folder = "results/a/torch-fp32/machines/half"
    done = fresh.snakemake("-n", "-p", f"{folder}/metrics.json", "--configfile", "my.yaml")
    threshold = "--null-score-diff-threshold=1.25"
    assert f"--null-odds {folder}/null_odds.json {threshold}" in done.stdout
    assert f"--na-prob-file {folder}/null_odds.json --na-prob-thresh=1.25" in done.stdout
    planned = fresh.planned("accuracy", "--configfile", "my.yaml")
    assert planned["predict_with_negative_on_machine"] == planned["predict_on_machine"] == 2


def test_without_the_key_training_on_them_is_refused_in_one_line(
    fresh: Project, tmp_path: Path
) -> None:
    changed = config(tmp_path)
    del changed["artifacts"]["datasets"]["village"]["version_2_with_negative"]
    (fresh.folder / "my.yaml").write_text(yaml.safe_dump(changed))
    features = "results/resources/features/village-train/synthetic-length384-stride128-query64"
    target = f"{features}.safetensors"
    done = fresh.snakemake(target, "--cores", "2", "--configfile", "my.yaml")
    assert done.returncode == 1
    told = [each for each in done.stderr.splitlines() if each.startswith("bertsquad: ")]
    (line,) = [each for each in told if "village-train" in each or "error" in each]
    assert "has no answer (is_impossible), as in SQuAD 2.0; to train on such questions set" in line
    assert not (fresh.folder / target).exists()
