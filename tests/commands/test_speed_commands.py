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
    options = {"engine": "torch", "precision": "fp32", "threads": 1, "seconds": 0.1}
    return run("measure_speed", **(options | made | {"output": output} | changes))


def test_measured_and_summarized(made, tmp_path):
    cell_path, ceilings_path = tmp_path / "torch-fp32.json", tmp_path / "ceilings.json"
    done = measure(made, cell_path)
    assert done.returncode == 0, done.stderr
    assert "features/s" in done.stdout
    cell = json.loads(cell_path.read_text())
    assert (cell["engine"], cell["precision"], cell["threads"]) == ("torch", "fp32", 1)
    assert cell["kernels"].startswith("attention: ")
    assert cell["offline"]["features"] >= 24
    assert cell["offline"]["mean_length"] == pytest.approx(178.5, rel=0.02)
    assert cell["padded"]["max_seq_length"] == 384
    assert cell["requests"]["at_median"]["length"] == 164
    assert set(cell["model_load_s"]) == {"latency", "throughput"}
    assert cell["peak_memory_mib"] > 50

    ceilings_path.write_text(json.dumps(CEILINGS))
    done = run(
        "summarize_speed",
        ceilings=ceilings_path,
        cells=[cell_path],
        table=tmp_path / "speed.csv",
        figure=tmp_path / "speed.svg",
        text=tmp_path / "speed.txt",
    )
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "speed.txt").read_text()
    assert "\ntorch fp32 " in text
    assert "\nleft out: torch bf16" in text
    with (tmp_path / "speed.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["engine"] for row in rows if not row["left_out"]] == ["torch"]
    best = max(cell["ceiling"]["gflops"], CEILINGS["gemm"]["fp32"]["gflops"])
    assert float(rows[0]["ceiling_gflops"]) == pytest.approx(best)
    assert (tmp_path / "speed.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"engine": "tensorrt"}, "engine is 'tensorrt'; expected one of: torch"),
        ({"model": "nowhere"}, "nowhere/vocab.txt"),
        ({"threads": 0}, "0 is not 1 or more"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(made, tmp_path, changes, message):
    done = measure(made, tmp_path / "cell.json", **changes)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
