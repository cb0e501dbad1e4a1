"""A small made-up run, with the records that its steps would have kept: for tests of what is
certified, compared and packed."""

import hashlib
import json
from pathlib import Path
from typing import Any

from bertsquad.certificate.record import (
    FORMAT,
    Places,
    Record,
    cpu_sha256,
    json_sha256,
    listing_sha256,
)

CPU, FLAGS = "AMD EPYC 9354", ["avx2", "avx512f", "avx512_bf16"]
MODEL = "demo/torch-fp32"
CELL = f"{MODEL}/benchmark/offline/batchauto-threadsall-repeat"
MODULES = {
    "download": ("download.py",),
    "finetune": ("finetune.py", "bertsquad/training/loop.py"),
    "compute_logits": ("compute_logits.py", "bertsquad/engines/torch/engine.py"),
    "predict": ("predict.py", "bertsquad/answers/decoding.py"),
    "evaluate": ("evaluate.py", "bertsquad/answers/metrics.py"),
    "benchmark_inference": ("benchmark_inference.py", "bertsquad/benchmark/timing.py"),
    "probe_machine": ("probe_machine.py",),
    "record_inputs": ("record_inputs.py",),
    "summarize": ("summarize.py",),
    "plot": ("plot.py",),
}
# Where a run is, below the working directory.
PLACES = Places("results", "results/resources", "scripts")
CONFIG: dict[str, Any] = {
    "artifacts": {},
    "checkpoint": "synthetic",
    "dataset": "synthetic",
    "distributed": {"hosts": [], "processes": "auto"},
    "drop_folder": "downloads",
    "offline": False,
    "runs": {"demo": {"epochs": 1.4, "seed": 0}},
    "engines": {"torch": ["fp32"]},
    "benchmark": {"repeats": 1},
}
MACHINE = {
    "cpu": {"model": CPU, "flags": FLAGS},
    "kernel": "Linux 6.1.0",
    "container": None,
    "versions": {"python": "3.11.7", "torch": "2.13.0+cpu", "numpy": "2.4.6", "libc": "glibc 2.36"},
}
METRICS = {
    "exact_match": 93.0,
    "f1": 94.5,
    "questions": 510,
    "exact_match_interval": [90.5, 95.5],
    "f1_interval": [92.5, 96.5],
    "confidence": 0.95,
}
RESOURCES = ("resources/downloads/train.json", "resources/downloads/dev.json")


def cell(repeat: int = 1, **changes: Any) -> dict[str, Any]:
    """A cell of mode offline that nothing disturbed."""
    return {
        "engine": "torch",
        "precision": "fp32",
        "scenario": "offline",
        "mode": "offline",
        "batch_size": None,
        "threads": 2,
        "threads_requested": "all",
        "repeat": repeat,
        "native": True,
        "features_per_second": 700.0 + repeat,
        "pass_samples_s": [0.7, 0.71, 0.72],
        "activity": {"other_cpus": 0.04},
        "validity": {"verdict": "valid", "reasons": []},
        "cpu": CPU,
        "host": "n1",
    } | changes


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class MadeRun:
    """A run in `folder`, made step by step as the workflow does: `results` and `scripts` in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.minute = 0
        for name in dict.fromkeys(name for names in MODULES.values() for name in names):
            self.write(f"scripts/{name}", f"# {name}\n")

    def write(self, path: str, content: str | bytes | dict) -> Path:
        """A file below the folder, as text, bytes or JSON."""
        whole = self.folder / path
        whole.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            whole.write_bytes(content)
        elif isinstance(content, str):
            whole.write_text(content, encoding="utf-8")
        else:
            text = json.dumps(content, indent=2, sort_keys=True)
            whole.write_text(text + "\n", encoding="utf-8")
        return whole

    def path(self, name: str) -> Path:
        """Where a file of the results is."""
        return self.folder / PLACES.path(name)

    def facts(self, name: str) -> dict[str, Any]:
        return {"sha256": sha256(self.path(name)), "bytes": self.path(name).stat().st_size}

    def record(
        self,
        rule: str,
        log: str,
        inputs: list[str],
        outputs: list[str],
        params: dict[str, str] | None = None,
        wildcards: dict[str, str] | None = None,
        **changes: Any,
    ) -> Record:
        """Record a step whose inputs and outputs are there, and write its log."""
        self.minute += 1
        code = {name: sha256(self.folder / "scripts" / name) for name in MODULES[rule]}
        wildcards, params = wildcards or {}, params or {}
        record: Record = {
            "format": FORMAT,
            "id": "/".join([rule, *wildcards.values()]),
            "rule": rule,
            "wildcards": wildcards,
            "code": code,
            "code_sha256": listing_sha256(code),
            "edited": {},
            "params": params,
            "params_sha256": json_sha256(params),
            "inputs": {name: self.facts(name) for name in inputs},
            "outputs": {name: self.facts(name) for name in outputs},
            "declared": outputs,
            "argv": [f"scripts/{rule}.py"],
            "host": "n1",
            "node": None,
            "job": None,
            "cpu": CPU,
            "cpu_flags": FLAGS,
            "cpu_sha256": cpu_sha256(CPU, FLAGS),
            "kernel": "Linux 6.1.0",
            "libc": "glibc 2.36",
            "python": "3.11.7",
            "packages": {"torch": "2.13.0+cpu", "numpy": "2.4.6"},
            "container": None,
            "environment": {},
            "started": f"2020-11-30T{self.minute // 60:02}:{self.minute % 60:02}:00.000+00:00",
            "ended": f"2020-11-30T{self.minute // 60:02}:{self.minute % 60:02}:30.000+00:00",
            **changes,  # type: ignore[typeddict-item]
        }
        self.write(f"results/logs/{log}.record.json", {**record})
        self.write(f"results/logs/{log}.log", f"{rule} took 30 s\n")
        return record

    def change_record(self, log: str, **changes: Any) -> None:
        """Put other values into a record."""
        path = self.folder / f"results/logs/{log}.record.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def made_run(folder: Path, repeats: int = 1) -> MadeRun:
    """The whole run: two downloads, a model, its answers, scores, cells, the summary, figures."""
    run = MadeRun(folder)
    for name in RESOURCES:
        run.write(f"results/{name}", {"data": name})
        file = name.rpartition("/")[2]
        run.record("download", f"download/{file}", [], [name], {}, {"artifact": file})
    _train(run)
    _answer(run)
    for repeat in range(1, repeats + 1):
        add_cell(run, cell(repeat))
    _tell(run, repeats)
    return run


def _train(run: MadeRun) -> None:
    weights, log = "demo/model/model.safetensors", "demo/training_log.jsonl"
    run.write(f"results/{weights}", bytes(range(256)))
    step = {"step": 1, "loss": 4.5, "elapsed_s": 0.25, "tokens_per_second": 3359.0}
    run.write(f"results/{log}", json.dumps(step) + "\n")
    options = {"options": "--epochs 1.4 --seed 0", "model": "demo/model"}
    of_run = {"run": "demo"}
    run.record("finetune", "demo/finetune", [RESOURCES[0]], [weights, log], options, of_run)


def _answer(run: MadeRun) -> None:
    wildcards = {"run": "demo", "engine": "torch", "precision": "fp32"}
    dev, weights = RESOURCES[1], "demo/model/model.safetensors"
    logits, answers, best = (
        f"{MODEL}/{name}"
        for name in ("logits.safetensors", "predictions.json", "nbest_predictions.json")
    )
    run.write(f"results/{logits}", b"\x00\x01logits")
    run.record(
        "compute_logits", "demo/compute_logits/torch-fp32", [weights], [logits], {}, wildcards
    )
    run.write(f"results/{answers}", {"q1": "Ada"})
    run.write(f"results/{best}", {"q1": [{"text": "Ada", "probability": 1.0}]})
    how = {"options": "--n-best-size 20"}
    inputs = [dev, logits]
    run.record("predict", "demo/predict/torch-fp32", inputs, [answers, best], how, wildcards)
    run.write(f"results/{MODEL}/metrics.json", METRICS)
    how = {"options": "--bootstrap-samples 1000 --seed 0"}
    scores = [f"{MODEL}/metrics.json"]
    run.record("evaluate", "demo/evaluate/torch-fp32", [dev, answers], scores, how, wildcards)


def add_cell(run: MadeRun, measured: dict[str, Any], scenario: str = "offline") -> str:
    """A measured cell and its record; its name."""
    name = f"{MODEL}/benchmark/{scenario}/batchauto-threadsall-repeat{measured['repeat']}.json"
    run.write(f"results/{name}", measured)
    wildcards = {"run": "demo", "engine": "torch", "precision": "fp32", "scenario": scenario}
    wildcards |= {"batch": "auto", "threads": "all", "repeat": str(measured["repeat"])}
    log = f"demo/benchmark_inference/torch-fp32/{scenario}/{name.rpartition('/')[2][:-5]}"
    how = {"options": "--passes 3"}
    weights = ["demo/model/model.safetensors"]
    run.record("benchmark_inference", log, weights, [name], how, wildcards)
    return name


def _tell(run: MadeRun, repeats: int) -> None:
    """What is written of the whole run."""
    run.write("results/machine.json", MACHINE)
    run.record("probe_machine", "probe_machine", [], ["machine.json"], {"config": "{}"})
    run.write("results/config.json", CONFIG)
    known = {"license": "CC BY-SA 4.0", "url": "https://example.org/", "citation": "Somebody."}
    inputs = {name.rpartition("/")[2]: run.facts(name) | known for name in RESOURCES}
    run.write("results/inputs.json", inputs)
    written = ["config.json", "inputs.json"]
    run.record("record_inputs", "record_inputs", [*RESOURCES], written, {"config": "{}"})
    cells = [f"{CELL}{repeat}.json" for repeat in range(1, repeats + 1)]
    run.write("results/summary.csv", "run,engine,f1,features_per_second\ndemo,torch,94.5,701.0\n")
    sources = [f"{MODEL}/metrics.json", *cells, "demo/training_log.jsonl", "config.json"]
    run.record("summarize", "summarize", sources, ["summary.csv"])
    for figure in ("accuracy", "latency"):
        name = f"figures/{figure}.svg"
        run.write(f"results/{name}", f"<svg><title>{figure}</title></svg>")
        run.record("plot", f"plot/{figure}", ["summary.csv"], [name], {}, {"figure": figure})
