"""Checks of the files that a call of the launcher reads and writes."""

import os
from collections.abc import Iterator
from pathlib import Path

from bertsquad.checkpoint.bundle import Bundle
from bertsquad.console.errors import UserError
from bertsquad.data.casing import find_casing
from bertsquad.data.vocabulary import read_vocabulary
from bertsquad.files import read_json
from bertsquad.modelzoo.checks.finders import is_true
from bertsquad.modelzoo.checks.table import CallCheck
from bertsquad.modelzoo.command_line import CommandLine
from bertsquad.modelzoo.launcher import max_seq_length
from bertsquad.modelzoo.settings import CallFiles

WARMUP_BATCHES = 5  # batches before the clock of the inference benchmark starts


def absent(line: CommandLine, files: CallFiles) -> Iterator[str]:
    """Input files that do not exist."""
    named = (files.vocab, files.config, files.dev, files.train, Path(f"{files.weights}.index"))
    for path in named:
        if path is not None and not path.is_file():
            yield f"{path}: no such file"


def links(line: CommandLine, files: CallFiles) -> Iterator[str]:
    """Paths in options that are symbolic links, or files with several hard links."""
    for key in ("data_location", "checkpoint", "in_graph", "model_source_dir", "backbone_model"):
        value = line.given(key)
        if value is None:
            continue
        path = Path(str(value))
        if path.is_symlink():
            yield f"{path}: a symbolic link"
        elif path.is_file() and path.stat().st_nlink > 1:
            yield f"{path}: a file with {path.stat().st_nlink} hard links"


def not_fresh(line: CommandLine, files: CallFiles) -> str | None:
    """An output folder that is not empty."""
    if files.output.is_dir() and any(files.output.iterdir()):
        return f"{files.output}: not empty"
    return None


def not_creatable(line: CommandLine, files: CallFiles) -> str | None:
    """An output folder whose parent does not exist."""
    return None if files.output.parent.is_dir() else f"{files.output.parent}: no such folder"


def casing(files: CallFiles) -> str | None:
    """`cased` or `uncased`, by the vocabulary; None if the vocabulary cannot be read."""
    try:
        return find_casing(files.vocab, read_vocabulary(files.vocab)).name
    except (UserError, OSError):
        return None


def wrong_case(line: CommandLine, files: CallFiles) -> str | None:
    """do_lower_case that does not match the vocabulary, where predictions matter."""
    found = casing(files)
    if line.mode == "inference":
        # do_lower_case=True is run_squad.py's default, and the launcher cannot change it.
        wrong = found == "cased" and line.given("accuracy_only")
        return f"{files.vocab} is cased, and inference always lower-cases" if wrong else None
    lower = is_true(line.values().get("do_lower_case", "False"))
    if found is None or lower == (found == "uncased"):
        return None
    return f"do_lower_case={lower}, but {files.vocab} is {found}"


def lower_cased_benchmark(line: CommandLine, files: CallFiles) -> bool:
    """A benchmark of a cased model."""
    benchmark = line.mode == "inference" and not line.given("accuracy_only")
    return benchmark and casing(files) == "cased"


def too_long(line: CommandLine, files: CallFiles) -> str | None:
    """max_seq_length beyond the model's positions, or too short for a question of 64 tokens."""
    length = max_seq_length(line.mode, line.values())
    try:
        positions = int(read_json(files.config)["max_position_embeddings"])
    except (UserError, OSError, KeyError, TypeError, ValueError):
        return None
    if 64 + 3 < length <= positions:
        return None
    return f"max_seq_length={length} with {positions} positions in {files.config}"


def too_few(line: CommandLine, files: CallFiles) -> str | None:
    """A benchmark on fewer questions than its warm-up takes."""
    if line.mode != "inference" or line.given("accuracy_only") or not files.dev.is_file():
        return None
    size = line.number("batch_size", -1)
    needed = WARMUP_BATCHES * (32 if size == -1 else size)
    articles = read_json(files.dev)["data"]
    questions = sum(len(part["qas"]) for each in articles for part in each["paragraphs"])
    return f"{questions} questions in {files.dev}" if questions <= needed else None


def headless(line: CommandLine, files: CallFiles) -> str | None:
    """Training from a checkpoint without the head that the SQuAD head starts from."""
    if line.mode != "training":
        return None
    try:
        names = Bundle(files.weights).entries
    except (UserError, OSError):
        return None
    has_head = any(name.startswith(("cls/seq_relationship/", "cls/squad/")) for name in names)
    return None if has_head else f"{files.weights} has no next-sentence head"


def disk(line: CommandLine, files: CallFiles) -> str | None:
    """Training without enough free space for three checkpoints of every process.

    A checkpoint holds the optimizer state and takes 3 times the weights. Every process writes one
    at step 0, every 1000 steps and at the end, and keeps the last 5.
    """
    shards = list(files.weights.parent.glob(f"{files.weights.name}.data-*"))
    if line.mode != "training" or not shards or not files.output.parent.is_dir():
        return None
    processes = line.number("mpi_num_processes", 0) or 1
    needed = 3 * 3 * processes * sum(shard.stat().st_size for shard in shards)
    place = os.statvfs(files.output.parent)
    free = place.f_bavail * place.f_frsize
    if needed <= free:
        return None
    return f"about {needed / 1e9:.0f} GB of checkpoints, and {free / 1e9:.0f} GB are free"


FILE_CHECKS = (
    CallCheck(
        "absent", "error", absent, "the launcher would only say so in its log, and exit with 0"
    ),
    CallCheck("links", "error", links, "the launcher refuses it; copy what it stands for"),
    CallCheck(
        "not-fresh",
        "error",
        not_fresh,
        "old checkpoints there would be resumed and old predictions scored; use an empty folder",
    ),
    CallCheck("output-parent", "error", not_creatable, "start.sh makes only the last folder"),
    CallCheck(
        "casing",
        "error",
        wrong_case,
        "run_squad.py knows the casing of no whole-word-masking model, so it would not notice that "
        "the words do not fit the vocabulary",
    ),
    CallCheck(
        "casing-benchmark",
        "warning",
        lower_cased_benchmark,
        "the vocabulary is cased and inference always lower-cases: the speed is right, its answers "
        "would not be",
    ),
    CallCheck(
        "too-long",
        "error",
        too_long,
        "run_squad.py wants more than 67 and no more than the model's positions",
    ),
    CallCheck(
        "too-few",
        "warning",
        too_few,
        "the clock of the benchmark starts after 5 batches; with no more features than these it "
        "ends in a NameError",
    ),
    CallCheck(
        "headless",
        "error",
        headless,
        "the head of SQuAD starts from it, so training ends with `Missing model variables in "
        "checkpoint`",
    ),
    CallCheck("disk", "warning", disk, "keep room, or train with fewer processes"),
)
