"""scripts/finetune.py as a rule runs it: what it writes, what it refuses, and being killed."""

import json
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tiny_bert import write_model_folder
from tiny_training import training_features, write_training_features

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/finetune.py"
OPTIONS = {
    "precision": "fp32",
    "epochs": 5,
    "batch-size": 6,
    "learning-rate": "1.0e-3",
    "hidden-dropout": 0.1,
    "attention-dropout": 0.1,
    "micro-batch-tokens": 64,
    "threads": 1,
}  # 20 steps


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write_model_folder(tmp_path_factory.mktemp("checkpoint"), spread=0.1)


@pytest.fixture(scope="module")
def features(tmp_path_factory, checkpoint):
    return write_training_features(tmp_path_factory.mktemp("features") / "train", checkpoint)


def command(checkpoint, features, folder, **options):
    values = {
        "checkpoint": checkpoint,
        "features": features,
        "output": folder / "model",
        "log": folder / "training_log.jsonl",
        "state": folder / "state",
        **OPTIONS,
        **{name.replace("_", "-"): value for name, value in options.items()},
    }
    return [sys.executable, SCRIPT, *(f"--{name}={value}" for name, value in values.items())]


def finetune(*args, **options):
    return subprocess.run(
        command(*args, **options), capture_output=True, text=True, timeout=120, check=False
    )


def read_log(folder):
    return [json.loads(line) for line in (folder / "training_log.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, checkpoint, features):
    folder = tmp_path_factory.mktemp("undisturbed")
    run = finetune(checkpoint, features, folder)
    assert run.returncode == 0, run.stderr
    assert "24 features, 20 steps of 6" in run.stderr
    assert "training: 20 of 20 steps (100 %)" in run.stderr
    assert run.stdout == ""
    return folder


def test_it_writes_a_model_folder_and_a_log_and_removes_the_state(undisturbed):
    assert sorted(path.name for path in undisturbed.iterdir()) == ["model", "training_log.jsonl"]
    assert sorted(path.name for path in (undisturbed / "model").iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer_config.json",
        "vocab.txt",
    ]
    log = read_log(undisturbed)
    assert [line["step"] for line in log] == list(range(1, 21))
    assert set(log[0]) == {
        *("step", "loss", "learning_rate", "examples", "tokens"),
        *("threads", "kernels", "tokens_per_second", "elapsed_s"),
    }
    assert log[0]["learning_rate"] == 0.0


def test_the_model_folder_loads_in_transformers(undisturbed):
    import transformers

    model, loading = transformers.AutoModelForQuestionAnswering.from_pretrained(
        undisturbed / "model", output_loading_info=True
    )
    assert type(model).__name__ == "BertForQuestionAnswering"
    assert not any(loading.values())
    assert len(transformers.AutoTokenizer.from_pretrained(undisturbed / "model")) == 64


def test_zero_epochs_write_the_model_as_it_was(checkpoint, features, undisturbed, tmp_path):
    start = undisturbed / "model"
    run = finetune(start, features, tmp_path, epochs=0, head_init="checkpoint")
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "training_log.jsonl").read_bytes() == b""
    for name in ("model.safetensors", "config.json", "vocab.txt", "tokenizer_config.json"):
        assert (tmp_path / "model" / name).read_bytes() == (start / name).read_bytes()


def test_the_head_can_come_from_the_next_sentence_head(checkpoint, features, tmp_path):
    run = finetune(checkpoint, features, tmp_path, epochs=0, head_init="nsp")
    assert run.returncode == 0, run.stderr
    before = load_file(checkpoint / "model.safetensors")
    after = load_file(tmp_path / "model/model.safetensors")
    for part in ("weight", "bias"):
        assert torch.equal(before[f"cls.seq_relationship.{part}"], after[f"qa_outputs.{part}"])
    assert not [name for name in after if name.startswith(("cls.", "bert.pooler."))]


# Killed


LONG = {"epochs": 60, "checkpoint_steps": 20}  # 240 steps


@pytest.fixture(scope="module")
def undisturbed_long(tmp_path_factory, checkpoint, features):
    folder = tmp_path_factory.mktemp("undisturbed_long")
    assert finetune(checkpoint, features, folder, **LONG).returncode == 0
    return folder


@pytest.mark.slow
def test_killed_again_and_again_it_ends_with_the_same_weights(
    checkpoint, features, undisturbed_long, tmp_path
):
    options = LONG | {"checkpoint_steps": 3}
    expected = undisturbed_long
    folder, rng, resumed = tmp_path / "killed", random.Random(0), 0
    kills = [kill_after(folder / "state/state.safetensors", rng.uniform(0, 0.3)) for _ in range(3)]
    # Then while something is written: half a state, the log or a part of the model is there.
    kills += [kill_after(folder / "training_log.jsonl", 0), kill_after(folder / "model", 0)]
    for kill in kills:
        process = subprocess.Popen(
            command(checkpoint, features, folder, **options), stderr=subprocess.PIPE, text=True
        )
        kill(process)
        resumed += "resuming after step" in process.communicate()[1]
    last = finetune(checkpoint, features, folder, **options)
    assert last.returncode == 0, last.stderr
    assert resumed >= 3

    for path in sorted((expected / "model").iterdir()):
        assert (folder / "model" / path.name).read_bytes() == path.read_bytes(), path.name
    assert sorted(path.name for path in folder.iterdir()) == ["model", "training_log.jsonl"]
    times = ("tokens_per_second", "elapsed_s")
    for a, b in zip(read_log(expected), read_log(folder), strict=True):
        assert {k: v for k, v in a.items() if k not in times} == {
            k: v for k, v in b.items() if k not in times
        }


def kill_after(path, seconds):
    """Send SIGKILL this long after the process has touched `path`, unless it ended before."""

    def kill(process):
        before = changed(path)
        while process.poll() is None and changed(path) in (None, before):
            time.sleep(0.001)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)

    return kill


def changed(path):
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 138)]
)
def test_asked_to_stop_it_saves_publishes_nothing_and_goes_on(
    checkpoint, features, undisturbed_long, tmp_path, number, status
):
    folder = tmp_path / "stopped"
    process = subprocess.Popen(
        ["env", "--default-signal=INT", *command(checkpoint, features, folder, **LONG)],
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (folder / "state/state.safetensors").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    message = process.communicate()[1]
    assert process.returncode == status, message
    done = int(re.search(rf"stopped by {number.name}: (\d+) of 240 steps are done", message)[1])
    assert 20 <= done < 240
    assert [path.name for path in folder.iterdir()] == ["state"]

    last = finetune(checkpoint, features, folder, **LONG)
    assert last.returncode == 0, last.stderr
    assert f"resuming after step {done} of 240" in last.stderr
    for path in sorted((undisturbed_long / "model").iterdir()):
        assert (folder / "model" / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_state_of_another_training_is_discarded(checkpoint, features, tmp_path):
    killed = finetune(checkpoint, features, tmp_path, checkpoint_steps=3, log="/dev/null/log")
    assert killed.returncode != 0
    assert (tmp_path / "state/state.safetensors").is_file()
    run = finetune(checkpoint, features, tmp_path, learning_rate=5e-4)
    assert run.returncode == 0, run.stderr
    assert "of another training: hyperparameters.learning_rate differ; starting anew" in run.stderr
    assert len(read_log(tmp_path)) == 20


# Refused, with one clear line and status 2


def refusal(run):
    assert run.returncode == 2, run.stderr
    *_, last = run.stderr.splitlines()
    assert "Traceback" not in run.stderr
    return last


def test_features_without_answers(checkpoint, tmp_path):
    made = training_features()
    for name in ("start_position", "end_position"):
        del made.arrays[name]
    features = write_training_features(tmp_path / "dev", checkpoint, made)
    assert "has no answers; make it from the training set with" in refusal(
        finetune(checkpoint, features, tmp_path)
    )


def test_features_of_another_vocabulary(features, tmp_path):
    other = write_model_folder(tmp_path / "other", vocab_size=65)
    assert "made with a vocabulary of SHA-256" in refusal(finetune(other, features, tmp_path))


def test_features_longer_than_the_model(features, tmp_path):
    short = write_model_folder(tmp_path / "short", max_position_embeddings=39)
    assert "max_position_embeddings 39" in refusal(finetune(short, features, tmp_path))


def test_no_head_to_keep(checkpoint, features, tmp_path):
    assert "the tensor qa_outputs.weight is missing" in refusal(
        finetune(checkpoint, features, tmp_path, head_init="checkpoint")
    )


def test_a_checkpoint_with_a_nan_stops_at_the_first_step(features, tmp_path):
    broken = write_model_folder(tmp_path / "broken")
    tensors = load_file(broken / "model.safetensors")
    tensors["bert.encoder.layer.1.output.dense.bias"][0] = torch.nan
    save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    assert "the loss is nan at step 1 of 20, for each of its 6 features" in refusal(
        finetune(broken, features, tmp_path)
    )
    assert not (tmp_path / "model").exists()


def test_a_folder_that_is_no_model(features, tmp_path):
    line = refusal(finetune(tmp_path / "nothing", features, tmp_path))
    assert "nothing/vocab.txt: No such file" in line


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("epochs", -1),
        ("batch-size", 0),
        ("learning-rate", "fast"),
        ("warmup-proportion", 1.1),
        ("attention-dropout", 1),
        ("precision", "fp8"),
        ("seed", -1),
        ("threads", 0),
    ],
)
def test_an_option_out_of_range(tmp_path, option, value):
    line = refusal(finetune(tmp_path, tmp_path, tmp_path, **{option: value}))
    assert f"--{option}" in line
