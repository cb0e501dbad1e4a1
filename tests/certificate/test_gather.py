"""gather.py: the certificate of a results folder."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from bertsquad.certificate.gather import Run, certify
from bertsquad.certificate.hashing import Hashes
from bertsquad.certificate.schema import read_certificate, write_certificate
from bertsquad.console.errors import UserError
from bertsquad.experiment.origin import Origin
from made_run import CELL, CONFIG, MODEL, PLACES, add_cell, cell, made_run

CLEAN = Origin("0.1.0", "619ed8bfa0d1b4c3f1f0e0a9a2b7c1d4e5f60718", (), "")
ROOTS = ("summary.csv", "machine.json", "config.json", "inputs.json", "figures/accuracy.svg")
ROOTS += ("figures/latency.svg",)
EXACT = (
    "resources/downloads/train.json",
    "resources/downloads/dev.json",
    "demo/model/model.safetensors",
    f"{MODEL}/logits.safetensors",
    f"{MODEL}/predictions.json",
    f"{MODEL}/nbest_predictions.json",
    f"{MODEL}/metrics.json",
    "figures/accuracy.svg",
)
TIMED = (f"{CELL}1.json", "machine.json", "figures/latency.svg")
IN_PART = ("demo/training_log.jsonl", "summary.csv", "config.json", "inputs.json")


def certified(folder: Path, files=ROOTS, origin=CLEAN):
    """The certificate, as somebody in the folder of the run gets it."""
    here = Path.cwd()
    os.chdir(folder)
    try:
        run = Run(
            PLACES, Path("results/logs"), Path(".snakemake/metadata"), Path("constraints.txt")
        )
        paths = [PLACES.path(name) for name in files]
        return certify(run, paths, origin=origin, command="snakemake", hashes=Hashes())
    finally:
        os.chdir(here)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    made_run(folder)
    return folder


@pytest.fixture(scope="module")
def whole(made):
    return certified(made)


@pytest.fixture
def copied(made, tmp_path):
    shutil.copytree(made, tmp_path / "run")
    return tmp_path / "run"


def kinds(certificate):
    return {doubt["kind"] for doubt in certificate["doubts"]}


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_what_is_certified_of_a_whole_run(whole, tmp_path):
    assert whole["doubts"] == []
    assert {name for name, f in whole["files"].items() if f["class"] == "exact"} == set(EXACT)
    timed = {name for name, f in whole["files"].items() if f["class"] == "timed"}
    assert timed == {*TIMED, *IN_PART}
    assert {name for name, f in whole["files"].items() if "exact_sha256" in f} == set(IN_PART)
    assert whole["scores"] == {
        MODEL: {"exact_match": 93.0, "f1": 94.5, "questions": 510, "interval": [92.5, 96.5]}
    }
    (speed,) = whole["speeds"].values()
    assert speed["features_per_second"] == [701.0]
    assert speed["samples_ms"] == [710.0]
    assert whole["machines"]["".join(whole["machines"])]["hosts"] == ["n1"]
    assert whole["environment"]["packages"] == {"torch": "2.13.0+cpu", "numpy": "2.4.6"}
    assert whole["inputs"]["dev.json"]["license"] == "CC BY-SA 4.0"
    assert whole["project"] == {"commit": CLEAN.commit, "dirty": [], "version": "0.1.0"}
    write_certificate(tmp_path / "certificate.json", whole)
    assert read_certificate(tmp_path / "certificate.json") == whole


def test_every_step_comes_after_those_whose_outputs_it_uses(whole):
    made = set()
    makes = {name for step in whole["steps"] for name in step["outputs"]}
    for step in whole["steps"]:
        assert makes & set(step["inputs"]) <= made
        made |= set(step["outputs"])
    assert [step["id"] for step in whole["steps"]][-2:] == ["plot/accuracy", "plot/latency"]


def test_the_same_run_in_another_folder_at_another_time_has_the_same_number(whole, tmp_path):
    other = made_run(tmp_path / "elsewhere")
    other.change_record("demo/finetune", host="n2", started="2021-01-01T00:00:00.000+00:00")
    other.change_record("demo/evaluate/torch-fp32", job="77", node="node7", kernel="Linux 5.1")
    assert certified(other.folder)["chain_sha256"] == whole["chain_sha256"]


@pytest.mark.parametrize("name", EXACT)
def test_a_flipped_byte_of_an_exact_file_changes_the_certificate_and_the_number(
    whole, copied, name
):
    flip(copied / "results" / name)
    after = certified(copied)
    assert after["files"][name] != whole["files"][name]
    assert after["chain_sha256"] != whole["chain_sha256"]
    assert [d["where"] for d in after["doubts"] if d["kind"] == "changed-since"] == [name]


@pytest.mark.parametrize("name", TIMED)
def test_a_flipped_byte_of_a_timed_file_changes_no_number(whole, copied, name):
    path = copied / "results" / name
    path.write_text(path.read_text().replace("n1", "n2").replace("latency", "Latency"))
    if name == "machine.json":
        path.write_text(path.read_text().replace("6.1.0", "6.1.1"))
    after = certified(copied)
    assert after["files"][name] != whole["files"][name]
    assert after["chain_sha256"] == whole["chain_sha256"]


@pytest.mark.parametrize(
    ("name", "timed", "exact"),
    [
        ("demo/training_log.jsonl", ("0.25", "0.75"), ("4.5", "4.25")),
        ("summary.csv", ("701.0", "702.0"), ("94.5", "94.4")),
        ("config.json", ('"offline": false', '"offline": true'), ('"epochs": 1.4', '"epochs": 2')),
        ("inputs.json", ("https://example.org/", "https://mirror/"), ("Somebody", "Nobody")),
    ],
)
def test_of_a_file_with_times_the_rest_counts(whole, copied, name, timed, exact):
    path = copied / "results" / name
    text = path.read_text()
    assert timed[0] in text
    assert exact[0] in text
    path.write_text(text.replace(*timed))
    assert certified(copied)["chain_sha256"] == whole["chain_sha256"]
    path.write_text(text.replace(*exact))
    assert certified(copied)["chain_sha256"] != whole["chain_sha256"]


def test_another_log_is_another_hash_of_a_log_and_nothing_else(whole, copied):
    (copied / "results/logs/demo/finetune.log").write_text("it took long\n")
    after = certified(copied)
    changed = {name for name, f in after["files"].items() if f != whole["files"][name]}
    assert changed == {"logs/demo/finetune.log"}
    assert (
        after["files"] | {"logs/demo/finetune.log": whole["files"]["logs/demo/finetune.log"]}
        == (whole["files"])
    )
    assert after["chain_sha256"] == whole["chain_sha256"]


def test_what_another_configuration_left_behind_is_not_certified(whole, copied):
    (copied / "results/old/torch-fp32").mkdir(parents=True)
    (copied / "results/old/torch-fp32/metrics.json").write_text("{}")
    assert certified(copied) == whole


def test_without_records_or_notes_all_that_is_there_is_certified(copied):
    shutil.rmtree(copied / "results/logs")
    (copied / "results/certificate.json").write_text("{}")
    (copied / "results/report.html").write_text("")
    (copied / "results/demo/training_state.part").write_text("")
    found = certified(copied)
    assert set(found["files"]) == {*EXACT, *TIMED, *IN_PART}
    assert kinds(found) == {"metadata-missing"}
    assert found["steps"] == []
    assert found["machines"]["here"]["cpu"] == "AMD EPYC 9354"
    assert found["environment"]["python"] == "3.11.7"
    assert found["scores"][MODEL]["f1"] == 94.5
    flip(copied / "results" / MODEL / "predictions.json")
    assert certified(copied)["chain_sha256"] != found["chain_sha256"]


def test_a_damaged_record_is_told_and_the_rest_is_certified(copied):
    (copied / "results/logs/demo/finetune.record.json").write_text('{"format": "bertsq')
    found = certified(copied)
    assert kinds(found) == {"metadata-missing", "untracked-input"}
    assert any("finetune.record.json" in doubt["what"] for doubt in found["doubts"])
    assert "evaluate/demo/torch/fp32" in {step["id"] for step in found["steps"]}


def test_nothing_to_certify_is_one_line(tmp_path):
    with pytest.raises(UserError, match="results: no results; run the workflow first"):
        certified(tmp_path)


def test_a_checkout_without_git_says_so(made):
    found = certified(made, origin=Origin("0.1.0", "", (), "these files are not a git repository"))
    assert found["project"]["commit"] is None
    assert found["project"]["note"] == "these files are not a git repository"
    assert kinds(found) == {"dirty-tree"}


def test_hosts_and_offline_mode_are_no_settings(whole):
    assert set(CONFIG) - set(whole["config"]) == {"distributed", "drop_folder", "offline"}


def test_a_thousand_cells_take_less_than_ten_seconds_of_processor_time(tmp_path):
    run = made_run(tmp_path)
    names = [add_cell(run, cell(1), f"scenario{number}") for number in range(1000)]
    path = run.folder / "results/logs/summarize.record.json"
    record = json.loads(path.read_text())
    record["inputs"] |= {name: run.facts(name) for name in names}
    path.write_text(json.dumps(record))
    before = time.process_time()
    found = certified(tmp_path)
    write_certificate(tmp_path / "certificate.json", found)
    assert time.process_time() - before < 10
    assert len(found["speeds"]) == 1001
    assert len(found["steps"]) == 1012


def test_a_file_whose_name_is_not_utf8_is_named_in_one_line(tmp_path):
    made_run(tmp_path)
    shutil.rmtree(tmp_path / "results/logs")
    Path(os.fsdecode(os.fsencode(tmp_path / "results") + b"/bad\xff.json")).write_text("{}")
    with pytest.raises(UserError, match=r"^results: a file's name is not UTF-8: 'bad.udcff\.json'"):
        certified(tmp_path, files=())


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("machine.json", '{"versions": "old", "cpu": {"model": 3}, "container": "x"}', ""),
        ("machine.json", "[]", "results/machine.json: found list"),
        ("inputs.json", '{"a": {"sha256": "x"}}', "results/inputs.json: 'a'.sha256: found 'x'"),
        ("config.json", '{"runs": {}, "runs": {}}', "results/config.json: .* is there twice"),
        (f"{MODEL}/metrics.json", '{"f1": 1e400, "exact_match": 9, "questions": 1}', ""),
        (f"{CELL}1.json", "[" * 100_000, ""),
        ("demo/training_log.jsonl", "[" * 100_000, ""),
    ],
)
def test_a_damaged_result_is_one_line_or_a_doubt(tmp_path, name, content, said):
    """What decides nothing of the others, as a cell, is certified as it is, and doubted."""
    made_run(tmp_path)
    (tmp_path / "results" / name).write_text(content)
    if said:
        with pytest.raises(UserError, match=said):
            certified(tmp_path)
    else:
        certificate = certified(tmp_path)
        write_certificate(tmp_path / "made.json", certificate)
        assert ("changed-since", name) in {(d["kind"], d["where"]) for d in certificate["doubts"]}
