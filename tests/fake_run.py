"""A made-up finished run: results, resources, a certificate that fits, and a tiny repository."""

import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsquad.answers import metrics
from bertsquad.certificate.chain import chain_sha256
from bertsquad.certificate.crate.document import Agent
from bertsquad.certificate.crate.writing import Origin, make_crate
from bertsquad.certificate.manifest import class_of, exact_sha256, json_sha256, settings
from bertsquad.certificate.record import listing_sha256
from bertsquad.certificate.schema import write_certificate

DATASET = {
    "version": "1.1",
    "data": [
        {
            "title": "Rivers",
            "paragraphs": [
                {
                    "context": "The Nile is 6650 km long. The Rhine is 1233 km long.",
                    "qas": [
                        {
                            "id": name,
                            "question": question,
                            "answers": [{"text": answer, "answer_start": start}],
                        }
                        for name, question, answer, start in (
                            ("q1", "How long is the Nile?", "6650 km", 12),
                            ("q2", "How long is the Rhine?", "1233 km", 39),
                            ("q3", "What is 6650 km long?", "The Nile", 0),
                        )
                    ],
                }
            ],
        }
    ],
}
PREDICTIONS = {"q1": "6650 km", "q2": "1233", "q3": "Rhine"}
CONFIG = {"title": "A run", "runs": {"small": {"epochs": 1}}, "artifacts": {}, "seed": 7}
COMMANDS = ("download", "finetune", "predict", "evaluate", "report")
MODEL = "small/torch-fp32"
DEV = "resources/downloads/dev-v1.1.json"
FILES = {
    "small/model/model.safetensors": "weights" * 400,
    f"{MODEL}/predictions.json": json.dumps(PREDICTIONS),
    f"{MODEL}/metrics.json": "",  # computed
    "small/training_log.jsonl": '{"step": 1, "loss": 2.5, "elapsed_s": 3.1}\n',
    "config.json": json.dumps(CONFIG),
    "report.html": '<div data-folder="questions">Report</div>',
    "questions/index.js": 'bertsquadQuestions("index", {});',
    "logs/small/finetune.log": "step 1 of 1\n",
    DEV: json.dumps(DATASET),
}
# Rule and wildcards: inputs, outputs.
STEPS: dict[str, tuple[list[str], list[str]]] = {
    "download/dev-v1.1.json": ([], [DEV]),
    "finetune/small": ([DEV], ["small/model/model.safetensors", "small/training_log.jsonl"]),
    "predict/small/torch/fp32": (
        [DEV, "small/model/model.safetensors"],
        [f"{MODEL}/predictions.json"],
    ),
    "evaluate/small/torch/fp32": (
        [DEV, f"{MODEL}/predictions.json"],
        [f"{MODEL}/metrics.json"],
    ),
    "report": (
        ["config.json", f"{MODEL}/metrics.json"],
        ["report.html", "questions/index.js"],
    ),
}


@dataclass
class Run:
    """A finished run."""

    folder: Path

    @property
    def results(self) -> Path:
        return self.folder / "results"

    @property
    def repository(self) -> Path:
        return self.folder / "code"

    def certify(self, **changes: Any) -> dict[str, Any]:
        """Write certificate.json about the files as they are; `changes` replace keys of it."""
        found = certificate(self.results, self.repository) | changes
        write_certificate(self.results / "certificate.json", found)  # type: ignore[arg-type]
        return found

    def crate(self, folder: Path | None = None, **options: Any) -> Path:
        """Make the crate; its path."""
        origin = Origin(
            self.results, self.results / "resources", self.repository, self.folder / "lock.json"
        )
        settings_ = {"max_file": 10**6, "agent": Agent()} | options
        return make_crate(origin, folder or self.folder, **settings_).path


def make_run(folder: Path) -> Run:
    """Write everything below `folder`."""
    run = Run(folder)
    totals = metrics.score(DATASET, PREDICTIONS).totals()
    for name, text in FILES.items():
        path = run.results / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/metrics.json"):
            text = json.dumps({**totals, "questions": 3, "f1_interval": [20.0, 90.0]})
        path.write_text(text, encoding="utf-8")
    make_repository(run.repository)
    run.certify()
    return run


def make_repository(folder: Path) -> None:
    """A git repository with a Snakefile and the commands, committed in 2026."""
    (folder / "scripts/bertsquad").mkdir(parents=True)
    (folder / "envs").mkdir()
    (folder / "Snakefile").write_text("rule all:\n")
    (folder / "envs/constraints.txt").write_text("torch==2.13.0\nsnakemake==9.27.1\n")
    (folder / "scripts/bertsquad/common.py").write_text("LIMIT = 3\n")
    for command in COMMANDS:
        (folder / f"scripts/{command}.py").write_text(f'"""{command}."""\n')
    (folder / "scripts/finetune.py").chmod(0o755)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Begin")


def git(folder: Path, *arguments: str) -> None:
    """Run git as somebody, at a fixed time."""
    who = ("-c", "user.name=N", "-c", "user.email=n@example.org", "-c", "commit.gpgsign=false")
    when = {f"GIT_{role}_DATE": "2026-03-01T12:00:00Z" for role in ("AUTHOR", "COMMITTER")}
    subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, env={"PATH": "/usr/bin:/bin", **when}
    )


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def certificate(results: Path, repository: Path) -> dict[str, Any]:
    """The certificate of the files as they are."""
    files: dict[str, Any] = {}
    for name in FILES:
        path = results / name
        kind = class_of(name)
        files[name] = {"sha256": digest(path), "bytes": path.stat().st_size, "class": kind}
        part = exact_sha256(name, path) if kind != "exact" else None
        files[name] |= {"exact_sha256": part} if part else {}
    code, steps = {}, []
    for number, (id_, (inputs, outputs)) in enumerate(STEPS.items()):
        rule = id_.partition("/")[0]
        names = (f"{rule}.py", "bertsquad/common.py")
        modules = {name: digest(repository / "scripts" / name) for name in names}
        code[listing_sha256(modules)] = modules
        params = {"options": "--seed 7"} if rule == "finetune" else {}
        steps.append(
            {
                "id": id_,
                "rule": rule,
                "code_sha256": listing_sha256(modules),
                "params": params,
                "params_sha256": json_sha256(params),
                "inputs": {name: files[name]["sha256"] for name in inputs},
                "outputs": {name: files[name]["sha256"] for name in outputs},
                "started": f"2026-03-02T10:0{number}:00.250+00:00",
                "ended": f"2026-03-02T10:0{number}:30.500+00:00",
                "host": "n1",
                "machine": None,
                "record": True,
            }
        )
    scores = json.loads((results / MODEL / "metrics.json").read_text())
    config = settings(json.loads((results / "config.json").read_text()))
    dev = files[DEV]
    source = {
        "sha256": dev["sha256"],
        "bytes": dev["bytes"],
        "license": "CC-BY-SA-4.0",
        "url": "https://example.org/dev-v1.1.json",
        "citation": "Rajpurkar et al. 2016, SQuAD, https://aclanthology.org/D16-1264",
    }
    declared = {
        "sha256": files["config.json"]["sha256"],
        "bytes": files["config.json"]["bytes"],
        "license": None,
        "url": None,
    }
    made = {
        "format": "bertsquad-certificate/1",
        "project": {"commit": "a" * 40, "dirty": [], "version": "0.1.0"},
        "command": "snakemake --cores all",
        "config": config,
        "config_sha256": json_sha256(config),
        "environment": {
            "python": "3.11.7",
            "constraints_sha256": digest(repository / "envs/constraints.txt"),
            "packages": {"torch": "2.13.0"},
            "container": None,
            "kernel": None,
            "libc": None,
        },
        "machines": {},
        "inputs": {"dev-v1.1.json": source, "config.json": declared},
        "code": code,
        "steps": steps,
        "files": files,
        "scores": {
            MODEL: {
                "exact_match": scores["exact_match"],
                "f1": scores["f1"],
                "questions": 3,
                "interval": scores["f1_interval"],
            }
        },
        "speeds": {},
        "doubts": [],
    }
    chain = chain_sha256(made["steps"], made["files"], made["config_sha256"])  # type: ignore[arg-type]
    return made | {"chain_sha256": chain}
