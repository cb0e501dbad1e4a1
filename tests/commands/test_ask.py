"""ask.py: answers on the terminal, and no question that ends in a riddle."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from project import ROOT, heed_ctrl_c
from test_api import PASSAGE, TOKENS
from tiny_bert import add_answer_head, write_model_folder

SCRIPT = ROOT / "scripts/ask.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("ask")
    add_answer_head(write_model_folder(made / "mine", vocab=TOKENS, vocab_size=len(TOKENS)))
    write_model_folder(made / "headless")
    (made / "page.txt").write_text(PASSAGE)
    (made / "empty.txt").write_text(" \n")
    (made / "latin.txt").write_bytes("Grüße".encode("latin-1"))
    (made / "binary.txt").write_bytes(b"a\0b")
    return made


def ask(
    folder: Path, *arguments: str, given: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        cwd=folder,
        env=os.environ | more,
        input=given,
        errors="surrogateescape",
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_best_answers_are_shown_with_the_passage_around_them(folder: Path):
    done = ask(folder, "--model", "mine", "When does it leave?", "--text", "page.txt")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line[:3] for line in lines[::2]] == ["1. ", "2. ", "3. "]
    assert all(line.endswith(" %)") for line in lines[::2])
    shown = lines[1].strip()
    assert shown.replace("[", "").replace("]", "") == PASSAGE


def test_programs_get_json_and_the_text_may_come_by_a_pipe(folder: Path):
    done = ask(folder, "--model", "mine", "When?", "--json", "--n-best", "2", given=PASSAGE)
    found = json.loads(done.stdout)
    assert found["question"] == "When?"
    assert len(found["answers"]) == 2
    first = found["answers"][0]
    assert PASSAGE[first["begin"] : first["end"]] == first["text"]
    assert first["probability"] >= found["answers"][1]["probability"]


def test_a_text_without_an_answer_can_be_told(folder: Path):
    call = ("--model", "mine", "When?", "--text", "page.txt", "--n-best", "2")
    done = ask(folder, *call, "--null-score-diff-threshold=-1000000")
    assert done.stdout.startswith("1. (no answer in this text)  ("), done.stderr
    assert done.stdout.splitlines()[0].endswith(" %), first by the threshold of -1e+06")
    found = json.loads(ask(folder, *call, "--no-answer", "--json").stdout)
    assert len(found["answers"]) == 2
    share = found["no_answer_probability"]
    assert 0 < share < 1
    # It is told wherever it stands.
    said = ask(folder, *call, "--no-answer", "--n-best", "1").stdout
    assert said.count(f"(no answer in this text)  ({100 * share:.1f} %)") == 1
    plain = ask(folder, *call)
    assert "no answer" not in plain.stdout


def test_several_questions_are_answered_by_one_model(folder: Path):
    given = "When does it leave?\n\n  \nWhich pier?\n"
    done = ask(folder, "--model", "mine", "--text", "page.txt", "--json", given=given)
    assert done.returncode == 0, done.stderr
    asked = [json.loads(line)["question"] for line in done.stdout.splitlines()]
    assert asked == ["When does it leave?", "Which pier?"]


def test_a_question_that_is_no_text_is_told_and_the_next_is_answered(folder: Path):
    given = "Wh\udcff?\nWhich pier?\n"
    arguments = ("--model", "mine", "--text", "page.txt", "--json")
    done = ask(folder, *arguments, given=given, PYTHONIOENCODING="utf-8:strict")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["question"] == "Which pier?"
    assert done.stderr == (
        "the question has a byte or half a character at 2 that is no UTF-8 text; expected whole "
        "characters\n"
    )


def test_a_question_that_is_cut_is_told(folder: Path):
    """The model has 40 positions, of which a question gets 17."""
    given = f"{'Which pier ' * 8}?\n{'Which pier ' * 5000}?\n"
    done = ask(folder, "--model", "mine", "--text", "page.txt", "--json", given=given)
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == (
        "warning: the question has 10,001 word pieces, of which the model is given the first 17; "
        "shorten it\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--model", "mine", " ", "--text", "page.txt"), "the question is empty"),
        (("--model", "mine", "When?", "--text", "none.txt"), "none.txt: no such file"),
        (("--model", "mine", "When?", "--text", "empty.txt"), "empty.txt: empty; expected a text"),
        (("--model", "mine", "When?", "--text", "latin.txt"), "latin.txt: not UTF-8 text (byte 2)"),
        (("--model", "mine", "When?", "--text", "binary.txt"), "binary.txt: a binary file"),
        (("--model", "mine", "When?", "--text", "mine"), "mine: Is a directory"),
        (("--model", "mine", "When?"), "standard input: empty"),
        (("--model", "mine"), "name a file by --text FILE"),
        (("--model", "mine", "--text", "-"), "so give the question on the command line"),
        (
            ("--model", "none", "When?", "--text", "page.txt"),
            "none: no such folder; expected a mod",
        ),
        (("--model", "headless", "When?", "--text", "page.txt"), "a model without an answer head"),
        (
            ("--model", "mine", "When?", "--text", "page.txt", "--precision", "int4"),
            "no engine has the precision 'int4': torch has fp32, bf16; onnxruntime has fp32, int8",
        ),
        (
            ("--model", "mine", "When?", "--text", "page.txt", "--precision", "int8"),
            "by `bertsquad quantize --engine onnxruntime --threads 1 --model mine --output my-",
        ),
        (
            (
                *("--model", "mine", "When?", "--text", "page.txt"),
                "--null-score-diff-threshold=nan",
            ),
            "nan is not a finite number",
        ),
    ],
)
def test_a_mistake_is_one_line(folder: Path, arguments: tuple[str, ...], message: str):
    done = ask(folder, *arguments)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("ask.py: error: ")
    assert message in line
    assert done.stdout == ""


def test_ctrl_c_ends_it_without_a_word(folder: Path):
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), "--model", "mine", "--text", "page.txt"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        preexec_fn=heed_ctrl_c,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"When?\n")
    process.stdin.flush()
    assert process.stdout.readline().startswith(b"1. ")
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said.strip()) == (130, b"")
