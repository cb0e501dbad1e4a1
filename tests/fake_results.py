"""Made-up results, laid out like a finished workflow's, for the tests of tables and figures."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fake_cells import cell, refused_cell, whole_set_cell

MACHINE = {
    "cpu": {
        "model": "Example Processor 9000",
        "vendor": "ExampleVendor",
        "sockets": 1,
        "cores": 2,
        "threads_per_core": 1,
        "logical": 2,
        "numa_nodes": 1,
        "flags": ["avx2", "avx512f", "avx512_bf16", "avx512_vnni"],
        "caches": {"L1d": "32 KiB", "L2": "1 MiB", "L3": "32 MiB"},
    },
    "memory_mib": 24576,
    "allowed_cpus": [0, 1],
    "cgroup": {"cpu_quota": 2.0, "memory_limit_mib": 24576},
    "kernel": "6.1.0",
    "governor": {"unavailable": "no cpufreq in this virtual machine"},
    "transparent_huge_pages": "madvise",
    "versions": {"python": "3.11.7", "torch": "2.13.0+cpu", "numpy": "2.4.6"},
    "native_precisions": ["fp32", "bf16", "int8"],
    "fp32_products": "blas",
    "fp32_weight_gradients": "blas",
    "warnings": ["The processor is shared: load average 3.1 on 2 processors."],
}


@dataclass
class Results:
    """The paths of a made-up results folder."""

    root: Path
    metrics: list[Path] = field(default_factory=list)
    comparisons: list[Path] = field(default_factory=list)
    cells: list[Path] = field(default_factory=list)
    logs: list[Path] = field(default_factory=list)
    features: list[Path] = field(default_factory=list)


def write(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def add_metrics(
    results: Results,
    run: str,
    model: str,
    exact_match: float,
    f1: float,
    width: float = 3.0,
    machine: str = "",
) -> None:
    """metrics.json of one engine and precision; `width` is half of each interval, `machine` the
    kind that computed the answers beside those that are computed once."""
    data = {
        "exact_match": exact_match,
        "f1": f1,
        "questions": 500,
        "exact_match_interval": [max(0.0, exact_match - width), min(100.0, exact_match + width)],
        "f1_interval": [max(0.0, f1 - width), min(100.0, f1 + width)],
        "exact_match_interval_articles": [exact_match - 2 * width, exact_match + 2 * width],
        "f1_interval_articles": [f1 - 2 * width, f1 + 2 * width],
        "confidence": 0.95,
        "bootstrap_samples": 1000,
        "unanswered": 0,
        "official_script": "agrees",
    }
    folder = results.root / run / model / (f"machines/{machine}" if machine else "")
    results.metrics.append(write(folder / "metrics.json", data))


def add_comparison(
    results: Results,
    run: str,
    model: str,
    f1_share: float,
    *,
    changed: int = 0,
    logits: float = 1e-5,
    reference: str = "torch-fp32",
    reference_f1: float = 90.0,
    gate: str | None = None,
    machine: str = "",
) -> None:
    """comparison.json of one engine and precision, or of a kind of machine beside it: a third of
    what changed got better, the rest worse; by default it fails below a share of 0.99."""
    gate = gate or ("passed" if f1_share >= 0.99 else "failed")
    engine, _, precision = model.rpartition("-")
    difference = reference_f1 * (f1_share - 1)
    data = {
        "engine": engine,
        "precision": precision,
        "reference": reference,
        "questions": 500,
        "f1": reference_f1 * f1_share,
        "reference_f1": reference_f1,
        "f1_difference": difference,
        "f1_difference_interval": [difference - 0.3, difference + 0.3],
        "f1_difference_interval_articles": [difference - 0.7, difference + 0.7],
        "exact_match_difference": difference,
        "f1_share": f1_share,
        "minimum_f1_share": 0.99,
        "passed": gate != "failed",
        "gate": gate,
        "changed_answers": changed,
        "changed_answers_normalized": changed - changed // 5,
        "better": changed // 3,
        "worse": changed - changed // 3,
        "equal": 0,
        "changed_spans_share": changed / 500,
        "max_logit_difference": logits,
        "examples": [
            {
                "id": f"q{number}",
                "question": f"Who took the {number + 1}. place?",
                "reference_answer": "the old mayor",
                "answer": "mayor of Ulm",
                "gold_answers": ["the old mayor", "Ada"],
                "reference_f1": 1.0,
                "f1": 0.5,
            }
            for number in range(min(changed, 20))
        ],
    }
    folder = results.root / run / model / (f"machines/{machine}" if machine else "")
    results.comparisons.append(write(folder / "comparison.json", data))


def add_cell(results: Results, run: str, data: dict[str, Any], machine: str = "") -> None:
    """A cell's file; `machine`: the kind that measured it, where there are several."""
    threads = data.get("threads_requested", data["threads"])
    batch = "auto" if data["batch_size"] is None else data["batch_size"]
    name = f"batch{batch}-threads{threads}-repeat{data['repeat']}.json"
    folder = results.root / run / f"{data['engine']}-{data['precision']}" / "benchmark"
    results.cells.append(write(folder / machine / data["scenario"] / name, data))


def add_log(results: Results, run: str, steps: int, *, batch: int = 24, seed: int = 0) -> None:
    """A training log whose loss falls from about 5 to about 0.5."""
    noise = np.random.default_rng(seed).normal(0, 0.15, steps)
    path = results.root / run / "training_log.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for step in range(1, steps + 1):
        loss = (
            0.5
            + 4.5 * np.exp(-4 * step / steps)
            + noise[step - 1] * 4.5 * np.exp(-2 * step / steps)
        )
        line = {
            "step": step,
            "loss": round(float(loss), 4),
            "learning_rate": 2e-3 * (1 - step / steps),
            "examples": batch,
            "tokens": 40 * batch,
            "threads": 2,
            "kernels": "attention: products",
            "tokens_per_second": 20000.0,
            "elapsed_s": 0.05 * step,
        }
        lines.append(json.dumps(line))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    results.logs.append(path)


def add_features(results: Results, name: str, count: int, max_seq_length: int = 384) -> None:
    """A features file as far as its lengths go: 12-token questions, long passages cut."""
    from bertsquad import tensorfile

    room = max_seq_length - 12 - 3
    drawn = (
        np.random.default_rng(len(name))
        .lognormal(np.log(0.41 * max_seq_length), 0.42, count)
        .astype(np.int32)
    )
    arrays = {
        "question_starts": np.arange(0, 12 * (count + 1), 12, dtype=np.int64),
        "feature_question": np.arange(count, dtype=np.int32),
        "doc_length": np.minimum(drawn, room).astype(np.int32),
    }
    path = results.root / "resources" / "features" / name / "tiny.safetensors"
    facts = {"version": 1, "max_seq_length": max_seq_length}
    tensorfile.write_checked(path, arrays, {"features": json.dumps(facts)})
    results.features.append(path)


def demo(root: Path) -> Results:
    """What the embedded demo leaves: two runs and one kept as it came, two precisions, 12 cells."""
    results = Results(root)
    for run, scores in {"demo-bf16": (85.2, 90.9), "demo-fp32": (86.0, 91.4)}.items():
        add_log(results, run, 300, seed=len(run + run[-1]) + int(run[-1]))
        add_metrics(results, run, "torch-fp32", *scores)
        add_metrics(results, run, "torch-bf16", scores[0] - 0.2, scores[1] - 0.1)
    add_metrics(results, "untrained", "torch-fp32", 0.4, 6.3, width=0.9)
    for scenario, factor in {"padded": 1.0, "real-lengths": 2.1}.items():
        for precision, speed in {"fp32": 100.0, "bf16": 190.0}.items():
            for batch, gain in {1: 0.7, 8: 1.0, 32: 1.1}.items():
                data = cell("torch", precision, scenario, batch, speed * factor * gain)
                add_cell(results, "demo-fp32", data)
    add_features(results, "demo-train", 4000, 128)
    add_features(results, "demo-dev", 500, 128)
    return results


def large(root: Path) -> Results:
    """A wider experiment: two engines, three precisions, three repeats, four runs."""
    results = Results(root)
    rng = np.random.default_rng(7)
    speeds = {
        ("torch", "fp32"): 0.76,
        ("torch", "bf16"): 1.5,
        ("openvino", "fp32"): 0.78,
        ("openvino", "bf16"): 1.63,
        ("openvino", "int8"): 2.91,
    }
    for number, run in enumerate(("guide-bf16", "guide-fp32", "base-3e5", "base-5e5")):
        add_log(results, run, 7290, seed=number)
        for offset, (engine, precision) in enumerate(speeds):
            scores = (84.0 - number - 0.3 * offset, 91.0 - number - 0.2 * offset)
            add_metrics(results, run, f"{engine}-{precision}", *scores, width=0.7)
    for scenario, factor in {"padded": 1.0, "real-lengths": 2.05}.items():
        for (engine, precision), speed in speeds.items():
            for batch, gain in {1: 0.9, 4: 1.0, 16: 1.02, 32: 0.99}.items():
                for repeat in (1, 2, 3):
                    value = speed * factor * gain * rng.normal(1, 0.02)
                    data = cell(engine, precision, scenario, batch, value, repeat=repeat)
                    add_cell(results, "guide-bf16", data)
    add_features(results, "squad-1.1-dev", 10881)
    return results


def engines(root: Path, *, bf16: bool = True) -> Results:
    """One run on three engines, of which onnxruntime's int8 fails; without `bf16` in the processor
    torch emulates it and the cells of openvino's are refused."""
    results = Results(root)
    speeds = {
        ("torch", "fp32"): 0.76,
        ("torch", "bf16"): 1.55 if bf16 else 0.21,
        ("openvino", "fp32"): 0.79,
        ("openvino", "bf16"): 1.63,
        ("openvino", "int8"): 2.91,
        ("onnxruntime", "fp32"): 0.71,
        ("onnxruntime", "int8"): 2.10,
    }
    shares = {"fp32": 1.0, "bf16": 0.9995, "int8": 0.996}
    add_log(results, "guide", 7290)
    for (engine, precision), speed in speeds.items():
        model, native = f"{engine}-{precision}", bf16 or precision != "bf16"
        share = 0.972 if model == "onnxruntime-int8" else shares[precision]
        add_metrics(results, "guide", model, 84.1 * share, 91.2 * share, width=0.7)
        if model != "torch-fp32":
            changed = {"fp32": 0, "bf16": 14, "int8": round(400 * (1 - share) * 10)}[precision]
            logits = {"fp32": 3.1e-5, "bf16": 0.11, "int8": 1.9}[precision]
            numbers = {"changed": changed, "logits": logits, "reference_f1": 91.2}
            add_comparison(results, "guide", model, share, **numbers)
        for scenario, factor in {"padded": 1.0, "real-lengths": 2.05}.items():
            for batch, gain in {1: 0.9, 8: 1.0, 32: 1.02}.items():
                if model == "openvino-bf16" and not native:
                    data = refused_cell(engine, precision, scenario, "batches", batch)
                else:
                    rate = speed * factor * gain
                    data = cell(engine, precision, scenario, batch, rate, native=native)
                add_cell(results, "guide", data)
        for mode in ("offline", "end_to_end"):
            if model == "openvino-bf16" and not native:
                data = refused_cell(engine, precision, mode.replace("_", "-"), mode, None)
            else:
                rate = 2.2 * speed
                data = whole_set_cell(engine, precision, mode, rate, native=native)
            add_cell(results, "guide", data)
    add_features(results, "squad-1.1-dev", 10881)
    return results


def config(*, demo: bool = True, runs: tuple[str, ...] = ("demo-bf16", "demo-fp32", "untrained")):
    """A resolved configuration."""
    settings = {
        "precision": "fp32",
        "epochs": 2,
        "batch_size": 24,
        "learning_rate": 3.0e-5,
        "max_seq_length": 384,
        "doc_stride": 128,
        "seed": 0,
        "hidden_dropout": None,
    }
    return {
        "title": "BERT on SQuAD 1.1",
        "description": "Every step on made-up data, within minutes.",
        "demo": demo,
        "checkpoint": "synthetic",
        "dataset": "synthetic",
        "runs": {
            run: settings
            | {"precision": "bf16" if run.endswith("bf16") else "fp32"}
            | ({"epochs": 0} if run == "untrained" else {})
            for run in runs
        },
        "engines": {"torch": ["fp32", "bf16"]},
        "benchmark": {
            "scenarios": {"padded": {"padding": "max_length"}, "real-lengths": {"padding": "none"}},
            "batch_sizes": [1, 8, 32],
            "threads": [2],
            "warmup": 5,
            "iterations": 400,
            "repeats": 1,
        },
    }


CHECKSUMS = {
    "dev-v1.1.json": {
        "sha256": "95aa6a52d5d6a735563366753ca50492a658031da74f301ac5238b03966972c9",
        "bytes": 4854279,
        "license": "CC BY-SA 4.0",
        "citation": "Rajpurkar et al. 2016, SQuAD: 100,000+ Questions for Machine Comprehension",
        "url": "https://example.org/dev-v1.1.json",
    },
    "checkpoint.zip": {
        "sha256": "3527663986b8295af4f7fcdff1ba1ff3f72d07d61a20f487cb238a6ef92fd955",
        "bytes": 30288272,
        "license": "MIT",
        "citation": "",
        "url": "file:///somewhere/checkpoint.zip",
    },
}
