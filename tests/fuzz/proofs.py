"""What is fuzzed of the files by which runs are proven, compared and planned, and of those that the
project keeps for itself: the second kind is made anew where it is damaged, and never refused."""

import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import fake_results
import made_cells
import made_runs
import waterfalls
from bertsquad.benchmark.quiet import Patience
from bertsquad.certificate import known_hashes
from bertsquad.certificate.compare.outcome import Rules, compare
from bertsquad.certificate.compare.page import render
from bertsquad.certificate.compare.sides import opened
from bertsquad.certificate.gather import Run, certify
from bertsquad.certificate.hashing import Hashes
from bertsquad.certificate.record import Places
from bertsquad.certificate.schema import write_certificate
from bertsquad.certificate.sentence import in_words
from bertsquad.certificate.sheets import read_sheet
from bertsquad.console.watching import read_state
from bertsquad.experiment.amounts import _shape_in
from bertsquad.experiment.estimate import rates_of
from bertsquad.experiment.machines import _flags
from bertsquad.experiment.origin import Origin
from bertsquad.experiment.stamps import Runner
from bertsquad.machine import claim
from bertsquad.machine.identity import other_machine
from bertsquad.own_json import as_written, object_or_empty
from bertsquad.planner import cells
from bertsquad.planner.export import describe_machine
from bertsquad.reporting import verdicts
from bertsquad.reporting.summary.result_files import read_object
from bertsquad.reporting.waterfall.chains import shown
from bertsquad.reporting.waterfall.words import as_json, as_text
from fuzz.target import Target, json_target
from made_run import made_run


def certificate(folder: Path) -> Target:
    ours = made_runs.results(folder / "ours/results")
    value = json.loads((ours / "certificate.json").read_text())
    value["steps"], value["config"] = value["steps"][:3], {"runs": {"demo": {"seed": 0}}}

    def read(path: Path) -> None:
        with opened("A", ours) as a, opened("B", path) as b:
            found = compare(a, b, Rules())
        render(found).encode()
        json.dumps(found, allow_nan=False, ensure_ascii=False).encode()

    return json_target(folder / "certificate.json", value, read)


def _certified(name: str) -> Callable[[Path], Target]:
    """A file of a run that is certified."""

    def target(folder: Path) -> Target:
        made_run(folder)
        results = folder / "results"
        places = Places(str(results), f"{results}/resources", f"{folder}/scripts")
        run = Run(places, results / "logs", folder / "metadata", folder / "constraints.txt")

        def read(path: Path) -> None:
            made = certify(
                run, [], origin=Origin("1", "a" * 40, (), ""), command=None, hashes=Hashes()
            )
            write_certificate(folder / "made.json", made)
            in_words(made).encode()

        return json_target(results / name, json.loads((results / name).read_text()), read)

    target.__name__ = f"certified_{Path(name).name.partition('.')[0]}"
    return target


def cells_json(folder: Path) -> Target:
    value = made_cells.cells_data(cells=[made_cells.cell(requests=8)])

    def read(path: Path) -> None:
        found = cells.read(path)
        for run in found.runs:
            assert found.questions(run).windows >= 1
        for cell in found.cells:
            assert cell.lanes >= 1
            assert (cell.services.seconds > 0).all()
            cell.name.encode()

    return json_target(folder / "cells.json", value, read)


def waterfall(folder: Path) -> Target:
    value = waterfalls.measured(rounds=3)
    value |= {"run": "demo", "engine": "torch", "precision": "fp32", "tokens": 9000}

    def read(path: Path) -> None:
        with as_written(path):  # as show_waterfall.py reads it
            found = [shown(read_object(path), None, [])]
            as_text(found)
            json.dumps(as_json(found), allow_nan=False)

    return json_target(folder / "waterfall.json", value, read)


def speed_comparison(folder: Path) -> Target:
    side = {"run": "demo", "engine": "torch", "precision": "fp32", "batch_size": 1, "threads": 2}
    value = {
        **{"name": "a-b", "a": side, "b": side | {"precision": "bf16"}, "verdict": "faster"},
        **{"why": "", "ratio": {"value": 1.1, "low": 1.0, "high": 1.2}, "rounds_used": 8},
        **{"rounds_disturbed": 0, "sd": 0.01, "same_within": 0.03},
    }
    return json_target(folder / "a-b.json", value, verdicts.read)


def noise(folder: Path) -> Target:
    value = {"sd": 0.01, "sees": {"8": 0.05}, "verdict": "same", "why": ""}
    return json_target(folder / "noise.json", value, lambda path: verdicts.read_noise([path]))


def described_machine(folder: Path) -> Target:
    here = {"cpu": "x", "cpu_identity": {"model": "y", "flags_sha256": "z", "cores": 3}}

    def read(path: Path) -> None:
        _flags(path)
        other_machine(here, object_or_empty(path))
        describe_machine(read_object(path), str(path))

    return json_target(folder / "machine.json", fake_results.MACHINE, read)


def ceilings(folder: Path) -> Target:
    value = {"gemm": {"fp32": {"native": True, "gflops": 100.0}}, "threads": 2}

    def read(path: Path) -> None:
        rates = rates_of(path, frozenset({"avx2"}), 2)
        low, high = rates.band("fp32", 1)
        assert 0 < low <= high
        assert rates.words

    return json_target(folder / "ceilings.json", value, read)


def shape(folder: Path) -> Target:
    value = {"hidden_size": 8, "num_hidden_layers": 2, "intermediate_size": 16}
    return json_target(folder / "config.json", value, _shape_in)


def stamps(folder: Path) -> Target:
    def read(path: Path) -> None:
        runner = Runner(path)
        runner._write("other", {"key": "x"})
        assert runner._read()["other"] == {"key": "x"}

    value = {"step": {"key": "x", "outputs": [["a", 1, 2]]}}
    return json_target(folder / "stamps.json", value, read)


def hashes(folder: Path) -> Target:
    """What is known of large files; a digit that was changed is no checksum of any."""
    large = folder / "large"
    large.write_bytes(b"x" * 50)
    known_hashes._LARGE, before = 1, known_hashes._LARGE
    made = known_hashes.KnownHashes(folder)
    made.sha256(large)
    made.save()
    known_hashes._LARGE = before
    path = folder / known_hashes.FILE
    value = json.loads(path.read_text())

    def read(path: Path) -> None:
        known_hashes._LARGE = 1
        try:
            found = known_hashes.KnownHashes(folder)
            assert found.sha256(large) == hashlib.sha256(b"x" * 50).hexdigest()
            found.new["large"] = value["large"]
            found.save()
        finally:
            known_hashes._LARGE = before

    return json_target(path, value, read)


def patience(folder: Path) -> Target:
    def read(path: Path) -> None:
        kept = Patience(10.0, path)
        assert 0 <= kept.left() <= 10
        kept.spend(1.0)

    return json_target(folder / "patience.json", {"left_s": 3.0, "at": time.time()}, read)


def claim_lock(folder: Path) -> Target:
    def read(path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            holder = claim._read(descriptor)
        finally:
            os.close(descriptor)
        if holder is not None:
            assert holder.name
            assert holder.beat >= 0 or holder.beat < 0

    value = {"host": "h", "boot": "b", "pid": 1, "job": None, "started": "x", "beat": 0}
    return json_target(folder / "lock", value, read)


def sheet(folder: Path) -> Target:
    value = {
        **{"rule": "x", "wildcards": {"a": "b"}, "code": ["s/x.py"], "inputs": [], "outputs": []},
        **{"params": {"a": "b"}, "packages": ["numpy"]},
        "places": {"results": "r", "resources": "r/res", "scripts": "s"},
    }
    return json_target(folder / ".x.job.json", value, read_sheet)


def watched(folder: Path) -> Target:
    value = {"host": "elsewhere", "at": time.time(), "process": 1, "lines": ["a"]}
    return json_target(folder / "state.json", value, _lines)


def _lines(path: Path) -> None:
    assert all(isinstance(line, str) for line in read_state(path, time.time()))


_LOG = "logs/demo/predict/torch-fp32.record.json"
_READ: tuple[Callable[[Path], Target], ...] = (
    *(certificate, _certified(_LOG), _certified("machine.json"), _certified("inputs.json")),
    *(cells_json, waterfall, speed_comparison, noise, described_machine, sheet),
)
_KEPT = (ceilings, shape, stamps, hashes, patience, claim_lock, watched)
# Of these a damaged one may well count as if there were none.
NEVER_REFUSED = (*(made.__name__ for made in _KEPT), "certified_torch-fp32")
PROOFS = {made.__name__: made for made in (*_READ, *_KEPT)}
# A comparison, or a certificate of all, for each input; the others are read in a millisecond.
_WRITTEN = ("cells_json", "stamps", "hashes", "patience")
SLOW_PROOFS = {"certificate": 40, **dict.fromkeys(_WRITTEN, 20)}
SLOW_PROOFS |= {name: 20 for name in PROOFS if name.startswith("certified")}
