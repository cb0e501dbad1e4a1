"""Every example of a configuration in README and docs is one that the workflow takes, and what a
quiet run says when a job fails."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from project import ROOT
from tiny_bert import write_model_folder

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "config/README.md"]
PAGES += sorted((ROOT / "docs").glob("*.md"))
KEYS = set(yaml.safe_load((ROOT / "config/schemas/config.schema.yaml").read_text())["properties"])
# Calls with a file of the reader's, an image, or a plugin for a cluster.
ELSEWHERE = ("my.yaml", "their/cells.json", "--workflow-profile", "--executor")
BASE = {"checkpoint": "synthetic", "dataset": "synthetic", "runs": {"a": {}}}


def blocks(text: str) -> list[str]:
    """The indented and fenced blocks of a page."""
    indented = re.findall(r"(?:(?<=\n\n))((?:(?:    .*)?\n)+?)(?=\n?\S|\Z)", text)
    return [re.sub(r"^    ", "", block, flags=re.M) for block in indented] + re.findall(
        r"^```(?:yaml)?\n(.*?)^```", text, re.M | re.S
    )


def yaml_examples() -> list:
    """(page, mapping) for the blocks that are parts of a configuration."""
    found = []
    for page in PAGES:
        for block in blocks(page.read_text(encoding="utf-8")):
            try:
                value = yaml.safe_load(block)
            except yaml.YAMLError:
                continue
            if isinstance(value, dict) and value.keys() <= KEYS:
                found.append(pytest.param(value, id=f"{page.name}: {next(iter(value))}"))
    return found


def write_own_files(folder: Path) -> None:
    """What examples of a model and questions of one's own name: models/mine, data/*.json."""
    write_model_folder(folder / "models/mine", max_position_embeddings=512)
    (folder / "data").mkdir()
    for name in ("dev.json", "train.json"):
        (folder / "data" / name).write_text("{}")


def snakemake_examples() -> list:
    """(page, options) for the calls of Snakemake that name a shipped config or none."""
    found = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")  # continued lines
        for line in text.splitlines():
            call = re.match(r"(?:    |.*&& )(?:\.venv/bin/)?snakemake (.*)", line)
            if call and not any(word in line for word in ELSEWHERE):
                found.setdefault(tuple(shlex.split(call[1], comments=True)), page.name)
    return [pytest.param(call, id=f"{page}: {' '.join(call)}") for call, page in found.items()]


def test_the_examples_are_found():
    ids = [example.id for example in yaml_examples()]
    assert "README.md: artifacts" in ids
    assert any(name.startswith("distributed.md: distributed") for name in ids)
    assert len(snakemake_examples()) >= 6


@pytest.mark.parametrize("example", yaml_examples())
def test_an_example_of_a_config_is_planned(fresh, example: dict):
    write_own_files(fresh.folder)
    (fresh.folder / "my.yaml").write_text(yaml.safe_dump(BASE | example))
    done = fresh.snakemake("-n", "--configfile", "my.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_own_dataset_of_the_readme_is_planned_in_a_run(fresh):
    text = (ROOT / "config/README.md").read_text(encoding="utf-8")
    example = next(block for block in blocks(text) if block.startswith("artifacts:"))
    config = BASE | yaml.safe_load(example) | {"dataset": "my-questions"}
    (fresh.folder / "my.yaml").write_text(yaml.safe_dump(config))
    done = fresh.snakemake("-n", "--configfile", "my.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "file:///data/my-dev.json" in done.stdout + done.stderr


@pytest.mark.parametrize("call", snakemake_examples())
def test_an_example_of_a_call_is_planned(fresh, call: tuple):
    done = fresh.snakemake("-n", *call)
    offline = "offline=True" in call and "guide" in str(call)
    assert done.returncode == (2 if offline else 0), done.stdout + done.stderr


def test_a_quiet_run_shows_what_a_failed_job_said(fresh):
    config = BASE | {"artifacts": {"artifacts": {"demo-dev.json": {"urls": ["file:///none.json"]}}}}
    (fresh.folder / "my.yaml").write_text(yaml.safe_dump(config))
    quiet = ("--quiet", "host", "reason", "rules")
    target = "results/resources/downloads/demo-dev.json"
    done = fresh.snakemake(target, "--cores", "1", *quiet, "--configfile", "my.yaml")
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if line.startswith("bertsquad: a step fai")]
    assert len(said) == 1
    assert "download.py: error: " in said[0]
    assert "no file at /none.json" in said[0]
    assert said[0].endswith("(results/logs/download/demo-dev.json.log)")


def test_the_module_of_the_readme_is_taken_from_a_clone(fresh, tmp_path):
    """The files as git gives them: a clone into the other workflow's folder."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (snakefile,) = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    other, author = tmp_path / "other", ("-c", "user.name=a", "-c", "user.email=a@b")
    for call in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "all"]):
        subprocess.run(["git", *call], cwd=fresh.folder, check=True)
    subprocess.run(["git", "clone", "-q", fresh.folder, other / "bertsquad"], check=True)
    (other / "Snakefile").write_text(snakefile)
    shutil.copy(ROOT / "config/minilm.yaml", other / "squad.yaml")
    done = fresh.snakemake("-n", "squad_all", cwd=other)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "squad-results/minilm-bf16/model/model.safetensors" in done.stdout + done.stderr
    assert " days on this machine" in done.stderr or " h on this machine" in done.stderr


def test_the_drawn_rules_are_those_of_the_workflow(fresh):
    drawn = (ROOT / "docs/images/rulegraph.svg").read_text(encoding="utf-8")
    asked = fresh.snakemake("--rulegraph")
    rules = set(re.findall(r'label = "(\w+)"', asked.stdout))
    assert rules >= {"all", "finetune", "report"}, asked.stderr
    assert set(re.findall(r"<text[^>]*>(\w+)</text>", drawn)) == rules  # else: make rulegraph


def test_a_run_says_how_long_it_will_take_and_how_good_that_was(fresh):
    call = ("results/machine.json", "--cores", "1", "--quiet", "host", "reason", "rules")
    planned = fresh.snakemake("-n", *call[:3])
    told = [line for line in planned.stderr.splitlines() if line.startswith("bertsquad: ")]
    assert told == ["bertsquad: 1 step to do, about 0.7 to 3 s on this machine"]
    done = fresh.snakemake(*call)
    assert done.returncode == 0, done.stderr
    assert told[0] in done.stderr
    last = [line for line in done.stderr.splitlines() if line.startswith("bertsquad: ")][-1]
    assert re.fullmatch(r"bertsquad: this took .* s, .* estimated \(0\.7 to 3 s\)", last)
    again = fresh.snakemake(*call)
    assert "estimated" not in again.stderr
    assert "to do, about" not in again.stderr


def test_each_rule_of_the_model_zoo_says_what_it_does(fresh):
    listed = fresh.snakemake("--list").stdout
    about = dict(re.findall(r"^(modelzoo_\w+) \((.*)\)$", listed, re.M))
    assert len(set(about.values())) == len(about) >= 4
    assert about["modelzoo_train"].startswith("Fine-tune")
    assert about["modelzoo_predict"].startswith("Answer")
