"""The commands of `snakemake speed`, one after the other, on a model of two small layers."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SMALL = {
    "vocab_size": 300,
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 128,
    "max_position_embeddings": 384,
    "type_vocab_size": 2,
}
CEILINGS = {
    "threads": 1,
    "gemm": {
        "fp32": {"native": True, "gflops": 100.0},
        "bf16": {"native": False, "gflops": 10.0},
        "int8": {"native": False, "gflops": None},
    },
    "memory": {"read": {"gb_per_s": 20.0}, "copy": {"gb_per_s": 24.0}},
}


def run(script: str, **options: object) -> subprocess.CompletedProcess:
    arguments = [
        item
        for name, value in options.items()
        for item in (f"--{name.replace('_', '-')}", *map(str, listed(value)))
    ]
    return subprocess.run(
        [sys.executable, f"scripts/{script}.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def listed(value: object) -> list:
    return value if isinstance(value, list) else [value]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("speed")
    (folder / "small.json").write_text(json.dumps(SMALL))
    made = {"model": folder / "model", "features": folder / "features.safetensors"}
    done = run("generate_random_model", **made, config=folder / "small.json", seed=0)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "10833 features of 178.5 tokens on average\n"
    return made


def measure(made: dict, output: Path, **changes: object) -> subprocess.CompletedProcess:
    options = {
        **{"engine": "torch", "precision": "fp32", "threads": 1, "seconds": 0.1, "repeat": 1},
        **{"scenario": "offline", "warmup": 0, "output": output},
    }
    return run("benchmark_inference", **(options | made | changes))


def test_measured_and_summarized(made, tmp_path):
    scenarios = {
        "offline": {
            "mode": "offline",
            "batch_size": "auto",
            "count": 10**6,
            "ceiling_seconds": 0.1,
        },
        "padded": {"padding": "max_length", "batch_size": 4},
        "requests": {"batch_size": 1},
    }
    paths = {name: tmp_path / f"{name}.json" for name in scenarios}
    for name, options in scenarios.items():
        done = measure(made, paths[name], scenario=name, **options)
        assert done.returncode == 0, done.stderr
        assert "features/s" in done.stdout
    cells = {name: json.loads(path.read_text()) for name, path in paths.items()}
    offline, padded, requests = cells.values()
    assert offline["features"] >= 24
    assert offline["tokens"] / offline["features"] == pytest.approx(178.5, rel=0.02)
    assert offline["count"] * offline["iterations"] == offline["features"]
    assert offline["ceiling"]["gflops"] > 0
    assert "ceiling" not in padded
    assert padded["iterations"] == len(padded["latency_samples_ms"]) >= 6
    assert requests["latency_ms"]["n"] >= 16
    ceilings_path = tmp_path / "ceilings.json"
    ceilings_path.write_text(json.dumps(CEILINGS))
    done = run(
        "summarize_speed",
        ceilings=ceilings_path,
        model_config=made["model"] / "config.json",
        cells=list(paths.values()),
        machine="half",
        table=tmp_path / "speed.csv",
        figure=tmp_path / "speed.svg",
        text=tmp_path / "speed.txt",
    )
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "speed.txt").read_text()
    assert text.startswith("machine half: ")
    assert "\ntorch fp32 " in text
    assert "\nleft out: torch bf16" in text
    with (tmp_path / "speed.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["engine"] for row in rows if not row["left_out"]] == ["torch"]
    best = max(offline["ceiling"]["gflops"], CEILINGS["gemm"]["fp32"]["gflops"])
    assert float(rows[0]["ceiling_gflops"]) == pytest.approx(best)
    assert (tmp_path / "speed.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seconds": 0}, "0 is not a number above 0"),
        ({"seconds": "inf"}, "inf is not a number above 0"),
        ({"iterations": 3}, "either --iterations or --seconds is needed"),
        ({"ceiling_seconds": -1}, "-1 is not a number above 0"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(made, tmp_path, changes, message):
    done = measure(made, tmp_path / "cell.json", batch_size=1, **changes)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
