"""What goes into a crate, and what is only named."""

from pathlib import Path

import pytest

from bertsquad.certificate.crate.payload import code_of, left_out, result_entries
from bertsquad.certificate.schema import read_certificate
from bertsquad.console.errors import UserError
from fake_run import DEV, MODEL, Run, git, make_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_run(tmp_path)


def names(run: Run, max_file: int = 10**6) -> list[str]:
    certificate = read_certificate(run.results / "certificate.json")
    return [entry.name for entry in result_entries(run.results, certificate, max_file)]


def test_results_go_in_but_for_resources_and_earlier_crates(run: Run):
    for name in ("bertsquad-abc-123.zip", "logs/crate.log", ".x.part", "notes.txt"):
        (run.results / name).write_text("x")
    assert names(run) == [
        "results/certificate.json",
        "results/config.json",
        "results/notes.txt",
        "results/report.html",
        "results/logs/small/finetune.log",
        "results/questions/index.js",
        "results/small/training_log.jsonl",
        "results/small/model/model.safetensors",
        f"results/{MODEL}/metrics.json",
        f"results/{MODEL}/predictions.json",
    ]


def test_large_files_are_named_with_their_hash_and_address(run: Run):
    held = {name.removeprefix("results/") for name in names(run, max_file=2000)}
    assert "small/model/model.safetensors" not in held
    certificate = read_certificate(run.results / "certificate.json")
    absent = {each.name: each for each in left_out(certificate, held)}
    weights = absent["small/model/model.safetensors"]
    assert (weights.bytes, weights.url, weights.reason) == (2800, None, "too large")
    assert absent[DEV].url == "https://example.org/dev-v1.1.json"
    assert absent[DEV].sha256 == certificate["files"][DEV]["sha256"]


def test_a_result_that_changed_since_is_refused(run: Run):
    (run.results / MODEL / "predictions.json").write_text("{}")
    with pytest.raises(UserError, match=r"predictions\.json: not as certificate\.json says"):
        names(run)


def test_a_log_that_is_being_written_is_packed_as_it_was_read(run: Run):
    log = run.results / "logs/export_results/mlperf.log"
    log.parent.mkdir(parents=True)
    log.write_text("half")
    certificate = read_certificate(run.results / "certificate.json")
    entries = {each.name: each for each in result_entries(run.results, certificate, 10**6)}
    log.write_text("half, and the rest")
    assert entries["results/logs/export_results/mlperf.log"].source == b"half"


def test_clean_code_is_what_git_archives(run: Run):
    (run.repository / "mine.txt").write_text("not of the code")
    code = code_of(run.repository)
    found = {entry.name: entry for entry in code.entries}
    assert sorted(found)[:3] == ["Snakefile", "envs/constraints.txt", "scripts/bertsquad/common.py"]
    assert found["scripts/finetune.py"].executable
    assert not found["Snakefile"].executable
    assert (code.diff, code.seconds) == (None, 1_772_366_400)


def test_changed_code_goes_in_as_it_is_with_the_difference(run: Run):
    (run.repository / "scripts/finetune.py").write_text("changed = True\n")
    (run.repository / "scripts/new.py").write_text("new = True\n")
    (run.repository / "scripts/report.py").unlink()
    code = code_of(run.repository)
    found = {entry.name: entry.source for entry in code.entries}
    assert found["scripts/finetune.py"] == run.repository / "scripts/finetune.py"
    assert "scripts/new.py" in found
    assert "scripts/report.py" not in found
    assert code.diff is not None
    assert b"+changed = True" in code.diff


def test_links_in_the_code_are_no_part_of_a_crate(run: Run):
    (run.repository / "scripts/link.py").symlink_to("/etc/passwd")
    git(run.repository, "add", "--all")
    git(run.repository, "commit", "--quiet", "--message", "Link")
    assert "scripts/link.py" not in {entry.name for entry in code_of(run.repository).entries}


def test_a_folder_without_git_gives_its_code_alone(tmp_path: Path):
    for name in ("Snakefile", "scripts/a.py", "scripts/__pycache__/a.pyc", "results/x", "me.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    code = code_of(tmp_path)
    assert [entry.name for entry in code.entries] == ["Snakefile", "scripts/a.py"]
    assert (code.diff, code.seconds) == (None, None)
