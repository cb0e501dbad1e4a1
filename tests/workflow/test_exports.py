"""`snakemake exports` and `snakemake verify_cells` on a finished run of a tiny model."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bertsquad.certificate.exports.table import EXPORTS
from project import ROOT, Project, copy_project
from tiny_bert import add_answer_head, write_model_folder

pytestmark = pytest.mark.slow

WORDS = "the ferry to port anselm leaves at seven from pier three . when does it leave ? which"
PASSAGE = "The ferry to Port Anselm leaves at seven from pier three."
QUESTIONS = [
    {"id": f"q{number}", "question": "When " * number, "answers": [{"text": "seven"}]}
    for number in range(1, 11)
]
DEV = {"data": [{"paragraphs": [{"context": PASSAGE, "qas": QUESTIONS}]}]}
CONFIG = {
    "checkpoint": {"folder": "mine", "license": "MIT"},
    "dataset": {"dev": "dev.json", "license": "CC-BY-4.0"},
    "runs": {"a": {"epochs": 0, "max_seq_length": 40, "max_query_length": 16}},
    "engines": {"torch": ["fp32"]},
    "benchmark": {
        "scenarios": {
            "one": {"padding": "none", "batch_sizes": [1]},
            "all": {"mode": "offline", "count": 10, "passes": 2},
            "busy": {"mode": "saturated", "layouts": ["1x1x1"], "seconds": 0.2},
        },
        "threads": [2],
        "seconds": 0.2,
        "quiet_seconds": 0,
    },
}
CALL = ("--cores", "all", "--configfile", "my.yaml")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A finished run of a folder's model, which nothing was trained for."""
    project = Project(copy_project(tmp_path_factory.mktemp("exports") / "bertsquad"))
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(set(WORDS.split()))]
    folder = write_model_folder(project.folder / "mine", vocab=tokens, vocab_size=len(tokens))
    add_answer_head(folder)
    (project.folder / "dev.json").write_text(json.dumps(DEV))
    (project.folder / "my.yaml").write_text(yaml.safe_dump(CONFIG))
    done = project.snakemake("exports", "export_cells", *CALL)
    assert done.returncode == 0, done.stdout + done.stderr
    return project


def exports(project: Project) -> Path:
    return project.folder / "results/exports"


def test_every_export_is_made(project):
    assert sorted(path.name for path in exports(project).iterdir()) == sorted(EXPORTS)
    names = {
        path.relative_to(exports(project)).as_posix() for path in exports(project).rglob("*.*")
    }
    assert {
        "model_card/a/README.md",
        "mlperf/system_desc.json",
        "mlperf/a/torch-fp32/all/batchauto-threads2-repeat1/mlperf_log_summary.txt",
        "mlperf/a/torch-fp32/one/batch1-threads2-repeat1/mlperf_log_summary.txt",
        "github_action_benchmark/bigger_is_better.json",
        "markdown/tables.md",
    } <= names


def test_a_crate_is_verified_with_its_scores_and_is_the_same_twice(project):
    first = crate_of(project)
    content = first.read_bytes()
    assert crate_of(project).read_bytes() == content
    verify = [sys.executable, ROOT / "scripts/verify_crate.py", first, "--scores"]
    done = subprocess.run(verify, capture_output=True, text=True)
    first.unlink()
    assert done.returncode == 0, done.stderr
    assert "scores: 1 computed again and equal, 1 as in metrics.json" in done.stdout


def crate_of(project: Project) -> Path:
    done = project.snakemake("crate", *CALL)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = (project.folder / "results").glob("bertsquad-nocommit-*.zip")
    return path


def test_a_card_has_the_facts_of_the_certificate(project):
    card = (exports(project) / "model_card/a/README.md").read_text()
    certificate = json.loads((project.folder / "results/certificate.json").read_text())
    weights = certificate["files"]["a/model/model.safetensors"]["sha256"]
    assert f"`sha256 {weights}  model.safetensors`" in card
    assert f"chain `{certificate['chain_sha256']}`" in card
    head = yaml.safe_load(card.split("---\n")[1])
    assert head["license"] == "mit"
    assert head["model-index"][0]["results"][0]["dataset"]["type"] == "bertsquad-dev"
    assert "| dev-dev.json | development questions | CC-BY-4.0 | a file of the authors' |" in card
    assert "It was not trained here: its weights are the checkpoint's." in card


def test_nothing_is_made_again_and_an_edit_makes_that_export_alone(project):
    assert project.planned("exports", "--configfile", "my.yaml") == {}
    source = project.folder / "scripts/bertsquad/certificate/exports/markdown.py"
    text = source.read_text()
    source.write_text(text + "# edited\n")
    try:
        planned = project.planned("exports", "--configfile", "my.yaml")
    finally:
        source.write_text(text)
    assert planned == {"export_results": 1, "exports": 1}


def test_what_is_certified_is_the_same_with_exports_and_without(project):
    before = json.loads((project.folder / "results/certificate.json").read_text())
    target = "results/certificate.json"
    done = project.snakemake(target, *CALL, "--forcerun", "make_certificate")
    assert done.returncode == 0, done.stdout + done.stderr
    after = json.loads((project.folder / target).read_text())
    assert after["chain_sha256"] == before["chain_sha256"]
    assert after["files"].keys() == before["files"].keys()


def test_cells_are_measured_again_by_the_mode_they_were_measured_in(project):
    (project.folder / "their.json").write_bytes(
        (project.folder / "results/cells.json").read_bytes()
    )
    done = project.snakemake("verify_cells", *CALL, "--config", "verify=their.json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((project.folder / "results/verified_cells.json").read_text())
    assert {row["cell"] for row in found["cells"]} == {"a torch fp32 1x1x1", "a torch fp32 1x1x2"}
    assert all(len(row["here_ms"]) == 3 for row in found["cells"])
    assert found["there"]["fingerprint"] == found["here"]["fingerprint"]
    assert f"in all: {found['verdict']}" in done.stdout
    modes = (project.folder / "results/logs/verify_cells.log").read_text()
    assert "saturated" in modes


def test_layouts_are_raced_and_the_plan_takes_what_won(project):
    settings = {"minutes": 4, "seconds": 0.2, "layouts": ["1x1x1", "1x1x2"]}
    # However slow the machine of the test is, a tiny model answers within ten seconds.
    asked = 'plan={"slo": {"ms": 10000}}'
    given = ("--config", f"explore={json.dumps(settings)}", asked)
    done = project.snakemake("explore", "export_cells", *CALL, *given)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((project.folder / "results/explore/a.json").read_text())
    assert {row["cell"] for row in found["raced"]} == {"torch fp32 1x1x1", "torch fp32 1x1x2"}
    assert all(row["score"]["value"] > 0 and row["rounds"] for row in found["raced"])
    kept = [row["cell"] for row in found["raced"] if not row["why"]]
    assert f"kept for the plan: {', '.join(kept)}" in done.stdout
    assert found["history"][0]["raced"] == ["torch fp32 1x1x1", "torch fp32 1x1x2"]
    confirmed = found["confirmed"]  # there is time for one server of a tiny model
    assert (confirmed["cell"], confirmed["measured_ms"] > 0) == (kept[0], True)
    assert confirmed["requests"] >= 368
    # The report shows it from now on.
    assert "results/explore/a.json" in project.snakemake("-n", "-p", "--force", "report").stdout
    cells = json.loads((project.folder / "results/cells.json").read_text())["cells"]
    assert all(cell in cells for cell in found["cells"])
    short = f"explore={json.dumps(settings | {'minutes': 0.01})}"
    refused = project.snakemake("explore", *CALL, "--config", short, asked)
    assert refused.returncode != 0
    log = (project.folder / "results/logs/explore/a.log").read_text()
    assert log.startswith("explore.py: error: explore.minutes: 1 s, but to measure each of 2 cells")
