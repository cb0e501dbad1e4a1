"""One work of the benchmark from start to end: files made, sides started, rounds run, all told."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bertsquad.benchmark.flops import useful_flops
from bertsquad.console.errors import UserError
from bertsquad.engines import about, native
from bertsquad.files import read_json
from bertsquad.machine import torch_environment
from bertsquad.machine.cpu import cpu_flags, cpu_model, lacks_vnni
from bertsquad.machine.kernel import load_average, measurement_environment
from bertsquad.machine.memory import machine_memory_mib
from bertsquad.peers import materials
from bertsquad.peers.contenders import ANSWERS, CEILING, OURS, PROGRAMS, TEXTS, Side, Work
from bertsquad.peers.process import Worker, WorkerFailed
from bertsquad.peers.rounds import interleave

if TYPE_CHECKING:
    from bertsquad.data.features import Features

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "scripts"
PEERS = SCRIPTS / "peers"
CONVERT_SECONDS = 1800
CALIBRATION = 16  # features, as scripts/peers/convert.py
# How far a side's logits may be from ours, as a part of their spread, before it counts as another
# model: rounding in fp32; 8 bits of mantissa; weights and activations in 8 bits, which random
# weights suffer from more than trained ones.
TOLERANCE = {"fp32": 1e-3, "bf16": 0.1, "int8": 0.5}


@dataclass
class Bench:
    """What all works share."""

    folder: Path  # for models, work files and logs
    squad: dict[str, Path]
    vocab: Path
    rounds: int
    threads: int
    seed: int = 0
    shape: dict[str, int] = field(default_factory=dict)  # other sizes than BERT-Large's
    python: Callable[[str], Path] = lambda environment: ROOT / environment / "bin/python"
    say: Callable[[str], None] = lambda line: None
    made: dict[bool, Features] = field(default_factory=dict)

    def features(self, training: bool) -> Features:
        """Those of the training set, which have answers, or of the development set."""
        if training not in self.made:
            name = "train-v1.1.json" if training else "dev-v1.1.json"
            self.made[training] = materials.make_features(
                self.squad[name], self.vocab, training=training
            )
        return self.made[training]

    def settings(self, work: Work) -> dict[str, Any]:
        """What a result depends on: where these are equal, a finished one is kept."""
        return {
            "cpu": cpu_model(),
            "threads": self.threads,
            "rounds": self.rounds,
            "seed": self.seed,
            "shape": {**materials.LARGE, **self.shape},
            "sides": [{**asdict(side), "graphs": list(side.graphs)} for side in work.sides],
            "code_sha256": code_sha256(),
        }


def code_sha256() -> str:
    """The code of all sides, and what their environments hold."""
    paths = sorted((*SCRIPTS.glob("bertsquad/**/*.py"), *PEERS.glob("*.py"), *ROOT.glob("envs/*")))
    digest = hashlib.sha256()
    for path in paths:
        if path.is_file() and "reporting" not in path.parts:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def measure_work(work: Work, bench: Bench) -> dict[str, Any]:
    """The JSON of one work: settings, what each side is and said, and every sample.

    A side that this processor would emulate, or that fails, is left out, and its entry says why.
    """
    started = datetime.now(UTC).isoformat(timespec="seconds")
    load = load_average()
    sides = {side.name: side for side in work.sides}
    left_out = {
        name: "this processor has no BF16 products, and emulated ones are no result"
        for name, side in sides.items()
        if side.precision == "bf16" and not native("bf16")
    }
    taking_part = {name: side for name, side in sides.items() if name not in left_out}
    rest = [side for side in taking_part.values() if side.form != CEILING]
    if all(side.precision != work.precision for side in rest):
        left_out |= dict.fromkeys(taking_part, "there is nothing to compare it with here")
        taking_part = {}
    facts: dict[str, dict[str, Any]] = {
        name: {**asdict(side), "ours": side.ours, "native": native(side.precision)}
        for name, side in sides.items()
    }
    files = {name: prepare(work, side, bench, facts[name]) for name, side in taking_part.items()}
    if work.task == "memory":
        samples, failed = one_by_one(files, taking_part, bench, facts)
    else:
        samples, failed = all_together(files, taking_part, bench, facts)
    for name, reason in {**left_out, **failed, **disagreeing(facts, work.precision)}.items():
        facts[name]["left_out"] = reason
    return {
        "work": work.name,
        "task": work.task,
        "precision": work.precision,
        "settings": bench.settings(work),
        "sides": facts,
        "samples": samples,
        "started_at": started,
        "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "load_average": load,
        "environment": measurement_environment(),
        "memory_mib": machine_memory_mib(),
        "vnni": not lacks_vnni(cpu_flags()),
    }


def prepare(work: Work, side: Side, bench: Bench, facts: dict[str, Any]) -> list[str]:
    """Make what a side reads; return its command."""
    model = materials.make_model(
        bench.folder / "models" / f"layers-{side.layers}", side.layers, bench.vocab, **bench.shape
    )
    if side.form == TEXTS:
        given = bench.squad["train-v1.1.json"]
    elif side.form == ANSWERS:
        given = bench.folder / "work" / "questions.json"
        materials.write_questions(given, bench.squad["dev-v1.1.json"])
    else:
        given = work_file(work, side, bench, facts, read_json(model / "config.json"))
    facts["weights_mib"] = (model / "model.safetensors").stat().st_size / 2**20
    facts["failed_before"] = None
    python = bench.python(PROGRAMS[side.program])
    command = [str(python), str(PEERS / f"{side.program}_peer.py")]
    command += ["--variant", side.variant, "--precision", side.precision, "--form", side.form]
    command += ["--threads", str(bench.threads), "--model", str(model), "--work", str(given)]
    convert(side, model, bench, facts)
    if side.ours and side.precision == "int8":
        quantize(side, model, bench, facts)
    return command


def work_file(
    work: Work, side: Side, bench: Bench, facts: dict[str, Any], model_config: dict[str, int]
) -> Path:
    """The features of a side. Its facts get their `lengths` and what one costs, padding included:
    `gflop_per_feature`."""
    form = "real" if side.form == CEILING else side.form
    training = side.trains or work.task == "training"
    task = {"single": "inference", "linearity": "inference"}.get(work.task, work.task)
    features = bench.features(training)
    numbers = materials.choose(features.lengths, task, form, training)
    kind = "training" if training else "inference"
    path = bench.folder / "work" / f"{task}-{kind}-{form}.npz"
    lengths = materials.write_work(path, features, numbers)
    computed = [features.max_seq_length] * len(lengths) if form == "padded" else lengths
    # Forward; in training backward takes twice as much again.
    passes = 3 if training else 1
    flops = passes * useful_flops(model_config, np.array(computed))
    facts |= {"lengths": lengths, "gflop_per_feature": flops / len(lengths) / 1e9}
    return path


def convert(side: Side, model: Path, bench: Bench, facts: dict[str, Any]) -> None:
    """Make the graphs that the side reads, where they are missing."""
    missing = [graph for graph in side.graphs if not (model / graph).exists()]
    if not missing:
        return
    bench.say(f"{side.name}: making {', '.join(missing)}")
    calibration = bench.folder / "work" / "calibration.npz"
    features = bench.features(training=True)
    numbers = materials.choose(features.lengths, "inference", "real", True)
    materials.write_work(calibration, features, numbers)
    command = [str(bench.python(PROGRAMS[side.program])), str(PEERS / "convert.py")]
    command += ["--model", str(model), "--work", str(calibration), "--graphs", *missing]
    make_files(command, side, bench, facts)


def quantize(side: Side, model: Path, bench: Bench, facts: dict[str, Any]) -> None:
    """Make our engine's INT8 model where it is missing, on as many features as the peers'."""
    output = model / f"{side.variant}-int8"
    if all((output / name).is_file() for name in about(side.variant).INT8_FILES):
        return
    bench.say(f"{side.name}: quantizing")
    calibration = bench.folder / "work" / "calibration.safetensors"
    materials.write_calibration(calibration, bench.features(training=True), bench.vocab)
    command = [str(bench.python(OURS)), str(SCRIPTS / "quantize.py"), "--engine", side.variant]
    command += ["--model", str(model), "--features", str(calibration), "--count", str(CALIBRATION)]
    command += ["--threads", str(bench.threads), "--output", str(output)]
    make_files(command, side, bench, facts)


def make_files(command: list[str], side: Side, bench: Bench, facts: dict[str, Any]) -> None:
    """Run what makes a file for a side; where it fails, the side's facts say so."""
    log = bench.folder / "logs" / f"files-{side.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with log.open("wb") as output:
            subprocess.run(
                command, stdout=output, stderr=output, check=True, timeout=CONVERT_SECONDS
            )
    except subprocess.TimeoutExpired:
        facts["failed_before"] = f"its files were not made in {CONVERT_SECONDS} s"
    except subprocess.CalledProcessError:
        last = (log.read_text(errors="replace").strip().splitlines() or ["it wrote nothing"])[-1]
        facts["failed_before"] = f"its files could not be made: {last}"


def start(name: str, side: Side, command: list[str], bench: Bench) -> Worker:
    environment = {
        **torch_environment.WAITING,  # of OpenMP: for the peers' PyTorch as for ours
        **os.environ,
        "OMP_NUM_THREADS": str(bench.threads),
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "HF_HUB_OFFLINE": "1",
    }
    environment.pop("PYTHONPATH", None)
    if PROGRAMS[side.program] == OURS:
        environment["PYTHONPATH"] = str(SCRIPTS)
    return Worker(name, command, environment, bench.folder / "logs" / f"{name}.log")


def all_together(
    files: Mapping[str, list[str]],
    sides: Mapping[str, Side],
    bench: Bench,
    facts: dict[str, dict[str, Any]],
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """All sides loaded, one after the other, and then run in turns."""
    failed: dict[str, str] = {}
    with ExitStack() as stack:
        workers = {}
        for name, command in files.items():
            bench.say(f"{name}: loading")
            if reason := facts[name].pop("failed_before"):
                failed[name] = reason
                continue
            worker = start(name, sides[name], command, bench)
            stack.callback(worker.close)
            try:
                facts[name].update(worker.ready())
            except WorkerFailed as error:
                failed[name] = str(error)
                worker.close()
                continue
            workers[name] = worker
        samples, failed_later = interleave(
            workers, rounds=bench.rounds, seed=bench.seed, on_sample=teller(bench)
        )
    compare(sides, facts)
    return samples, failed | failed_later


def one_by_one(
    files: Mapping[str, list[str]],
    sides: Mapping[str, Side],
    bench: Bench,
    facts: dict[str, dict[str, Any]],
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Each side alone in memory: what is told when it is warm is its peak."""
    samples, failed = [], {}
    for name in files:
        one = all_together(
            {name: files[name]}, {name: sides[name]}, replace(bench, rounds=0), facts
        )
        samples += one[0]
        failed |= one[1]
    return samples, failed


def teller(bench: Bench) -> Callable[[dict[str, Any]], None]:
    def tell(sample: dict[str, Any]) -> None:
        amount = sample.get("features") or sample.get("gflops") or 0
        rate = amount if "gflops" in sample else amount / sample["seconds"]
        unit = "GFLOP/s" if "gflops" in sample else "features/s"
        bench.say(f"round {sample['round']}: {sample['side']}: {rate:.4g} {unit}")

    return tell


def compare(sides: Mapping[str, Side], facts: dict[str, dict[str, Any]]) -> None:
    """How far each side's numbers are from our first one's of the same form: `difference`, the norm
    of the difference over the norm of ours (around their mean). The numbers themselves go."""
    reference: dict[tuple[str, int], np.ndarray] = {}
    for ours_first in (True, False):
        for name, side in sides.items():
            if side.ours == ours_first and "check" in facts[name]:
                numbers = np.array(facts[name].pop("check"))
                if not len(numbers):
                    continue
                key = (side.form, side.layers)
                facts[name]["difference"] = difference(
                    numbers, reference.setdefault(key, numbers), side
                )


def disagreeing(facts: Mapping[str, Mapping[str, Any]], precision: str) -> dict[str, str]:
    """The sides that did something else than ours, which has this precision, and how far off."""
    found = {}
    for name, side in facts.items():
        if "difference" not in side:
            continue
        tolerance = max(TOLERANCE[side["precision"]], TOLERANCE[precision])
        if side["difference"] is None:
            found[name] = "it gives another number of logits"
        elif side["difference"] > tolerance:
            found[name] = (
                f"its numbers are {side['difference']:.2g} of their spread away from ours "
                f"(tolerance {tolerance:g})"
            )
    return found


def difference(numbers: np.ndarray, reference: np.ndarray, side: Side) -> float | None:
    """None where they are not as many: another answer, not a less exact one."""
    if len(numbers) != len(reference):
        return None
    middle = 0.0 if side.trains else reference.mean()
    scale = np.linalg.norm(reference - middle)
    return float(np.linalg.norm(numbers - reference) / scale)


def check_environments(works: list[Work], bench: Bench) -> None:
    """UserError where an interpreter is missing."""
    for environment in dict.fromkeys(PROGRAMS[s.program] for w in works for s in w.sides):
        python = bench.python(environment)
        if not python.exists():
            raise UserError(
                f"{python}: no such file; `make bench` makes the environments of all sides"
            )
