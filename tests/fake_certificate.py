"""The certificate of made-up results, and the facts that exports read of them."""

from pathlib import Path
from typing import Any

import fake_cells
import fake_results
from bertsquad.certificate.exports.facts import Facts, Model, read_cells
from bertsquad.certificate.schema import Certificate, checked
from bertsquad.reporting.summary.summary import Summary
from bertsquad.reporting.summary.tables import summarize

CHAIN = "3f9c01ab" + "0" * 56
WEIGHTS = "a" * 64
SQUAD = {
    "train-v1.1.json": "3527663986b8295af4f7fcdff1ba1ff3f72d07d61a20f487cb238a6ef92fd955",
    "dev-v1.1.json": "95aa6a52d5d6a735563366753ca50492a658031da74f301ac5238b03966972c9",
}
SHAPE = {
    "num_hidden_layers": 2,
    "hidden_size": 128,
    "num_attention_heads": 2,
    "vocab_size": 1261,
}


def certificate(config: dict[str, Any], **changes: Any) -> Certificate:
    """One without steps, whose run `demo-fp32` has weights."""
    inputs = {
        name: {
            "sha256": sha256,
            "bytes": 4854279,
            "license": "CC-BY-SA-4.0",
            "url": f"https://example.org/{name}",
            "citation": "Rajpurkar et al. 2016",
        }
        for name, sha256 in SQUAD.items()
    }
    inputs["checkpoint.zip"] = {
        "sha256": "c" * 64,
        "bytes": 30288272,
        "license": "Apache-2.0",
        "url": "file:///home/somebody/checkpoint.zip",
    }
    value = {
        "format": "bertsquad-certificate/1",
        "project": {"commit": "619ed8b" + "0" * 33, "dirty": ["scripts/x.py"], "version": "0.1.0"},
        "command": "snakemake --cores all",
        "config": config,
        "config_sha256": "d" * 64,
        "environment": {
            "python": "3.11.7",
            "constraints_sha256": None,
            "packages": {"torch": "2.13.0+cpu", "numpy": "2.4.6"},
            "container": None,
            "kernel": "6.1.0",
            "libc": None,
        },
        "machines": {
            "m1": {
                "cpu": "Example Processor 9000",
                "cpu_sha256": None,
                "flags": [],
                "hosts": ["n1"],
            }
        },
        "inputs": inputs,
        "code": {},
        "steps": [],
        "files": {
            "demo-fp32/model/model.safetensors": {"sha256": WEIGHTS, "bytes": 9, "class": "exact"}
        },
        "scores": {},
        "speeds": {},
        "doubts": [
            {"kind": "dirty-tree", "what": "scripts/x.py is not that of the commit", "where": ""},
            *(
                {"kind": "disturbed", "what": "others computed", "where": f"cell {number}"}
                for number in range(5)
            ),
        ],
        "chain_sha256": CHAIN,
    }
    return checked(value | changes, "certificate.json")


def facts_of(results: fake_results.Results, **changes: Any) -> Facts:
    """The facts of made-up results; `changes` are those of the certificate."""
    runs = sorted({path.parts[-3] for path in results.metrics})
    config = fake_results.config(runs=tuple(runs))
    table = summarize(
        results.metrics, results.cells, results.logs, config, comparisons=results.comparisons
    )
    path = results.root / "summary.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False)
    models = {run: model(run) for run in runs}
    return Facts(
        certificate=certificate(config, **changes),
        machines={"": fake_results.MACHINE},
        models=models,
        summary=Summary.read(path),
        files=read_cells(results.cells),
    )


def model(run: str, **changes: Any) -> Model:
    """A run's model that started from an archive and was trained on SQuAD."""
    found = {
        "run": run,
        "checkpoint": "synthetic",
        "dataset": "squad-1.1",
        "started_from": ("checkpoint.zip",),
        "train": "train-v1.1.json",
        "dev": "dev-v1.1.json",
        "selected": False,
        "shape": SHAPE,
    }
    return Model(**found | changes)


def demo_facts(root: Path, **changes: Any) -> Facts:
    """Those of fake_results.demo, one of whose cells is disturbed."""
    results = fake_results.demo(root)
    data = fake_cells.cell("torch", "fp32", "real-lengths", 1, 20.0, waited=0.03, repeat=2)
    fake_results.add_cell(results, "demo-bf16", data)
    whole = fake_cells.whole_set_cell("torch", "fp32", "offline", 50.0)
    fake_results.add_cell(results, "demo-fp32", whole)
    return facts_of(results, **changes)
