"""Finders of single properties of a command line, for the checks in line.py.

A finder returns the text of what it found, several texts, True, or nothing.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

from bertsquad.console.suggestions import did_you_mean
from bertsquad.modelzoo.command_line import CommandLine
from bertsquad.modelzoo.options import (
    ARGUMENTS,
    BY_KEY,
    FRAMEWORK,
    INFERENCE_ARGUMENTS,
    MODEL,
    NOT_FOR_SQUAD,
    PRECISIONS,
    normalised,
)

Finder = Callable[[CommandLine], Any]

TRAINING, INFERENCE = "training", "inference"
# The launcher passes values to a shell unquoted, twice.
SHELL_SAFE = re.compile(r"[A-Za-z0-9_./:=,+@%^-]*")
SHM_SIZE = re.compile(r"([1-9][0-9]*)['b','k','m','g']")  # the launcher's own pattern
# Names that users expect from run_squad.py and the launcher drops -> what applies instead.
INSTEAD = {
    "output_dir": "the launcher's own --output-dir decides",
    "max_query_length": "it stays 64",
    "n_best_size": "it stays 20",
    "max_answer_length": "it stays 30",
    "warmup_proportion": "it stays 0.1",
    "version_2_with_negative": "it stays False",
    "save_checkpoints_steps": "it stays 1000",
    "predict_batch_size": "it is 8 in training, and --batch-size in inference",
}


def in_mode(mode: str, found: Finder) -> Finder:
    """A finder that returns what `found` returns for command lines of one mode, else nothing."""
    return lambda line: found(line) if line.mode == mode else None


def given(key: str, *, unless: object = None) -> Finder:
    """A finder of an option that was given with another value than `unless`."""
    name = BY_KEY[key].names[0]

    def found(line: CommandLine) -> str | None:
        value = line.given(key)
        if value is None or value is False or value == unless:
            return None
        return name if value is True else f"{name}={value}"

    return found


def argument(name: str, *, when: Callable[[str], bool] = lambda value: True) -> Finder:
    """A finder of a model argument with a value for which `when` is true."""

    def found(line: CommandLine) -> str | None:
        value = line.values().get(name)
        return f"{name}={value}" if value is not None and when(value) else None

    return found


def is_true(value: str) -> bool:
    """Whether start.sh and the scripts read this value as True."""
    return value.lower() == "true"


def positive(key: str) -> Finder:
    """A finder of an option whose number is less than 1."""

    def found(line: CommandLine) -> str | None:
        value = line.number(key, 1)
        return f"{BY_KEY[key].names[0]}={value}" if value < 1 else None

    return found


def dropped(line: CommandLine) -> Iterator[str]:
    """Model arguments that start.sh does not know."""
    for name in line.values():
        if name not in ARGUMENTS:
            hint = INSTEAD.get(name) or did_you_mean(name, ARGUMENTS)
            yield f"model argument {name} ({hint})"


def without_value(line: CommandLine) -> Iterator[str]:
    """Model arguments without `=`."""
    for word in line.arguments:
        if "=" not in word:
            yield f"model argument {word!r}"


def cut_off(line: CommandLine) -> Iterator[str]:
    """Model arguments with more than one `=`."""
    for word in line.arguments:
        if word.count("=") > 1:
            yield f"model argument {word!r} keeps only {word.split('=')[1]!r}"


def twice(line: CommandLine) -> Iterator[str]:
    """Model arguments that were given more than once."""
    names = [normalised(word.split("=")[0]) for word in line.arguments if "=" in word]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"model argument {name}, given {names.count(name)} times"


def unsafe(line: CommandLine) -> Iterator[str]:
    """Values with a character that a shell interprets."""
    words = {BY_KEY[key].names[0]: value for key, value in line.options.items()}
    words |= {word.partition("=")[0]: word.partition("=")[2] for word in line.arguments}
    words["the launcher's path"] = line.launcher
    for name, value in words.items():
        for text in value if isinstance(value, list) else [str(value)]:
            if not SHELL_SAFE.fullmatch(text):
                yield f"{name} is {text!r}"


def no_number(line: CommandLine) -> Iterator[str]:
    """Numeric model arguments that argparse cannot read."""
    kinds: dict[str, Callable[[str], object]] = {
        **dict.fromkeys(("max_seq_length", "doc_stride", "accum_steps"), int),
        **dict.fromkeys(("learning_rate", "num_train_epochs"), float),
    }
    for name, kind in kinds.items():
        value = line.values().get(name)
        if value is not None and not is_number(value, kind):
            yield f"model argument {name}={value}"


def is_number(text: str, kind: Callable[[str], object]) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True


def rejected_in_inference(line: CommandLine) -> Iterator[str]:
    """Model arguments that start.sh passes on and the inference script does not know."""
    for name, value in line.values().items():
        if name in ARGUMENTS and name not in INFERENCE_ARGUMENTS and name != "train_option":
            yield f"model argument {name}={value}"


def zeros(line: CommandLine) -> Iterator[str]:
    """Lengths of 0."""
    for name in ("doc_stride", "max_seq_length"):
        value = line.values().get(name, "")
        if is_number(value, int) and int(value) == 0:
            yield f"model argument {name}={value}"


def not_for_squad(line: CommandLine) -> Iterator[str]:
    """Model arguments and options of pretraining and classification."""
    for name in NOT_FOR_SQUAD:
        if name in line.values():
            yield f"model argument {name}={line.values()[name]}"
    if line.given("num_train_steps", 1) != 1:
        yield f"--num-train-steps={line.given('num_train_steps')}"


def folder_missing(line: CommandLine) -> Iterator[str]:
    """Relative file names without the folder that they are relative to."""
    wanted = {
        "data_location": ("vocab_file", "config_file", "predict_file"),
        "checkpoint": ("init_checkpoint",),
    }
    for key, names in wanted.items():
        relative = [name for name in names if not line.values().get(name, "").startswith("/")]
        if line.given(key) is None and relative:
            yield f"no {BY_KEY[key].names[0]}, which {', '.join(relative)} would be relative to"


def wrong_choice(line: CommandLine) -> Iterator[str]:
    """A framework, model or precision other than those of bert_large."""
    expected = {"framework": (FRAMEWORK,), "model_name": (MODEL,), "precision": PRECISIONS}
    for key, choices in expected.items():
        if line.given(key) not in choices:
            yield f"{BY_KEY[key].names[0]}={line.given(key)}, not {' or '.join(choices)}"


def relative_output(line: CommandLine) -> str | None:
    """An output folder that is not absolute."""
    folder = line.given("output_dir")
    if folder is None or PurePosixPath(str(folder)).is_absolute():
        return None
    return f"--output-dir={folder} is relative"


def shm_size(line: CommandLine) -> str | None:
    """A size of shared memory that is malformed, whether the launcher refuses it or not."""
    text = line.given("shm_size")
    if text is None or re.fullmatch(r"[1-9][0-9]*[bkmg]", str(text)):
        return None
    taken = SHM_SIZE.match(str(text))
    what = "takes it although it is no size" if taken else "refuses it: its pattern needs a unit"
    return f"--shm-size={text}: the launcher {what}"


def processes(line: CommandLine) -> int:
    """Number of processes that MPI starts; 0 if MPI is not used."""
    return line.number("mpi_num_processes", 0)


def several_per_socket(line: CommandLine) -> str | None:
    """MPI with a number of processes per socket other than 1."""
    count = line.given("mpi_num_processes_per_socket", 1)
    return f"--mpi_num_processes_per_socket={count}" if processes(line) and count != 1 else None


def unsharded(line: CommandLine) -> str | None:
    """Training with several processes, and the learning rate that results."""
    ranks = processes(line)
    if ranks < 2:
        return None
    rate = line.values().get("learning_rate", "3e-05")
    scaled = f" = {float(rate) * ranks**0.5:.3g}" if is_number(rate, float) else ""
    return (
        f"{ranks} processes: all read the same records from the start, 1/{ranks} of the steps "
        f"each, and the learning rate becomes {rate} * sqrt({ranks}){scaled}"
    )


def unsynchronised(line: CommandLine) -> bool:
    """Several processes that do not average their gradients."""
    wanted = line.values().get("mpi_workers_sync_gradients", "False")
    return processes(line) > 1 and not is_true(wanted)


def absent(*names: str) -> Finder:
    """A finder of those model arguments among `names` that were not given."""
    return lambda line: [f"{name} not given" for name in names if name not in line.values()]
