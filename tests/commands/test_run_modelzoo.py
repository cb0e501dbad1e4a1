"""run_modelzoo.py with the stand-in for the launcher: what fails behind exit status 0 fails."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from modelzoo import stand_in

ROOT = Path(__file__).resolve().parent.parent.parent
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "word", "##s"]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A stand-in Model Zoo, an uncased model's files, and 200 questions."""
    folder = tmp_path_factory.mktemp("modelzoo")
    models = stand_in.install(folder / "models")
    (models / "trained").mkdir()
    (folder / "model").mkdir()
    questions = [
        {"id": f"q{n}", "question": "?", "answers": [{"text": "Ada", "answer_start": 0}]}
        for n in range(200)
    ]
    articles = [{"title": "T", "paragraphs": [{"context": "Ada.", "qas": questions}]}]
    for name, text in {
        "model/vocab.txt": "\n".join(VOCABULARY) + "\n",
        "model/bert_config.json": json.dumps({"max_position_embeddings": 512}),
        "questions.json": json.dumps({"version": "1.1", "data": articles}),
    }.items():
        (folder / name).write_text(text)
    for suffix in (".index", ".data-00000-of-00001"):
        (folder / f"model/model.ckpt{suffix}").write_text("pretrained")
        (models / f"trained/model.ckpt{suffix}").write_text("trained")
    return folder


def command(place: Path, output: Path, mode: str, *more: str, **settings) -> list[str]:
    step = {"mode": mode, "precision": "fp32", "python": sys.executable, **settings}
    step["options"] = {"num_intra_threads": 1} | settings.get("options", {})
    if mode == "training":
        given = {"train_option": "SQuAD", "do_lower_case": True, "num_train_epochs": 1}
        step["arguments"] = given | {"max_seq_length": 384} | step.get("arguments", {})
        more = ("--train-questions", str(place / "questions.json"), *more)
    return [
        *(sys.executable, str(ROOT / "scripts/run_modelzoo.py"), "--settings", json.dumps(step)),
        *("--launcher", str(place / "models/benchmarks/launch_benchmark.py")),
        *("--vocab", str(place / "model/vocab.txt")),
        *("--bert-config", str(place / "model/bert_config.json")),
        *("--weights", str(place / "model/model.ckpt")),
        *("--dev-questions", str(place / "questions.json"), "--output", str(output), *more),
    ]


def run(place: Path, output: Path, mode: str, *more: str, **settings):
    words = command(place, output, mode, *more, **settings)
    return subprocess.run(words, capture_output=True, text=True, timeout=120)


def test_training_leaves_checkpoint_predictions_log_and_command(place, tmp_path):
    done = run(place, tmp_path / "train", "training")
    assert done.returncode == 0, done.stderr
    made = {path.name for path in (tmp_path / "train").iterdir()}
    assert made == {
        *("command.txt", "launcher.log", "run.json", "predictions.json"),
        *("nbest_predictions.json", "model.ckpt.index", "model.ckpt.data-00000-of-00001"),
    }
    assert (tmp_path / "train/model.ckpt.index").read_text() == "trained"
    assert "STAND-IN" in (tmp_path / "train/launcher.log").read_text()
    assert "run_squad.py" in (tmp_path / "train/command.txt").read_text()


def test_a_benchmark_says_when_its_batches_were_done(place, tmp_path):
    done = run(place, tmp_path / "b", "benchmark", options={"batch_size": 5})
    assert done.returncode == 0, done.stderr
    arrivals = json.loads((tmp_path / "b/run.json").read_text())["arrivals"]
    assert arrivals["examples"] == list(range(10, 151, 10))
    assert arrivals["seconds"] == sorted(arrivals["seconds"])


FAILURES = {
    ("accuracy", "crash"): "NotFoundError: no such tensor",
    ("training", "crash"): "NotFoundError: no such tensor",
    ("training", "silent"): "the log does not say the loss of the final step",
    ("benchmark", "silent"): "the log does not say the time it took",
    ("accuracy", "killed"): "a process was ended from outside",
    ("accuracy", "elsewhere"): "output/predictions.json: the run did not write it",
    ("benchmark", "cut-off"): "the log does not say the time it took",
}


@pytest.mark.parametrize(("mode", "how"), FAILURES)
def test_a_failure_behind_status_0_is_a_failure(place, tmp_path, mode, how):
    done = run(place, tmp_path / "out", mode, environment={"STAND_IN_FAILS": how})
    assert done.returncode == 2
    error = done.stderr.splitlines()[-1]
    assert error.startswith("run_modelzoo.py: error: ")
    assert FAILURES[mode, how] in error
    assert not (tmp_path / "out/predictions.json").exists()
    assert not (tmp_path / "out/run.json").exists()
    assert (tmp_path / "out/launcher.log").is_file()


def test_predictions_of_an_older_run_are_never_taken_for_new_ones(place, tmp_path):
    assert run(place, tmp_path / "out", "accuracy").returncode == 0
    stale = (tmp_path / "out/predictions.json").read_text()
    (tmp_path / "out/output").mkdir()
    (tmp_path / "out/output/predictions.json").write_text(stale)
    done = run(place, tmp_path / "out", "accuracy", environment={"STAND_IN_FAILS": "crash"})
    assert done.returncode == 2
    assert "exact_match" not in done.stderr
    assert not (tmp_path / "out/predictions.json").exists()


def test_the_stand_in_itself_scores_stale_predictions_and_says_0(place, tmp_path):
    """As the real launcher does: the reason for the test above."""
    step = command(place, tmp_path / "o", "accuracy")
    launcher = step[step.index("--launcher") + 1]
    (tmp_path / "o").mkdir()
    (tmp_path / "o/predictions.json").write_text('{"q": "Ada"}')
    done = subprocess.run(
        [
            *(sys.executable, launcher, "--framework=tensorflow", "--model-name=bert_large"),
            *("--precision=fp32", "--mode=inference", "--accuracy-only"),
            *(f"--data-location={place}", f"--output-dir={tmp_path}/o"),
        ],
        env={"STAND_IN_FAILS": "crash", "PYTHONPATH": str(Path(launcher).parent)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert '{"exact_match": 100.0, "f1": 100.0}' in done.stdout


REFUSED = {
    "a dropped name": ({"arguments": {"max_query_length": 32}}, "drops it without a word"),
    "a broken combination": ({"arguments": {"accum_steps": 2}}, "not yet supported"),
    "a wrong casing": ({"arguments": {"do_lower_case": False}}, "vocab.txt is uncased"),
    "too many processes": ({"options": {"mpi_num_processes": 99}}, "mpi_num_processes=99"),
}


@pytest.mark.parametrize(("settings", "message"), REFUSED.values(), ids=REFUSED)
def test_what_would_fail_is_not_started(place, tmp_path, settings, message):
    done = run(place, tmp_path / "out", "training", **settings)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]
    assert not (tmp_path / "out/launcher.log").exists()


def test_variables_of_the_callers_change_nothing(place, tmp_path, monkeypatch):
    for name in ("do_lower_case", "data_dir", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    done = run(place, tmp_path / "out", "accuracy")
    assert done.returncode == 0, done.stderr
    assert "unrecognized arguments" not in done.stderr


def test_the_launcher_ends_with_us(place, tmp_path):
    words = command(place, tmp_path / "o", "benchmark", environment={"STAND_IN_FAILS": "hang"})
    running = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    log = tmp_path / "o/launcher.log"
    while "waiting for ever" not in (running.stderr.readline()):
        assert running.poll() is None
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=60)
    assert running.returncode == 130
    assert not processes_with(str(place / "models"))
    assert log.is_file()


def processes_with(text: str) -> list[int]:
    """The processes whose command line holds a text."""
    time.sleep(0.2)
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if text in path.read_text() and int(path.parent.name) != os.getpid():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found
