"""The Snakefile: planned from anywhere, with any shipped config, and clear about mistakes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bertsquad.engines import native
from project import Project, copy_project

ROOT = Path(__file__).resolve().parent.parent.parent
COMMANDS = sorted(path.name for path in (ROOT / "scripts").glob("*.py"))


@pytest.mark.parametrize("script", COMMANDS)
def test_every_command_answers_help_without_loading_anything_heavy(script: str):
    program = (
        "import runpy, sys\n"
        f"sys.argv = [{script!r}, '--help']\n"
        "try:\n"
        f"    runpy.run_path('scripts/{script}', run_name='__main__')\n"
        "except SystemExit as error:\n"
        "    assert not error.code\n"
        "heavy = {'torch', 'numpy', 'pandas', 'matplotlib', 'tokenizers', 'requests', 'yaml'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONPATH": "scripts"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: ")


def test_the_guides_experiment_is_planned_in_every_step_and_its_download_announced(fresh):
    done = fresh.snakemake("-n", "--configfile", "config/guide.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 files to download and store, about 5.94 GB" in done.stderr
    planned = fresh.planned("--configfile", "config/guide.yaml")
    assert planned == {
        "download": 6,
        "unzip": 8,
        "convert_checkpoint": 2,
        "featurize": 4,
        "finetune": 4,
        "quantize": 8,
        "compute_logits": 28,
        "predict": 28,
        "evaluate": 28,
        "compare_answers": 24,
        "benchmark_inference": 378,
        "probe_machine": 1,
        "record_inputs": 1,
        "summarize": 1,
        "plot": 10,
        "make_certificate": 1,
        "report": 1,
    }


def test_minilm_is_planned(fresh):
    planned = fresh.planned("--configfile", "config/minilm.yaml")
    assert planned["download"] == 6
    assert "unzip" not in planned


@pytest.fixture
def bf16_by_openvino(fresh) -> str:
    """A config that asks for it."""
    (fresh.folder / "my.yaml").write_text(
        "checkpoint: synthetic\ndataset: synthetic\nruns: {a: {}}\nengines: {openvino: [bf16]}\n"
    )
    return "my.yaml"


WITHOUT_BF16 = pytest.mark.skipif(native("bf16"), reason="this processor has BF16 instructions")


@WITHOUT_BF16
def test_what_this_machine_would_not_run_as_asked_is_planned_with_a_warning(
    fresh, bf16_by_openvino
):
    done = fresh.snakemake("-n", "--configfile", bf16_by_openvino)
    assert done.returncode == 0
    assert "bertsquad: warning: my.yaml: openvino bf16: this processor has no BF16" in done.stderr


@WITHOUT_BF16
def test_what_this_machine_would_not_run_as_asked_is_refused_before_the_first_job(
    fresh, bf16_by_openvino
):
    done = fresh.snakemake("--cores", "1", "--configfile", bf16_by_openvino)
    assert done.returncode == 2
    assert "bertsquad: error: openvino bf16: this processor has no BF16" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (fresh.folder / "results").exists()


def test_what_is_served_is_what_was_trained(fresh):
    plan = fresh.snakemake("-n", "timings", "accuracy")
    jobs = re.split(r"^\[", plan.stdout + plan.stderr, flags=re.M)
    served = {"compute_logits": set(), "benchmark_inference": set(), "finetune": set()}
    for job in jobs:
        named = re.search(r"rule (\w+):", job)
        if named and named[1] in served:
            side = "output" if named[1] == "finetune" else "input"
            files = re.search(rf"^    {side}: (.*)$", job, re.M)[1].split(", ")
            served[named[1]] |= {file for file in files if file.endswith("model.safetensors")}
    trained = {f"results/{run}/model/model.safetensors" for run in ("demo-fp32", "demo-bf16")}
    untrained = "results/untrained/model/model.safetensors"
    assert served["compute_logits"] == trained | {untrained}
    assert served["benchmark_inference"] == {"results/demo-fp32/model/model.safetensors"}
    assert trained | {untrained} <= served["finetune"]


def test_it_runs_from_another_working_directory(fresh, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    snakefile = str(fresh.folder / "Snakefile")
    done = fresh.snakemake(
        "--cores", "1", "--snakefile", snakefile, "--directory", str(elsewhere), "generate_demo"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (elsewhere / "results/resources/demo/demo-dev.json").is_file()
    assert not (fresh.folder / "results").exists()


@pytest.mark.parametrize("folder", ["a b", "br{ace}", "x;touch pwned 'p\"&$y"])
def test_no_path_is_read_as_a_pattern_or_a_command(tmp_path: Path, folder: str):
    project = Project(copy_project(tmp_path / folder))
    assert "finetune" in project.planned()
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    config = elsewhere / "own.yaml"
    config.write_text(
        "title: 'F1 of {BERT, MiniLM}; touch pwned $(touch pwned)'\n"
        "checkpoint: synthetic\ndataset: synthetic\nruns: {a: {}}\n"
        "pathvars: {results: 'my results; touch pwned'}\n"
    )
    snakefile = str(project.folder / "Snakefile")
    common = ("--snakefile", snakefile, "--configfile", str(config), "--cores", "1")
    plan = project.snakemake("-n", *common, cwd=elsewhere)
    assert plan.returncode == 0, plan.stdout + plan.stderr
    checkpoint = "my results; touch pwned/resources/checkpoints/synthetic/vocab.txt"
    made = project.snakemake(
        *common, "my results; touch pwned/config.json", checkpoint, cwd=elsewhere
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert (elsewhere / "my results; touch pwned/config.json").is_file()
    assert not list(tmp_path.rglob("pwned"))


def test_it_is_a_module_of_another_workflow(fresh, tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "Snakefile").write_text(
        "module squad:\n"
        f"    snakefile: {str(fresh.folder / 'Snakefile')!r}\n"
        "    config: config\n"
        "    pathvars: results='squad-results'\n\n"
        "use rule * from squad as squad_*\n"
    )
    config = str(fresh.folder / "config/config.yaml")
    plan = fresh.snakemake("-n", "squad_all", "--configfile", config, cwd=other)
    assert plan.returncode == 0, plan.stdout + plan.stderr
    assert "squad_finetune" in plan.stdout + plan.stderr
    done = fresh.snakemake("squad_probe_machine", "--cores", "1", "--configfile", config, cwd=other)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (other / "squad-results/machine.json").is_file()


def test_a_config_of_the_working_directorys_own_comes_first(fresh, tmp_path: Path):
    own = tmp_path / "own"
    (own / "config").mkdir(parents=True)
    (own / "config/config.yaml").write_text(
        "checkpoint: minilm\ndataset: squad-1.1\nruns: {mine: {}}\n"
    )
    snakefile = str(fresh.folder / "Snakefile")
    done = fresh.snakemake("-n", "--snakefile", snakefile, "--directory", str(own))
    assert done.returncode == 0, done.stderr
    assert "results/mine/" in done.stdout + done.stderr


MISTAKES = {
    "a misspelt key": ("rums: {a: {}}", "unknown key 'rums'; did you mean runs?"),
    "a number read as text": (
        "runs: {a: {learning_rate: 3e-5}}",
        "runs.a.learning_rate: found the text '3e-5', expected a number: YAML reads this as text, "
        "write 3.0e-5",
    ),
    "a value out of range": ("runs: {a: {batch_size: 0}}", "runs.a.batch_size: 0 is less than"),
    "a run that is a folder": ("runs: {resources: {}}", "choose another name for the run"),
    "an unknown checkpoint": ("checkpoint: minilmm", "unknown checkpoint 'minilmm'; did you mean"),
    "an unknown dataset": ("dataset: squad", "unknown dataset 'squad'"),
    "an unknown artifact": (
        "artifacts: {datasets: {synthetic: {dev: demo-deu.json}}}",
        "unknown artifact 'demo-deu.json'; did you mean demo-dev.json",
    ),
    "an artifact without an address": (
        "artifacts: {artifacts: {demo-dev.json: {urls: []}}}",
        "artifacts.demo-dev.json.urls",
    ),
}


@pytest.mark.parametrize(("text", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_config_is_one_line_and_status_2(fresh, text: str, message: str):
    base = {"checkpoint": "synthetic", "dataset": "synthetic", "runs": "{a: {}}"}
    key = text.split(":")[0]
    lines = [f"{name}: {value}" for name, value in base.items() if name != key]
    (fresh.folder / "my.yaml").write_text("\n".join([*lines, text]) + "\n")
    done = fresh.snakemake("-n", "--configfile", "my.yaml")
    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if "error" in line.lower()]
    assert len(errors) == 1
    assert errors[0].startswith("bertsquad: error: my.yaml: ")
    assert message in errors[0]
    assert "Traceback" not in done.stderr


def test_offline_what_is_missing_is_named_before_any_job(fresh):
    done = fresh.snakemake("-n", "--configfile", "config/minilm.yaml", "--config", "offline=True")
    assert done.returncode == 2
    assert "put into" in done.stderr
    assert "train-v1.1.json from https://" in done.stderr


def test_the_doctor_prints_and_makes_nothing_that_is_asked_for(fresh):
    done = fresh.snakemake("doctor", "--cores", "1", "--configfile", "config/minilm.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "config       config/minilm.yaml: MiniLM on SQuAD 1.1" in done.stdout
    assert not (fresh.folder / "results/machine.json").exists()


def test_the_machines_speed_is_measured_whatever_the_config_and_nothing_downloaded(fresh):
    asked = ("speed", "--configfile", "config/minilm.yaml", "--config", "offline=True")
    done = fresh.snakemake("-n", *asked)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "download" not in done.stderr.replace("--", "")
    planned = fresh.planned(*asked)
    assert {"generate_random_model", "measure_ceilings", "summarize_speed"} <= set(planned)
    assert planned["measure_speed"] >= 9  # three cells of FP32 by every engine, at least
    assert "download" not in planned


@pytest.mark.parametrize("name", ["docker", "apptainer"])
def test_a_profile_keeps_the_settings_that_it_takes_the_place_of(name):
    profiles = Path(__file__).resolve().parent.parent.parent / "profiles"
    default = yaml.safe_load((profiles / "default/config.yaml").read_text())
    profile = yaml.safe_load((profiles / name / "config.yaml").read_text())
    assert profile | default == profile


def test_apptainer_without_its_image_is_told_what_builds_it(fresh):
    done = fresh.snakemake("-n", "--workflow-profile", "profiles/apptainer")
    assert done.returncode == 2
    assert "envs/bertsquad.sif: no such image; `make sif` builds it" in done.stderr


@pytest.mark.parametrize(
    ("target", "meant"),
    [
        ("reprot", "; did you mean report?"),
        ("results/reprot.html", "; did you mean results/report.html?"),
    ],
)
def test_a_target_that_nothing_makes_is_answered_with_what_was_meant(fresh, target, meant):
    done = fresh.snakemake("-n", target)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if line.startswith("bertsquad: no rule")]
    assert lines == [
        f"bertsquad: no rule makes the target {target}{meant} `snakemake --list-target-rules` "
        "lists the rules"
    ]


def test_of_targets_that_are_made_nothing_is_said(fresh):
    done = fresh.snakemake("-n", "report", "results/summary.csv")
    assert done.returncode == 0, done.stderr
    assert "no rule makes" not in done.stderr
