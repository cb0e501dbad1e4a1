"""doubts.py: what a reader should know before believing."""

import base64
import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from bertsquad.experiment.origin import Origin
from certificate.test_gather import CLEAN, certified
from made_run import MODEL, add_cell, cell, made_run, sha256

LOOP = "bertsquad/training/loop.py"
MODEL_FILE = "demo/model/model.safetensors"


@pytest.fixture
def run(tmp_path):
    return made_run(tmp_path)


def doubts(run, origin=CLEAN):
    return [
        (d["kind"], d["what"], d["where"]) for d in certified(run.folder, origin=origin)["doubts"]
    ]


def note(run, log: str, **changes) -> None:
    """What Snakemake would note of a step that recorded itself, with other values in it."""
    record = json.loads((run.folder / f"results/logs/{log}.record.json").read_text())
    code = {f"scripts/{name}": digest for name, digest in record["code"].items()}
    inputs = {f"results/{name}": f["sha256"] for name, f in record["inputs"].items()}
    began, ended = (datetime.fromisoformat(record[k]).timestamp() for k in ("started", "ended"))
    noted = {
        "rule": record["rule"],
        "input": [*code, *inputs],
        "log": [f"results/logs/{log}.log"],
        "params": ["'--seed 0'"],
        "starttime": began - 0.5,
        "endtime": ended + 0.5,
        "input_checksums": {p: f"sha256:{h}" for p, h in (code | inputs).items()},
    } | changes
    folder = run.folder / ".snakemake/metadata"
    folder.mkdir(parents=True, exist_ok=True)
    for name in record["outputs"]:
        key = base64.urlsafe_b64encode(f"results/{name}".encode()).decode()
        (folder / key).write_text(json.dumps(noted))


def written_at(path: Path, moment: str) -> None:
    seconds = datetime.fromisoformat(moment).timestamp()
    os.utime(path, (seconds, seconds))


def during(run, log: str) -> str:
    """A moment while a step ran."""
    record = json.loads((run.folder / f"results/logs/{log}.record.json").read_text())
    return record["started"].replace(":00.000", ":10.000")


def test_a_run_that_was_recorded_whole_has_none(run):
    note(run, "demo/finetune")
    assert doubts(run) == []


def test_code_that_the_step_found_edited_when_it_ended(run):
    run.change_record("demo/finetune", edited={LOOP: "0" * 64})
    assert doubts(run) == [
        ("edited-while-running", f"{LOOP} changed while finetune/demo ran", "finetune/demo")
    ]


def test_code_that_snakemake_hashed_otherwise_when_the_job_ended(run):
    sums = {f"scripts/{LOOP}": "sha256:" + "0" * 64}
    note(run, "demo/finetune", input_checksums=sums)
    assert [(kind, where) for kind, _, where in doubts(run)] == [
        ("edited-while-running", "finetune/demo")
    ]


def test_a_note_of_an_earlier_run_of_the_job_is_no_witness(run):
    sums = {f"scripts/{LOOP}": "sha256:" + "0" * 64}
    note(run, "demo/finetune", input_checksums=sums, starttime=1.0, endtime=2.0)
    assert doubts(run) == []


@pytest.mark.parametrize("name", [f"scripts/{LOOP}", "results/resources/downloads/train.json"])
def test_a_file_written_while_the_step_ran(run, name):
    path = run.folder / name
    path.write_text(path.read_text() + "\n")
    written_at(path, during(run, "demo/finetune"))
    found = [(kind, where) for kind, _, where in doubts(run)]
    assert ("edited-while-running", "finetune/demo") in found


def test_a_file_touched_while_the_step_ran_is_as_it_was(run):
    written_at(run.folder / "scripts" / LOOP, during(run, "demo/finetune"))
    assert doubts(run) == []


def test_without_a_record_a_file_written_while_the_job_ran_is_enough(run):
    note(run, "demo/finetune")
    written_at(run.folder / "scripts" / LOOP, during(run, "demo/finetune"))
    (run.folder / "results/logs/demo/finetune.record.json").unlink()
    assert [kind for kind, *_ in doubts(run)] == ["edited-while-running", "metadata-missing"]


def test_code_edited_after_the_step_is_another_matter(run):
    path = run.folder / "scripts" / LOOP
    path.write_text("# edited\n")
    assert doubts(run) == [
        (
            "changed-since",
            f"finetune/demo was run by another version of {LOOP} than there is now",
            "finetune/demo",
        )
    ]


def test_a_model_trained_anew_by_hand_is_not_the_one_that_answered(run):
    weights = run.path(MODEL_FILE)
    weights.write_bytes(b"other")
    outputs = {name: run.facts(name) for name in (MODEL_FILE, "demo/training_log.jsonl")}
    run.change_record("demo/finetune", outputs=outputs)
    assert {(kind, where) for kind, _, where in doubts(run)} == {
        ("changed-since", "compute_logits/demo/torch/fp32"),
        ("changed-since", "benchmark_inference/demo/torch/fp32/offline/auto/all/1"),
    }


def test_code_that_no_commit_holds(run):
    changed = ("rules/a.smk", "scripts/a.py", "scripts/b.py", "scripts/c.py")
    assert doubts(run, Origin("0.1.0", "619ed8bfa0d1" + "0" * 28, changed, "")) == [
        (
            "dirty-tree",
            "rules/a.smk, scripts/a.py, scripts/b.py and 1 more differ from commit 619ed8bfa0d1",
            "",
        )
    ]


def test_an_input_that_nobody_lists(run):
    extra = {"outside/trace.csv": {"sha256": "1" * 64, "bytes": 7}}
    run.change_record("demo/predict/torch-fp32", inputs=extra)
    (kind, what, where) = doubts(run)[0]
    assert (kind, where) == ("untracked-input", "outside/trace.csv")
    assert what == (
        "outside/trace.csv was used by predict/demo/torch/fp32; nothing tells where it came from"
    )


def test_an_input_from_outside_that_is_listed_by_its_content(run):
    listed = sha256(run.path("resources/downloads/dev.json"))
    extra = {"outside/my-dev.json": {"sha256": listed, "bytes": 7}}
    run.change_record("download/dev.json", inputs=extra)
    assert doubts(run) == []


@pytest.mark.parametrize(
    ("container", "known"),
    [
        ({"engine": "docker", "image": "bertsquad", "image_id": "sha256:12", "digest": None}, True),
        ({"engine": "apptainer", "image": "b.sif", "image_sha256": "12"}, True),
        ({"engine": "apptainer", "image": "b.sif", "image_sha256": {"unavailable": "x"}}, False),
        ({"engine": "docker", "image": {"unavailable": "not told"}}, False),
    ],
)
def test_an_image_counts_by_its_content(run, container, known):
    run.change_record("demo/finetune", container=container)
    assert [kind for kind, *_ in doubts(run)] == ([] if known else ["unpinned-image"])


def test_disturbed_and_emulated_measurements_each_name_their_cell(run):
    busy = [{"code": "busy", "level": "disturbed"}, {"code": "clock", "level": "noted"}]
    emulated = [{"code": "emulated", "level": "invalid"}]
    verdict = {"verdict": "disturbed", "reasons": busy}
    add_cell(run, cell(1, validity=verdict))
    summary = run.folder / "results/logs/summarize.record.json"
    record = json.loads(summary.read_text())
    for scenario, made in {
        "slow": cell(1, native=False, validity={"verdict": "invalid", "reasons": emulated}),
        "old": {k: v for k, v in cell(1).items() if k != "validity"}
        | {"activity": {"other_cpus": 1.5}},
    }.items():
        name = add_cell(run, made, scenario)
        record["inputs"][name] = run.facts(name)
    summary.write_text(json.dumps(record))
    assert doubts(run)[1:] == [
        ("disturbed", f"{MODEL}/offline/auto/all: 1 of 1 repeats disturbed (busy)",
         f"{MODEL}/offline/auto/all"),
        ("disturbed", f"{MODEL}/old/auto/all: 1 of 1 repeats disturbed (busy)",
         f"{MODEL}/old/auto/all"),
        ("emulated", f"{MODEL}/slow/auto/all: this processor emulates the precision",
         f"{MODEL}/slow/auto/all"),
    ]  # fmt: skip
