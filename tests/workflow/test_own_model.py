"""An own model and own questions, from a configuration of a few lines to scores."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from file_server import running
from project import ROOT, Project
from tiny_bert import add_answer_head, write_model_folder

pytestmark = pytest.mark.slow

WORDS = "the ferry to port anselm leaves at seven from pier three . when does it leave ? which"
DEV = {
    "data": [
        {
            "paragraphs": [
                {
                    "context": "The ferry to Port Anselm leaves at seven from pier three.",
                    "qas": [
                        {"id": "q1", "question": "When?", "answers": [{"text": "seven"}]},
                        {"id": "q2", "question": "Which?", "answers": [{"text": "three"}]},
                    ],
                }
            ]
        }
    ]
}  # fmt: skip


@pytest.fixture
def own(fresh: Project) -> Project:
    """A checkout with a fine-tuned model (random, but with a head) and two questions."""
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(set(WORDS.split()))]
    add_answer_head(write_model_folder(fresh.folder / "mine", vocab=tokens, vocab_size=len(tokens)))
    (fresh.folder / "dev.json").write_text(json.dumps(DEV))
    return fresh


def configure(project: Project, checkpoint: dict) -> None:
    config = {
        "checkpoint": checkpoint,
        "dataset": {"dev": "dev.json"},
        "runs": {"a": {"epochs": 0, "max_seq_length": 40, "max_query_length": 16}},
        "engines": {"torch": ["fp32"]},
    }
    (project.folder / "my.yaml").write_text(yaml.safe_dump(config))


def predictions(project: Project) -> dict:
    return json.loads((project.folder / "results/a/torch-fp32/predictions.json").read_text())


def test_a_folder_is_scored_and_an_edit_of_it_is_seen(own: Project):
    configure(own, {"folder": "mine"})
    done = own.snakemake(
        "accuracy", "results/inputs.json", "--cores", "1", "--configfile", "my.yaml"
    )
    assert done.returncode == 0, done.stderr
    assert predictions(own).keys() == {"q1", "q2"}
    metrics = json.loads((own.folder / "results/a/torch-fp32/metrics.json").read_text())
    assert metrics["questions"] == 2
    inputs = json.loads((own.folder / "results/inputs.json").read_text())
    assert {"dev-dev.json", "mine/config.json", "mine/model.safetensors"} <= inputs.keys()
    assert own.planned("accuracy", "--configfile", "my.yaml") == {}
    vocab = own.folder / "mine/vocab.txt"
    vocab.write_text(vocab.read_text().replace("anselm", "anselmo"))
    planned = own.planned("accuracy", "--configfile", "my.yaml")
    assert planned["convert_checkpoint"] == planned["evaluate"] == 1


def test_a_model_of_a_hub_gives_what_its_folder_gives(own: Project, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    configure(own, {"folder": "mine"})
    assert own.snakemake("accuracy", "--cores", "1", "--configfile", "my.yaml").returncode == 0
    expected = predictions(own)
    shutil.rmtree(own.folder / "results")
    with running() as server:
        for path in (own.folder / "mine").iterdir():
            server.serve(f"/org/mine/resolve/main/{path.name}", path.read_bytes())
        weights = server.files["/org/mine/resolve/main/model.safetensors"]
        configure(own, {"hub": "org/mine", "address": server.url})
        plan = own.snakemake("-n", "--configfile", "my.yaml")
        assert "org-mine/model.safetensors (size unknown)" in plan.stderr
        assert weights.requests == []
        call = ("accuracy", "--cores", "1", "--configfile", "my.yaml")
        weights.drop_after = [70_000, *[5000] * 20]
        failed = own.snakemake(*call)
        assert failed.returncode == 1
        assert not (own.folder / "results/resources/hub/org-mine/fetched.json").exists()
        weights.drop_after, weights.bytes_sent = [], 0
        done = own.snakemake(*call)
        assert done.returncode == 0, done.stderr
        assert weights.bytes_sent < len(weights.content)
    assert predictions(own) == expected
    offline = own.snakemake(*call, "--forceall", "--config", "offline=True")
    assert offline.returncode == 0, offline.stderr
    assert predictions(own) == expected


def test_missing_files_are_told_before_any_job(own: Project):
    configure(own, {"folder": "nowhere"})
    done = own.snakemake("-n", "--configfile", "my.yaml")
    assert done.returncode == 2
    (line,) = [each for each in done.stderr.splitlines() if "error" in each]
    assert line.startswith("bertsquad: error: my.yaml: checkpoint.folder: nowhere: no such folder")


def test_a_folder_without_an_answer_head_is_told(own: Path):
    write_model_folder(own.folder / "headless")
    configure(own, {"folder": "headless"})
    done = own.snakemake("accuracy", "--cores", "1", "--configfile", "my.yaml")
    assert done.returncode == 1
    log = (own.folder / "results/logs/a/finetune.log").read_text()
    assert "the tensor qa_outputs.weight is missing" in log


def test_the_workflow_goes_on_from_what_score_wrote(own: Project):
    """The same answers, byte for byte, by the commands alone and by Snakemake."""
    call = [sys.executable, str(ROOT / "scripts/score.py"), "--threads", "1"]
    call += ["--model", "mine", "--dataset", "dev.json"]
    done = subprocess.run(call, cwd=own.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    config = "results/mine--dev/config.yaml"
    printed = shlex.split(done.stdout.splitlines()[-1].rpartition(": ")[2])
    assert printed[1:3] == ["--cores", "all"]
    assert printed[-2:] == ["--configfile", config]
    given = yaml.safe_load((own.folder / config).read_text())
    assert given["runs"]["mine--dev"] == {
        **{"max_seq_length": 40, "doc_stride": 128, "max_query_length": 17, "epochs": 0}
    }
    cell = own.folder / "results/mine--dev/torch-fp32"
    names = ("predictions.json", "nbest_predictions.json", "metrics.json")
    before = {name: (cell / name).read_bytes() for name in names}
    run = subprocess.run(
        [printed[0], "accuracy", "--forceall", *printed[1:]],
        **{"cwd": own.folder, "capture_output": True, "text": True, "check": False},
    )
    assert run.returncode == 0, run.stderr
    assert {name: (cell / name).read_bytes() for name in names} == before
