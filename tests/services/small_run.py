"""A small run of the workflow, and which of its files must be equal wherever it ran."""

import json
from pathlib import Path

from bertsquad.certificate.record import Record, find_records, read_record
from project import Project, copy_project

# The demo's data and model with a tenth of its training, both precisions, and one cell of each that
# may be disturbed. The thread count is given: it decides the order of sums and with it the last
# bits of the weights.
CONFIG = """\
checkpoint: synthetic
dataset: synthetic
runs:
  small: {epochs: 0.15, batch_size: 32, learning_rate: 2.0e-3, max_seq_length: 128, doc_stride: 64,
          max_query_length: 24}
benchmark: {batch_sizes: [1], scenarios: {real-lengths: {padding: none}}, threads: [1], warmup: 1,
            iterations: 3, quiet_seconds: 0}
"""
RUN = ("--configfile", "small.yaml", "--cores", "2")
MODEL = "results/small/model/model.safetensors"
CELL = "results/small/torch-fp32/benchmark/real-lengths/batch1-threads1-repeat1.json"
# Files that hold times, or what was drawn and told of them.
TIMED = ("results/benchmarks/", "results/logs/", "results/machine.json", "results/summary.csv")
TIMED += ("results/certificate.",)
TIMED += ("results/report.html", "results/figures/throughput.svg", "results/figures/latency.svg")
TRAINING_LOG = "results/small/training_log.jsonl"
TIMES_OF_A_STEP = {"elapsed_s", "tokens_per_second"}


def small_project(folder: Path) -> Project:
    project = Project(copy_project(folder))
    (folder / "small.yaml").write_text(CONFIG)
    return project


def untimed_files(project: Project) -> dict[str, bytes]:
    """Everything that must not depend on where it was computed; of the training log, the losses."""
    files = {
        str(path.relative_to(project.folder)): path.read_bytes()
        for path in sorted((project.folder / "results").rglob("*"))
        if path.is_file()
    }
    kept = {
        name: content
        for name, content in files.items()
        if not name.startswith(TIMED) and "/benchmark/" not in name
    }
    return kept | {TRAINING_LOG: without_times(files[TRAINING_LOG])}


def without_times(log: bytes) -> bytes:
    steps = [json.loads(line) for line in log.splitlines()]
    kept = [{k: v for k, v in step.items() if k not in TIMES_OF_A_STEP} for step in steps]
    return json.dumps(kept).encode()


def records(project: Project) -> dict[str, Record]:
    """What each step recorded, by its name."""
    found = map(read_record, find_records(project.folder / "results/logs"))
    return {record["id"]: record for record in found}


def decided_otherwise(one: Project, other: Project) -> list[str]:
    """The steps of both whose code or parameters differ: these are the same wherever it ran."""
    ours, theirs = _decided(one), _decided(other)
    both = ours.keys() & theirs.keys()
    assert {"finetune/small", "evaluate/small/torch/fp32"} <= both, (sorted(ours), sorted(theirs))
    return sorted(name for name in both if ours[name] != theirs[name])


def _decided(project: Project) -> dict[str, tuple[str, str]]:
    """Code and parameters of each step, as a number each."""
    return {
        name: (record["code_sha256"], record["params_sha256"])
        for name, record in records(project).items()
    }
