"""Every example of a command in README and docs runs, or is one that its command takes."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from project import ROOT
from test_api import PASSAGE, TOKENS, dataset
from tiny_bert import add_answer_head, write_model_folder

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "config/README.md"]
PAGES += sorted((ROOT / "docs").glob("*.md"))
CALL = "from bertsquad.console.front_door import main; main()"
QUICK = (
    "ask",
    "compare",
    "evaluate",
    "completion",
)  # what score makes, tests/commands/test_score.py


def examples() -> dict[tuple[str, ...], str]:
    """Calls of `bertsquad` in code and tables, and the page of each."""
    found: dict[tuple[str, ...], str] = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        lines = re.findall(r"^    (?:\.venv/bin/)?bertsquad (.*)$", text, re.M)
        for call in lines + re.findall(r"(?<!`)`bertsquad ([^`]+)`(?!`)", text):
            if call.split()[0].isupper() or "..." in call or call.startswith("-"):
                continue  # VERB, or a part of a call
            found.setdefault(tuple(shlex.split(call, comments=True)), page.name)
    return found


EXAMPLES = examples()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the README's examples name."""
    made = tmp_path_factory.mktemp("examples")
    write_model_folder(made / "models/mine", vocab=TOKENS, vocab_size=len(TOKENS))
    add_answer_head(made / "models/mine")
    (made / "page.txt").write_text(PASSAGE)
    for name in ("dev.json", "dev-v1.1.json"):
        (made / name).write_text(json.dumps(dataset()))
    for name in ("predictions.json", "A.json", "B.json"):
        (made / name).write_text(json.dumps({"q1": "seven", "q2": name}))
    return made


def bertsquad(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CALL, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT / "scripts"), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_examples_are_found():
    assert {call[0] for call, page in EXAMPLES.items() if page == "README.md"} >= {
        *("ask", "score", "compare", "evaluate")
    }


@pytest.mark.parametrize(
    "call",
    [c for c, page in EXAMPLES.items() if page == "README.md" and c[0] in QUICK],
    ids=" ".join,
)
def test_an_example_of_the_readme_runs(folder: Path, call: tuple[str, ...]):
    done = bertsquad(folder, *call)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("call", EXAMPLES, ids=" ".join)
def test_a_command_knows_the_options_of_its_example(folder: Path, call: tuple[str, ...]):
    told = bertsquad(folder, call[0], "--help")
    assert told.returncode == 0, told.stderr
    options = {word.partition("=")[0] for word in call[1:] if word.startswith("--")}
    assert options - set(re.findall(r"--[\w-]+", told.stdout)) == set()
