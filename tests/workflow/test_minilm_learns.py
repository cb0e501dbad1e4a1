"""A real pretrained encoder learns from real questions: the commands, one after the other."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.real_data]

SCRIPTS = Path(__file__).resolve().parent.parent.parent / "scripts"
TRAIN_QUESTIONS, DEV_QUESTIONS = 2_400, 300
LONGEST_CONTEXT = 400  # characters: short passages train faster
LENGTHS = ("--max-seq-length", "320", "--doc-stride", "128", "--max-query-length", "64")


def run(script: str, *arguments: object) -> None:
    command = [sys.executable, str(SCRIPTS / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def some_questions(source: Path, target: Path, *, every: int, count: int) -> None:
    """Every so many short paragraphs of a SQuAD file, until there are `count` questions."""
    data = json.loads(source.read_text(encoding="utf-8"))["data"]
    paragraphs = [
        paragraph
        for article in data
        for paragraph in article["paragraphs"]
        if len(paragraph["context"]) < LONGEST_CONTEXT
    ]
    chosen, questions = [], 0
    for paragraph in paragraphs[::every]:
        if questions >= count:
            break
        chosen.append(paragraph)
        questions += len(paragraph["qas"])
    assert questions >= count
    dataset = {"version": "1.1", "data": [{"title": "slice", "paragraphs": chosen}]}
    target.write_text(json.dumps(dataset), encoding="utf-8")


def test_minilm_reaches_40_f1_on_unseen_real_questions(squad_dir, minilm_dir, tmp_path: Path):
    train, dev = tmp_path / "train.json", tmp_path / "dev.json"
    some_questions(squad_dir / "train-v1.1.json", train, every=2, count=TRAIN_QUESTIONS)
    some_questions(squad_dir / "dev-v1.1.json", dev, every=1, count=DEV_QUESTIONS)
    checkpoint, model = tmp_path / "checkpoint", tmp_path / "model"
    vocab = minilm_dir / "vocab.txt"
    threads = len(os.sched_getaffinity(0))

    weights = (
        "--weights",
        minilm_dir / "model.safetensors",
        "--config",
        minilm_dir / "config.json",
    )
    origin = ("--origin", "huggingface", "--vocab", vocab)
    run("convert_checkpoint.py", *weights, *origin, "--output", checkpoint)
    for dataset, features, more in ((train, "train", ["--training"]), (dev, "dev", [])):
        output = ("--output", tmp_path / f"{features}.safetensors")
        run("featurize.py", "--dataset", dataset, "--vocab", vocab, *output, *LENGTHS, *more)
    run(
        "finetune.py",
        *("--checkpoint", checkpoint, "--features", tmp_path / "train.safetensors"),
        *("--output", model, "--log", tmp_path / "log.jsonl", "--state", tmp_path / "state"),
        *("--precision", "fp32", "--epochs", 1, "--batch-size", 12, "--learning-rate", 1e-4),
        *("--hidden-dropout", 0, "--attention-dropout", 0, "--seed", 0, "--threads", threads),
    )
    features = ("--features", tmp_path / "dev.safetensors")
    logits = tmp_path / "logits.safetensors"
    engine = ("--engine", "torch", "--precision", "fp32", "--threads", threads)
    run("compute_logits.py", *engine, "--model", model, *features, "--output", logits)
    answers = ("--predictions", tmp_path / "p.json", "--nbest", tmp_path / "n.json")
    run("predict.py", "--dataset", dev, *features, "--logits", logits, "--vocab", vocab, *answers)
    metrics = tmp_path / "metrics.json"
    scored = ("--dataset", dev, "--predictions", tmp_path / "p.json", "--output", metrics)
    run("evaluate.py", *scored)

    scores = json.loads(metrics.read_text())
    assert scores["questions"] >= DEV_QUESTIONS
    assert scores["f1"] >= 40, scores
    print(f"MiniLM on {TRAIN_QUESTIONS} questions: {scores}")
