"""A crate as a whole: the same run gives the same bytes, and what it holds is said."""

import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from bertsquad.console.errors import UserError
from fake_run import CONFIG, Run, make_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_run(tmp_path / "run")


def read(path: Path, name: str) -> str:
    with zipfile.ZipFile(path) as opened:
        return opened.read(name).decode()


def test_the_same_results_give_the_same_bytes(run: Run, tmp_path: Path):
    first = run.crate(tmp_path / "first")
    again = make_run(tmp_path / "again").crate(tmp_path / "second")
    assert first.name == again.name
    assert first.read_bytes() == again.read_bytes()


def test_its_name_holds_the_commit_and_the_chain(run: Run):
    chain = json.loads((run.results / "certificate.json").read_text())["chain_sha256"]
    assert run.crate().name == f"bertsquad-{'a' * 12}-{chain[:8]}.zip"
    run.certify(project={"commit": None, "dirty": [], "version": ""})
    assert run.crate().name == f"bertsquad-nocommit-{chain[:8]}.zip"
    run.certify(project={"commit": "b" * 40, "dirty": ["scripts/x.py"], "version": ""})
    assert run.crate().name == f"bertsquad-{'b' * 12}-changed-{chain[:8]}.zip"


def test_sha256sum_alone_verifies_it(run: Run, tmp_path: Path):
    with zipfile.ZipFile(run.crate()) as opened:
        opened.extractall(tmp_path / "out")
    command = ["sha256sum", "--check", "--strict", "--quiet", "manifest-sha256.txt"]
    assert subprocess.run(command, cwd=tmp_path / "out").returncode == 0
    (tmp_path / "out/data/config.yaml").write_text("seed: 8\n")
    done = subprocess.run(command, cwd=tmp_path / "out", capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == "data/config.yaml: FAILED\n"


def test_it_is_run_again_beside_its_files(run: Run, tmp_path: Path):
    (run.folder / "lock.json").write_text("{}")
    (run.repository / "config").mkdir()
    (run.repository / "config/config.yaml").write_text("seed: 7")
    with zipfile.ZipFile(run.crate()) as opened:
        opened.extractall(tmp_path / "out")
    make = ["make", "--no-print-directory", "-C", str(tmp_path / "out")]
    for config in ([], ["CONFIG=config.yaml"], ["CONFIG=data/config.yaml"]):
        planned = subprocess.run([*make, "-n", "run", *config], capture_output=True, text=True)
        assert f"-C again  run CONFIG={tmp_path}/out/data/config.yaml\n" in planned.stdout
    subprocess.run([*make, "again"], check=True, capture_output=True)
    assert (tmp_path / "out/again/Snakefile").is_file()
    assert (tmp_path / "out/again/config/artifacts.lock.json").read_text() == "{}"
    planned = subprocess.run([*make, "-n", "compare"], capture_output=True, text=True)
    assert planned.stdout.endswith(f"again  compare A={tmp_path}/out/data/results B=results\n")


def test_an_environment_that_is_there_is_taken_as_it_is(run: Run, tmp_path: Path):
    with zipfile.ZipFile(run.crate()) as opened:
        opened.extractall(tmp_path / "out")
    (tmp_path / "env").mkdir()
    (tmp_path / "out/.venv").symlink_to(tmp_path / "env")
    make = ["make", "-C", str(tmp_path / "out")]
    subprocess.run([*make, "again"], check=True, capture_output=True)
    assert (tmp_path / "out/again/.venv").resolve() == tmp_path / "env"
    planned = subprocess.run([*make, "-n", "run"], capture_output=True, text=True)
    assert "-C again -o .venv/.run run CONFIG=" in planned.stdout


def test_the_preview_is_the_report_one_folder_up(run: Run):
    path = run.crate()
    assert read(path, "data/ro-crate-preview.html") == (
        '<div data-folder="results/questions">Report</div>'
    )


def test_the_configuration_can_be_given_to_snakemake(run: Run):
    import yaml

    text = read(run.crate(), "data/config.yaml")
    assert yaml.safe_load(text) == CONFIG
    assert list(yaml.safe_load(text)) == list(CONFIG)  # in its own order


def test_the_readme_says_what_to_do_what_is_doubtful_and_whose_text_it_is(run: Run):
    run.certify(doubts=[{"kind": "emulated", "what": "w", "where": "x"}])
    path = run.crate(max_file=2000)
    page = read(path, "data/README.md")
    verify = (
        f"unzip -q {path.name} -d crate && cd crate && sha256sum --quiet -c manifest-sha256.txt"
    )
    assert f"`{verify}`" in page
    assert (
        f"`python scripts/verify_crate.py {path.name} --unpack crate && make -C crate run`" in page
    )
    assert "| small/torch-fp32 | 33.33 | 55.56 | 3 |" in page
    assert "- a precision was measured that the processor emulates (1)" in page
    assert "- `small/model/model.safetensors`, 2.8 kB, sha256 " in page
    assert "Rajpurkar et al. 2016, SQuAD" in page
    assert "CC-BY-SA-4.0" in page


def test_a_changed_tree_goes_in_with_its_difference(run: Run):
    (run.repository / "Snakefile").write_text("rule all:\n    input: []\n")
    path = run.crate()
    assert "+    input: []" in read(path, "data/code.diff")
    assert read(path, "data/code/Snakefile") == "rule all:\n    input: []\n"


def test_a_run_without_a_certificate_is_told_what_to_do(run: Run):
    (run.results / "certificate.json").unlink()
    with pytest.raises(UserError, match=r"certificate\.json: no such file; finish the run first"):
        run.crate()


def test_a_name_that_no_manifest_can_hold_is_refused_and_nothing_is_written(run: Run):
    (run.results / "50%.txt").write_text("x")
    with pytest.raises(UserError, match="cannot be in a crate"):
        run.crate()
    assert list(run.folder.glob("*.zip")) == []
