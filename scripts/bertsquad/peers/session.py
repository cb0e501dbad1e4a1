"""One work of the benchmark from start to end: files made, contenders started, rounds run."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bertsquad.benchmark.flops import useful_flops
from bertsquad.benchmark.side_process import SideFailed, SideProcess
from bertsquad.benchmark.turns import interleave
from bertsquad.console.errors import UserError
from bertsquad.engines import about, native
from bertsquad.files import read_json
from bertsquad.machine import torch_environment
from bertsquad.machine.cpu import cpu_flags, cpu_model, lacks_vnni
from bertsquad.machine.kernel import load_average, measurement_environment
from bertsquad.machine.memory import machine_memory_mib
from bertsquad.peers import materials
from bertsquad.peers.contenders import ANSWERS, CEILING, OURS, PROGRAMS, TEXTS, Contender, Work
from bertsquad.peers.leftovers import model_folder
from bertsquad.peers.rows import undecided

if TYPE_CHECKING:
    from bertsquad.data.features import Features

_ROOT = Path(__file__).resolve().parents[3]
_SCRIPTS = _ROOT / "scripts"
_PEERS = _SCRIPTS / "peers"
_CONVERT_SECONDS = 1800
_CALIBRATION = 16  # features, as scripts/peers/convert.py
# How far a contender's logits may be from ours, as a part of their spread, before it counts as
# another model: rounding in fp32; 8 bits of mantissa; weights and activations in 8 bits, which
# random weights suffer from more than trained ones.
_TOLERANCE = {"fp32": 1e-3, "bf16": 0.1, "int8": 0.5}


@dataclass
class Bench:
    """What all works share."""

    folder: Path  # for models, work files and logs
    squad: dict[str, Path]
    vocab: Path
    rounds: int
    threads: int
    seed: int = 0
    turn_s: float = 2.0  # the least that a turn takes: ratios of short ones spread much further
    shape: dict[str, int] = field(default_factory=dict)  # other sizes than BERT-Large's
    python: Callable[[str], Path] = lambda environment: _ROOT / environment / "bin/python"
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
            "turn_s": self.turn_s,
            "seed": self.seed,
            "shape": {**materials.LARGE, **self.shape},
            "contenders": [
                {**asdict(contender), "graphs": list(contender.graphs)}
                for contender in work.contenders
            ],
            "code_sha256": _code_sha256(),
        }


def _code_sha256() -> str:
    """The code of all contenders, and what their environments hold."""
    ours = (_SCRIPTS.glob(f"bertsquad/**/*.{ending}") for ending in ("py", "c", "h"))
    paths = sorted((*chain(*ours), *_PEERS.glob("*.py"), *_ROOT.glob("envs/*")))
    digest = hashlib.sha256()
    for path in paths:
        if path.is_file() and "reporting" not in path.parts:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def measure_work(work: Work, bench: Bench) -> dict[str, Any]:
    """The JSON of one work: settings, facts of every contender, and every sample.

    A contender that this processor would emulate, or that fails, is left out; its entry has the
    reason.
    """
    started = datetime.now(UTC).isoformat(timespec="seconds")
    load = load_average()
    contenders = {contender.name: contender for contender in work.contenders}
    left_out = {
        name: "this processor has no BF16 products, and emulated ones are no result"
        for name, contender in contenders.items()
        if contender.precision == "bf16" and not native("bf16")
    }
    taking_part = {
        name: contender for name, contender in contenders.items() if name not in left_out
    }
    rest = [contender for contender in taking_part.values() if contender.form != CEILING]
    if all(contender.precision != work.precision for contender in rest):
        left_out |= dict.fromkeys(taking_part, "there is nothing to compare it with here")
        taking_part = {}
    facts: dict[str, dict[str, Any]] = {
        name: {**asdict(contender), "ours": contender.ours, "native": native(contender.precision)}
        for name, contender in contenders.items()
    }
    files = {
        name: prepare(work, contender, bench, facts[name])
        for name, contender in taking_part.items()
    }
    if work.task == "memory":
        samples, failed = _one_by_one(files, taking_part, bench, facts)
    else:
        samples, failed = _all_together(files, taking_part, bench, facts)
    for name, reason in {**left_out, **failed, **disagreeing(facts, work.precision)}.items():
        facts[name]["left_out"] = reason
    return {
        "work": work.name,
        "task": work.task,
        "precision": work.precision,
        "settings": bench.settings(work),
        "contenders": facts,
        "samples": samples,
        "started_at": started,
        "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "load_average": load,
        "environment": measurement_environment(),
        "memory_mib": machine_memory_mib(),
        "vnni": not lacks_vnni(cpu_flags()),
    }


def prepare(work: Work, contender: Contender, bench: Bench, facts: dict[str, Any]) -> list[str]:
    """Make what a contender reads; return its command."""
    model = materials.make_model(
        model_folder(bench.folder, contender.layers),
        contender.layers,
        bench.vocab,
        **bench.shape,
    )
    if contender.form == TEXTS:
        given = bench.squad["train-v1.1.json"]
    elif contender.form == ANSWERS:
        given = bench.folder / "work" / "questions.json"
        materials.write_questions(given, bench.squad["dev-v1.1.json"])
    else:
        given = _features_file(work, contender, bench, facts, read_json(model / "config.json"))
    facts["weights_mib"] = (model / "model.safetensors").stat().st_size / 2**20
    facts["failed_before"] = None
    python = bench.python(PROGRAMS[contender.program])
    command = [str(python), str(_PEERS / f"{contender.program}_peer.py")]
    command += [
        "--variant",
        contender.variant,
        "--precision",
        contender.precision,
        "--form",
        contender.form,
    ]
    command += ["--threads", str(bench.threads), "--turn-s", str(bench.turn_s)]
    command += ["--model", str(model), "--input", str(given)]
    _convert(contender, model, bench, facts)
    if contender.ours and contender.precision == "int8":
        _quantize(contender, model, bench, facts)
    return command


def _features_file(
    work: Work,
    contender: Contender,
    bench: Bench,
    facts: dict[str, Any],
    model_config: dict[str, int],
) -> Path:
    """The features of a contender. Its facts get their `lengths`, and `gflop_per_feature`, what one
    costs, padding included."""
    form = "real" if contender.form == CEILING else contender.form
    training = contender.trains or work.task == "training"
    task = {"single": "inference", "linearity": "inference"}.get(work.task, work.task)
    features = bench.features(training)
    numbers = materials.choose(features.lengths, task, form, training)
    kind = "training" if training else "inference"
    path = bench.folder / "work" / f"{task}-{kind}-{form}.npz"
    lengths = materials.write_features(path, features, numbers)
    computed = [features.max_seq_length] * len(lengths) if form == "padded" else lengths
    # Forward; in training backward takes twice as much again.
    passes = 3 if training else 1
    flops = passes * useful_flops(model_config, np.array(computed))
    facts |= {"lengths": lengths, "gflop_per_feature": flops / len(lengths) / 1e9}
    return path


def _convert(contender: Contender, model: Path, bench: Bench, facts: dict[str, Any]) -> None:
    """Make the graphs that the contender reads, where they are missing."""
    missing = [graph for graph in contender.graphs if not (model / graph).exists()]
    if not missing:
        return
    bench.say(f"{contender.name}: making {', '.join(missing)}")
    calibration = bench.folder / "work" / "calibration.npz"
    features = bench.features(training=True)
    numbers = materials.choose(features.lengths, "inference", "real", True)
    materials.write_features(calibration, features, numbers)
    command = [str(bench.python(PROGRAMS[contender.program])), str(_PEERS / "convert.py")]
    command += ["--model", str(model), "--features", str(calibration), "--graphs", *missing]
    _make_files(command, contender, bench, facts)


def _quantize(contender: Contender, model: Path, bench: Bench, facts: dict[str, Any]) -> None:
    """Make our engine's INT8 model where it is missing, on as many features as the peers'."""
    output = model / f"{contender.variant}-int8"
    if all((output / name).is_file() for name in about(contender.variant).INT8_FILES):
        return
    bench.say(f"{contender.name}: quantizing")
    calibration = bench.folder / "work" / "calibration.safetensors"
    materials.write_calibration(calibration, bench.features(training=True), bench.vocab)
    command = [
        str(bench.python(OURS)),
        str(_SCRIPTS / "quantize.py"),
        "--engine",
        contender.variant,
    ]
    command += ["--model", str(model), "--features", str(calibration), "--count", str(_CALIBRATION)]
    command += ["--threads", str(bench.threads), "--output", str(output)]
    _make_files(command, contender, bench, facts)


def _make_files(
    command: list[str], contender: Contender, bench: Bench, facts: dict[str, Any]
) -> None:
    """Run what makes a file for a contender; where it fails, its facts hold the reason."""
    log = bench.folder / "logs" / f"files-{contender.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with log.open("wb") as output:
            subprocess.run(
                command, stdout=output, stderr=output, check=True, timeout=_CONVERT_SECONDS
            )
    except subprocess.TimeoutExpired:
        facts["failed_before"] = f"its files were not made in {_CONVERT_SECONDS} s"
    except subprocess.CalledProcessError:
        last = (log.read_text(errors="replace").strip().splitlines() or ["it wrote nothing"])[-1]
        facts["failed_before"] = f"its files could not be made: {last}"


def environment_of(contender: Contender, bench: Bench, scripts: Path = _SCRIPTS) -> dict[str, str]:
    """The variables of a contender's process; ours find the library in `scripts`."""
    environment = {
        **torch_environment.WAITING,  # of OpenMP: for the peers' PyTorch as for ours
        **os.environ,
        "OMP_NUM_THREADS": str(bench.threads),
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "HF_HUB_OFFLINE": "1",
    }
    environment.pop("PYTHONPATH", None)
    if PROGRAMS[contender.program] == OURS:
        environment["PYTHONPATH"] = str(scripts)
    return environment


def _start(name: str, contender: Contender, command: list[str], bench: Bench) -> SideProcess:
    log = bench.folder / "logs" / f"{name}.log"
    return SideProcess(name, command, environment_of(contender, bench), log)


def _all_together(
    files: Mapping[str, list[str]],
    contenders: Mapping[str, Contender],
    bench: Bench,
    facts: dict[str, dict[str, Any]],
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """All contenders loaded, one after the other, and then run in turns."""
    failed: dict[str, str] = {}
    with ExitStack() as stack:
        processes = {}
        for name, command in files.items():
            bench.say(f"{name}: loading")
            if reason := facts[name].pop("failed_before"):
                failed[name] = reason
                continue
            process = _start(name, contenders[name], command, bench)
            stack.callback(process.close)
            try:
                facts[name].update(process.ready())
            except SideFailed as error:
                failed[name] = str(error)
                process.close()
                continue
            processes[name] = process
        samples, failed_later = interleave(
            processes,
            rounds=bench.rounds,
            seed=bench.seed,
            on_sample=_teller(bench),
            undecided=lambda samples: undecided(facts, samples),
        )
    compare(contenders, facts)
    return samples, failed | failed_later


def _one_by_one(
    files: Mapping[str, list[str]],
    contenders: Mapping[str, Contender],
    bench: Bench,
    facts: dict[str, dict[str, Any]],
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Each contender alone in memory: its peak is the one that it reports when it is warm."""
    samples: list[dict[str, Any]] = []
    failed: dict[str, str] = {}
    for name in files:
        one = _all_together(
            {name: files[name]}, {name: contenders[name]}, replace(bench, rounds=0), facts
        )
        samples += one[0]
        failed |= one[1]
    return samples, failed


def _teller(bench: Bench) -> Callable[[dict[str, Any]], None]:
    def tell(sample: dict[str, Any]) -> None:
        amount = sample.get("features") or sample.get("gflops") or 0
        rate = amount if "gflops" in sample else amount / sample["seconds"]
        unit = "GFLOP/s" if "gflops" in sample else "features/s"
        bench.say(f"round {sample['round']}: {sample['contender']}: {rate:.4g} {unit}")

    return tell


def compare(contenders: Mapping[str, Contender], facts: dict[str, dict[str, Any]]) -> None:
    """Replace each contender's `check` by `difference`, how far it is from our first one's of the
    same form: the norm of the difference over the norm of ours (around their mean)."""
    reference: dict[tuple[str, int], np.ndarray] = {}
    for ours_first in (True, False):
        for name, contender in contenders.items():
            if contender.ours == ours_first and "check" in facts[name]:
                numbers = np.array(facts[name].pop("check"))
                if not len(numbers):
                    continue
                key = (contender.form, contender.layers)
                facts[name]["difference"] = difference(
                    numbers, reference.setdefault(key, numbers), contender
                )


def disagreeing(facts: Mapping[str, Mapping[str, Any]], precision: str) -> dict[str, str]:
    """The contenders that computed something else than ours, which has this precision, and how far
    off they are."""
    found = {}
    for name, contender in facts.items():
        if "difference" not in contender:
            continue
        tolerance = max(_TOLERANCE[contender["precision"]], _TOLERANCE[precision])
        if contender["difference"] is None:
            found[name] = "it gives another number of logits"
        elif contender["difference"] > tolerance:
            found[name] = (
                f"its numbers are {contender['difference']:.2g} of their spread away from ours "
                f"(tolerance {tolerance:g})"
            )
    return found


def difference(numbers: np.ndarray, reference: np.ndarray, contender: Contender) -> float | None:
    """None where they are not as many: another answer, not a less exact one."""
    if len(numbers) != len(reference):
        return None
    middle = 0.0 if contender.trains else reference.mean()
    scale = np.linalg.norm(reference - middle)
    return float(np.linalg.norm(numbers - reference) / scale)


def check_environments(works: list[Work], bench: Bench) -> None:
    """UserError where an interpreter is missing."""
    for environment in dict.fromkeys(PROGRAMS[s.program] for w in works for s in w.contenders):
        python = bench.python(environment)
        if not python.exists():
            raise UserError(
                f"{python}: no such file; `make bench` makes the environments of all contenders"
            )
