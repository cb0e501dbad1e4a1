"""The command `select_questions.py`, from outside."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/select_questions.py"


def run(*options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True)


def test_real_questions_are_selected_and_counted(squad_dir: Path, tmp_path: Path):
    output = tmp_path / "dev.json"
    done = run(
        *("--dataset", squad_dir / "dev-v1.1.json", "--output", output),
        *("--questions", 2000, "--longest-context", 900),
    )
    assert done.returncode == 0, done.stderr
    articles = json.loads(output.read_text(encoding="utf-8"))["data"]
    contexts = [p["context"] for article in articles for p in article["paragraphs"]]
    questions = sum(len(p["qas"]) for article in articles for p in article["paragraphs"])
    assert done.stdout == f"{output}: {questions:,} questions on {len(contexts):,} paragraphs\n"
    assert 2000 <= questions < 2030
    assert max(map(len, contexts)) <= 900
    assert len(articles) == 48  # of all articles some


def test_contexts_that_are_all_too_long_are_one_line_and_status_2(tmp_path: Path):
    dataset = tmp_path / "dev.json"
    answers = [{"text": "word", "answer_start": 0}]
    paragraph = {"context": "words", "qas": [{"id": "q", "question": "?", "answers": answers}]}
    data = {"version": "1.1", "data": [{"title": "", "paragraphs": [paragraph]}]}
    dataset.write_text(json.dumps(data))
    output = tmp_path / "out.json"
    done = run("--dataset", dataset, "--output", output, "--questions", 1, "--longest-context", 4)
    assert done.returncode == 2
    assert done.stderr == (
        f"select_questions.py: error: {dataset}: no context of at most 4 characters; "
        "allow longer ones\n"
    )
    assert not output.exists()
