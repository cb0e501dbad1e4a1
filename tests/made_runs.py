"""Made-up runs for comparisons: results folders with their certificates, and changes to them."""

import copy
import json
from pathlib import Path

import numpy as np

from bertsquad.answers import logits
from bertsquad.certificate.chain import chain_sha256
from bertsquad.certificate.compare.reading import lenient
from bertsquad.certificate.compare.sides import Side, _exact_of
from bertsquad.certificate.manifest import class_of, exact_sha256, json_sha256, settings
from bertsquad.certificate.schema import write_certificate
from bertsquad.files import read_json, sha256, write_json

EXAMPLE = json.loads((Path(__file__).parent / "fixtures/certificate.json").read_text())
OTHER = "0" * 64
MODEL = "demo/torch-fp32"
DEV = "resources/downloads/demo-dev.json"
QUESTIONS = 60
# Step, its rule's code, inputs and outputs, each after those whose outputs it uses.
STEPS = (
    ("download/demo-dev.json", "download", (), (DEV,)),
    ("finetune/demo", "finetune", (DEV,), ("demo/model/model.safetensors",)),
    (
        "compute_logits/demo/torch/fp32",
        "compute_logits",
        ("demo/model/model.safetensors",),
        (f"{MODEL}/logits.safetensors",),
    ),
    (
        "predict/demo/torch/fp32",
        "predict",
        (DEV, f"{MODEL}/logits.safetensors"),
        (f"{MODEL}/predictions.json", f"{MODEL}/nbest_predictions.json"),
    ),
    (
        "evaluate/demo/torch/fp32",
        "evaluate",
        (DEV, f"{MODEL}/predictions.json"),
        (f"{MODEL}/metrics.json",),
    ),
    ("plot", "plot", (f"{MODEL}/metrics.json",), ("figures/accuracy.svg",)),
)
EXACT = [name for _, _, _, outputs in STEPS for name in outputs]


def dataset(questions=QUESTIONS, articles=12):
    """Questions q0, q1, ... whose answers are `word 0`, `word 1`, ... of an article each."""
    made = [
        {
            "title": f"article {article}",
            "paragraphs": [
                {
                    "context": " ".join(f"word {n}" for n in numbers),
                    "qas": [
                        {
                            "id": f"q{n}",
                            "question": f"Which is {n}?",
                            "answers": [{"text": f"word {n}", "answer_start": 0}],
                        }
                        for n in numbers
                    ],
                }
            ],
        }
        for article in range(articles)
        if (numbers := range(article, questions, articles))
    ]
    return {"version": "1.1", "data": made}


def answers(questions=QUESTIONS, wrong=()):
    return {f"q{n}": "nothing" if n in wrong else f"word {n}" for n in range(questions)}


def results(folder, *, wrong=(0, 1, 2), noise=0.0, certified=True):
    """A small results folder; `noise` is added to every logit."""
    folder.mkdir(parents=True)
    write_json(folder / "config.json", EXAMPLE["config"], sort_keys=False)
    write_json(folder / DEV, dataset())
    checksum = {"sha256": sha256(folder / DEV), "bytes": (folder / DEV).stat().st_size}
    listed = {"demo-dev.json": {**checksum, "license": "Apache-2.0", "url": "file:dev.json"}}
    write_json(folder / "inputs.json", listed)
    (folder / "demo/model").mkdir(parents=True)
    (folder / "demo/model/model.safetensors").write_bytes(bytes(range(256)))
    values = np.linspace(-8, 8, 400, dtype=np.float32)
    held = logits.Logits(
        values + np.float32(noise), values, np.arange(0, 401, 20), "torch", "fp32", "f" * 64
    )
    logits.write(folder / MODEL / "logits.safetensors", held)
    write_json(folder / MODEL / "predictions.json", answers(wrong=wrong))
    write_json(folder / MODEL / "nbest_predictions.json", {"q0": [{"text": "nothing"}]})
    write_json(folder / MODEL / "metrics.json", {"exact_match": 95.0, "f1": 95.0, "questions": 60})
    (folder / "figures").mkdir()
    (folder / "figures/accuracy.svg").write_text("<svg>the points of F1</svg>")
    if certified:
        certify(folder)
    return folder


def certify(folder):
    """Write the folder's certificate: its steps read and made what is there now."""
    made = copy.deepcopy(EXAMPLE) | {"code": {}, "speeds": {}, "doubts": []}
    now = {name: sha256(folder / name) for name in EXACT}
    steps = []
    for id_, rule, inputs, outputs in STEPS:
        code = {f"{rule}.py": json_sha256(rule), "bertsquad/files.py": json_sha256("files")}
        made["code"][json_sha256(code)] = code
        params = {"options": "--epochs 1.4 --seed 0" if rule == "finetune" else "--n-best-size 20"}
        steps.append(
            {
                "id": id_,
                "rule": rule,
                "code_sha256": json_sha256(code),
                "params": params,
                "params_sha256": json_sha256(params),
                "inputs": {name: now[name] for name in inputs},
                "outputs": {name: now[name] for name in outputs},
                "started": "2026-11-30T01:00:00+00:00",
                "ended": "2026-11-30T01:00:01+00:00",
                "host": "n1",
                "machine": "zen4",
                "record": True,
            }
        )
    made["steps"] = steps
    made["files"] = {name: _file(folder, name) for name in (*EXACT, "config.json", "inputs.json")}
    made["config"] = settings(read_json(folder / "config.json"))
    made["config_sha256"] = json_sha256(made["config"])
    made["inputs"] = read_json(folder / "inputs.json")
    made["chain_sha256"] = chain_sha256(steps, made["files"], made["config_sha256"])
    write_certificate(folder / "certificate.json", made)


def _file(folder, name):
    path = folder / name
    kind = class_of(name)
    found = {"sha256": sha256(path), "bytes": path.stat().st_size, "class": kind}
    return found if kind == "exact" else found | {"exact_sha256": exact_sha256(name, path)}


def side(label, certificate=EXAMPLE):
    """A side of which only the certificate is at hand."""
    facts = lenient(copy.deepcopy(certificate), f"{label}.json")
    return Side(label, f"{label}.json", facts, None, _exact_of(facts))


def changed(change):
    """The example, changed in place by `change`."""
    made = copy.deepcopy(EXAMPLE)
    change(made)
    return made


def step_of(certificate, id_):
    return next(step for step in certificate["steps"] if step["id"] == id_)


def speed(throughput, *, latency=None, **changes):
    """A cell, undisturbed, with these repeats."""
    n = len(throughput)
    latency = latency or [None] * n
    return {
        "repeats": list(range(1, n + 1)),
        "features_per_second": list(throughput),
        "samples_ms": latency if latency[0] else [1000 / each for each in throughput],
        "latency_p99_ms": latency,
        "other_cpus": [0.0] * n,
        "codes": [[] for _ in range(n)],
        "validity": ["valid"] * n,
        "threads": [2] * n,
        "cpu": ["AMD EPYC 9354"] * n,
        "host": ["n1"] * n,
        "native": True,
        "refused": None,
    } | changes


def timed(label, **cells):
    """A side with these cells; `_` of a name is `/`."""
    return side(label, EXAMPLE | {"speeds": {k.replace("_", "/"): v for k, v in cells.items()}})
