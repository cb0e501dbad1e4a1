"""`bertsquad VERB` runs every script by one name; a built wheel holds all that it needs."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from bertsquad.console.front_door import GROUPS, OF_A_CHECKOUT
from project import ROOT
from test_api import PASSAGE, TOKENS, dataset
from tiny_bert import add_answer_head, write_model_folder

VERBS = [verb for verbs in GROUPS.values() for verb in verbs] + list(OF_A_CHECKOUT)
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CALL = "from bertsquad.console.front_door import main; main()"


def bertsquad(*arguments, path=ROOT / "scripts"):
    return subprocess.run(
        [sys.executable, "-c", CALL, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_script_is_a_verb_in_one_group():
    scripts = [path.stem.replace("_", "-") for path in (ROOT / "scripts").glob("*.py")]
    assert sorted(VERBS) == sorted(scripts)


def test_help_names_every_verb_with_a_sentence():
    run = bertsquad("--help")
    assert run.returncode == 0, run.stderr
    lines = [line.split(maxsplit=1) for line in run.stdout.splitlines() if line.startswith("  ")]
    assert [line[0] for line in lines] == VERBS
    assert all(len(line) == 2 for line in lines)
    first = (
        "\nYour model, your questions:\n  ask                    Ask a model questions about a text"
    )
    assert first in run.stdout


def test_a_verb_has_its_own_help_and_name():
    run = bertsquad("compute_logits", "--help")
    assert run.returncode == 0
    assert run.stdout.startswith("usage: bertsquad compute-logits ")


def test_it_tells_its_version():
    for option in ("--version", "-V"):
        assert bertsquad(option).stdout == f"bertsquad {PYPROJECT['project']['version']}\n"


def test_an_unknown_verb_is_one_line():
    run = bertsquad("evalute")
    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert "no verb 'evalute'; did you mean evaluate?" in line


def test_errors_of_a_verb_keep_their_status_and_line(tmp_path):
    run = bertsquad("evaluate", tmp_path / "a.json", "--dataset", tmp_path / "dev.json")
    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert line.startswith("bertsquad evaluate: error: ")


def test_packages_are_all_folders_of_the_library():
    scripts = ROOT / "scripts"
    folders = [p.parent.relative_to(scripts) for p in (scripts / "bertsquad").rglob("__init__.py")]
    named = PYPROJECT["tool"]["setuptools"]["packages"]
    assert sorted(named) == sorted([".".join(f.parts) for f in folders] + ["bertsquad_commands"])


def test_dependencies_and_extras_are_the_requirements_of_the_environment():
    project = PYPROJECT["project"]
    asked = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    lines = (ROOT / "envs/requirements.txt").read_text().splitlines()
    pinned = [line.partition("==")[0] for line in lines if "==" in line]
    assert {line.partition(">=")[0] for line in asked} == set(pinned)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "scripts", source / "scripts", ignore=ignored)
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"),
            *("--no-build-isolation", "--wheel-dir", folder, source),
        ],
        check=True,
    )
    (built,) = folder.glob("bertsquad-*.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def test_a_wheel_holds_every_file_of_the_library(wheel):
    def files(folder: Path) -> set[Path]:
        found = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
        return {path for path in found if "__pycache__" not in path.parts}

    assert files(wheel / "bertsquad") == files(ROOT / "scripts/bertsquad")


def test_an_installed_verb_runs(wheel):
    run = bertsquad("compare", "--help", path=wheel)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("usage: bertsquad compare ")


def test_a_package_that_is_missing_is_one_line(tmp_path):
    code = f"import sys; sys.modules['scipy'] = None; {CALL}"
    (tmp_path / "p.json").write_text('{"q": "x"}')
    question = '{"id": "q", "answers": [{"text": "x"}]}'
    (tmp_path / "dev.json").write_text(
        f'{{"version": "1.1", "data": [{{"paragraphs": [{{"qas": [{question}]}}]}}]}}'
    )
    run = subprocess.run(
        [
            *(sys.executable, "-c", code, "evaluate", tmp_path / "p.json"),
            *("--dataset", tmp_path / "dev.json"),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert "package scipy is not installed" in run.stderr.splitlines()[-1]


def test_a_verb_of_the_repository_says_that_it_needs_one(wheel):
    run = bertsquad("doctor", path=wheel)
    assert run.returncode == 2
    assert "doctor needs the repository" in run.stderr
    assert "doctor" not in bertsquad("--help", path=wheel).stdout


def test_the_installed_name_leads_to_the_front_door(wheel):
    (points,) = wheel.glob("*.dist-info/entry_points.txt")
    assert "bertsquad = bertsquad.console.front_door:main" in points.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_help_imports_nothing_heavy(verb):
    heavy = "torch|openvino|onnxruntime|matplotlib|pandas|scipy|snakemake"
    code = f"import atexit, sys; atexit.register(lambda: print([n for n in '{heavy}'.split('|') "
    code += f"if n in sys.modules], file=sys.stderr)); {CALL}"
    run = subprocess.run(
        [sys.executable, "-c", code, verb, "--help"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "[]\n")


def completions(line: str) -> list[str]:
    """What a shell is offered behind `line`, as argcomplete is asked: on descriptor 8."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "scripts"),
        "_ARGCOMPLETE": "1",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line.encode())),
        "_ARGCOMPLETE_IFS": " ",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
    }
    shell = 'exec 8>&1 9>/dev/null >/dev/null; exec "$@"'
    done = subprocess.run(
        ["bash", "-c", shell, "-", sys.executable, "-c", CALL],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.split()


def test_a_shell_completes_verbs_options_and_choices():
    assert completions("bertsquad sco") == ["score"]
    assert {"compare", "completion", "compute-logits"} <= set(completions("bertsquad comp"))
    assert completions("bertsquad score --mod") == ["--model"]
    assert completions("bertsquad score --engine on") == ["onnxruntime"]
    assert completions("bertsquad completion z") == ["zsh"]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_what_makes_a_shell_complete_is_printed(shell: str):
    run = bertsquad("completion", shell)
    assert run.returncode == 0, run.stderr
    assert "_ARGCOMPLETE" in run.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=run.stdout, text=True, check=True)


# What an environment with one engine and the small packages lacks.
HEAVY = (
    *("snakemake", "pandas", "yaml", "requests", "tqdm", "jinja2", "jsonschema", "matplotlib"),
    *("docker", "psutil", "packaging", "pulp", "argcomplete", "transformers"),
)


@pytest.mark.slow
def test_asking_and_scoring_need_one_engine_and_small_packages(wheel, tmp_path):
    """Torch itself imports some of these where they are installed, so ONNX Runtime stands in."""
    folder = write_model_folder(tmp_path / "mine", vocab=TOKENS, vocab_size=len(TOKENS))
    add_answer_head(folder)
    (tmp_path / "dev.json").write_text(json.dumps(dataset()))
    (tmp_path / "page.txt").write_text(PASSAGE)
    block = f"import sys; sys.modules.update(dict.fromkeys({HEAVY!r}))\n"
    (wheel / "sitecustomize.py").write_text(block)
    engine = ("--engine", "onnxruntime")
    model, text = ("--model", folder), ("--text", tmp_path / "page.txt")
    questions = ("--dataset", tmp_path / "dev.json", "--results", tmp_path / "results")
    try:
        asked = bertsquad("ask", *model, "When?", *text, *engine, path=wheel)
        scored = bertsquad("score", *model, *questions, *engine, path=wheel)
    finally:
        (wheel / "sitecustomize.py").unlink()
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.startswith("1. ")
    assert scored.returncode == 0, scored.stderr
    assert scored.stdout.startswith("2 questions, by onnxruntime-fp32\nexact match: ")
