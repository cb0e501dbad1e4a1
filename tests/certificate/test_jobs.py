"""jobs.py: the jobs behind some results."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.certificate.jobs import Job, find_jobs, in_order
from bertsquad.certificate.record import Places
from made_run import MODEL, made_run


def job(id: str, inputs: list[str], outputs: list[str]) -> Job:
    return Job(id, id, dict.fromkeys(inputs), dict.fromkeys(outputs), {}, None, {}, None, None)


@given(st.permutations(["d", "c", "b", "a"]))
def test_the_order_depends_on_the_jobs_alone(drawn):
    jobs = {
        "a": job("a", ["z"], []),
        "b": job("b", [], ["y"]),
        "c": job("c", ["y"], ["z"]),
        "d": job("d", [], []),
    }
    assert [each.id for each in in_order(jobs[name] for name in drawn)] == ["b", "c", "a", "d"]


def test_jobs_that_use_each_other_are_all_there():
    assert [j.id for j in in_order([job("b", ["x"], ["y"]), job("a", ["y"], ["x"])])] == ["a", "b"]


def places(folder: Path) -> Places:
    results, scripts = str(folder / "results"), str(folder / "scripts")
    return Places(results, f"{results}/resources", scripts)


def find(folder: Path, *names: str):
    where = places(folder)
    return find_jobs(names, where, folder / "results/logs", folder / "metadata")


def test_only_what_is_behind_a_file_is_found(tmp_path):
    made_run(tmp_path)
    found = find(tmp_path, f"{MODEL}/metrics.json")
    assert [each.id for each in found.jobs] == [
        "download/dev.json",
        "download/train.json",
        "finetune/demo",
        "compute_logits/demo/torch/fp32",
        "predict/demo/torch/fp32",
        "evaluate/demo/torch/fp32",
    ]
    assert found.loose == []


def test_of_two_records_of_an_output_the_later_one_counts(tmp_path):
    run = made_run(tmp_path)
    record = json.loads((tmp_path / "results/logs/demo/finetune.record.json").read_text())
    for name, hour in (("older", "00"), ("newer", "23")):
        record |= {"id": name, "ended": f"2020-11-30T{hour}:59:59.000+00:00"}
        run.write(f"results/logs/{name}.record.json", record)
    jobs = find(tmp_path, "demo/model/model.safetensors").jobs
    assert [each.id for each in jobs] == ["download/train.json", "newer"]


def note(folder: Path, output: str, **facts) -> None:
    key = base64.urlsafe_b64encode(str(folder / "results" / output).encode()).decode()
    parts = [key[i : i + 254] for i in range(0, len(key), 254)]
    path = (folder / "metadata").joinpath(*(f"@{part}" for part in parts[:-1]), parts[-1])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts))


@pytest.mark.parametrize("run", ["demo", "a-long-name-" * 15])
def test_snakemakes_notes_stand_in(tmp_path, run):
    scripts, results = tmp_path / "scripts", tmp_path / "results"
    facts = {
        "rule": "finetune",
        "input": [f"{scripts}/finetune.py", f"{results}/resources/features/a.safetensors"],
        "log": [f"{results}/logs/{run}/finetune.log"],
        "params": [f"'{results}/{run}/model'", "'--seed 0'"],
        "input_checksums": {f"{scripts}/finetune.py": "sha256:" + "1" * 64},
        "starttime": 1.0,
        "endtime": 2.0,
    }
    for name in ("model/model.safetensors", "training_log.jsonl"):
        note(tmp_path, f"{run}/{name}", **facts)
    for name in ("model/config.json", "model/unnoted.json"):
        (results / run / name).parent.mkdir(parents=True, exist_ok=True)
        (results / run / name).write_text("{}")
    note(tmp_path, f"{run}/model/config.json", **facts)
    found = find(tmp_path, f"{run}/model/model.safetensors", f"{run}/training_log.jsonl")
    (only,) = found.jobs
    assert only.id == f"finetune/{run}"
    outputs = ("model/model.safetensors", "model/config.json", "training_log.jsonl")
    assert set(only.outputs) == {f"{run}/{name}" for name in outputs}
    assert only.inputs == {"resources/features/a.safetensors": None}
    assert only.code == {"finetune.py": "1" * 64}
    assert only.params == {"0": f"'{run}/model'", "1": "'--seed 0'"}
    assert only.period() == (1.0, 2.0)
    assert found.loose == ["resources/features/a.safetensors"]


def test_a_file_of_a_folder_that_a_rule_made(tmp_path):
    note(tmp_path, "demo/openvino-int8/quantized", rule="quantize", input=[], log=[])
    found = find(tmp_path, "demo/openvino-int8/quantized/model.xml")
    assert [list(each.outputs) for each in found.jobs] == [
        ["demo/openvino-int8/quantized/model.xml"]
    ]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rule": 1}', "\x00"])
def test_notes_that_cannot_be_read_are_none(tmp_path, text):
    key = base64.urlsafe_b64encode(f"{tmp_path}/results/summary.csv".encode()).decode()
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / key).write_text(text)
    assert find(tmp_path, "summary.csv").loose == ["summary.csv"]
