"""Checks of the files of a call."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from bertsquad.checkpoint import bundle
from bertsquad.modelzoo.checks.file import FILE_CHECKS
from bertsquad.modelzoo.checks.table import examine
from bertsquad.modelzoo.command_line import CommandLine
from bertsquad.modelzoo.settings import CallFiles, Step, command
from modelzoo.guide import LAUNCHER

UNCASED = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "word", "##s"]


@pytest.fixture
def files(tmp_path: Path) -> CallFiles:
    """Files of an uncased model without any finding."""
    (tmp_path / "model").mkdir()
    for name, text in {
        "model/vocab.txt": "\n".join(UNCASED) + "\n",
        "model/bert_config.json": json.dumps({"max_position_embeddings": 512}),
        "model/model.ckpt.index": "x",
        "model/model.ckpt.data-00000-of-00001": "x",
        "train.json": json.dumps({"data": []}),
        "dev.json": json.dumps({"data": [{"paragraphs": [{"qas": [{}] * 400}]}]}),
    }.items():
        (tmp_path / name).write_text(text)
    return CallFiles(
        output=tmp_path / "output",
        vocab=tmp_path / "model/vocab.txt",
        config=tmp_path / "model/bert_config.json",
        weights=tmp_path / "model/model.ckpt",
        dev=tmp_path / "dev.json",
        train=tmp_path / "train.json",
    )


def line_of(mode: str, files: CallFiles, **arguments) -> CommandLine:
    return command(Step(mode, "fp32", arguments=arguments), files, launcher=LAUNCHER)


def about(mode: str, files: CallFiles, **arguments) -> dict[str, str]:
    line = line_of(mode, files, **arguments)
    return {each.check: each.message for each in examine(FILE_CHECKS, line, files)}


TRAINED = {"train_option": "SQuAD", "do_lower_case": True}


@pytest.mark.parametrize("mode", ["training", "benchmark", "accuracy"])
def test_files_that_are_in_order_have_no_finding(mode, files):
    assert about(mode, files, **(TRAINED if mode == "training" else {})) == {}


def test_files_that_are_not_there(files):
    missing = dataclasses.replace(files, dev=files.dev.with_name("nothing.json"))
    assert "nothing.json: no such file" in about("accuracy", missing)["absent"]


def test_a_folder_that_is_a_link(files, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "model")
    linked = dataclasses.replace(
        files,
        vocab=tmp_path / "link/vocab.txt",
        config=tmp_path / "link/bert_config.json",
    )
    assert "link: a symbolic link" in about("benchmark", linked)["links"]


def test_a_file_with_several_names(files, tmp_path):
    graph = tmp_path / "graph.pb"
    graph.write_text("x")
    (tmp_path / "other.pb").hardlink_to(graph)
    line = line_of("benchmark", files)
    line = dataclasses.replace(line, options={**line.options, "in_graph": str(graph)})
    found = {each.check: each.message for each in examine(FILE_CHECKS, line, files)}
    assert "graph.pb: a file with 2 hard links" in found["links"]


def test_an_output_folder_that_holds_something(files):
    files.output.mkdir()
    assert about("benchmark", files) == {}
    (files.output / "predictions.json").write_text("{}")
    assert "old predictions scored" in about("accuracy", files)["not-fresh"]


def test_an_output_folder_in_no_folder(files):
    nowhere = dataclasses.replace(files, output=files.output / "a/b")
    assert "no such folder" in about("benchmark", nowhere)["output-parent"]


@pytest.mark.parametrize(
    ("mode", "cased", "lower", "check"),
    [
        ("training", False, False, "casing"),
        ("training", True, True, "casing"),
        ("accuracy", True, None, "casing"),
        ("benchmark", True, None, "casing-benchmark"),
        ("training", True, False, None),
    ],
)
def test_a_casing_that_does_not_fit_the_vocabulary(mode, cased, lower, check, files):
    if cased:
        files.vocab.write_text("\n".join([*UNCASED, "The", "##S", "Word"]) + "\n")
    arguments = {"train_option": "SQuAD", "do_lower_case": lower} if mode == "training" else {}
    found = about(mode, files, **arguments)
    assert list(found) == ([check] if check else [])


# 0: the launcher drops it, and 384 applies.
@pytest.mark.parametrize(
    ("length", "wrong"), [(67, True), (68, False), (512, False), (513, True), (0, False)]
)
def test_lengths_that_do_not_fit_the_model(length, wrong, files):
    assert ("too-long" in about("benchmark", files, max_seq_length=length)) is wrong


def test_fewer_questions_than_the_clock_waits_for(files):
    step = Step("benchmark", "fp32", options={"batch_size": 80})
    line = command(step, files, launcher=LAUNCHER)
    found = {each.check: each.message for each in examine(FILE_CHECKS, line, files)}
    assert "400 questions" in found["too-few"]
    assert "too-few" not in about("benchmark", files)


def test_checkpoints_that_do_not_fit_on_the_disk(files):
    shard = files.weights.with_name("model.ckpt.data-00000-of-00001")
    with shard.open("wb") as handle:
        handle.truncate(10**13)
    assert "90000 GB of checkpoints" in about("training", files, **TRAINED)["disk"]


def test_a_checkpoint_without_a_head_to_start_from(files):
    weights = np.ones((2, 3), np.float32)
    bundle.write(files.weights, {"bert/pooler/dense/kernel": weights})
    assert "no next-sentence head" in about("training", files, **TRAINED)["headless"]
    assert "headless" not in about("accuracy", files)
    bundle.write(files.weights, {"cls/seq_relationship/output_weights": weights})
    assert about("training", files, **TRAINED) == {}


def test_every_check_of_files_is_tested():
    tested = {"absent", "links", "not-fresh", "output-parent", "casing", "casing-benchmark"}
    assert {check.name for check in FILE_CHECKS} == tested | {
        "too-long",
        "too-few",
        "headless",
        "disk",
    }
