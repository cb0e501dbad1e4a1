"""What a command line gives away: each function finds one thing in it and says what it found."""

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

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
from bertsquad.suggestions import did_you_mean

# Values reach a shell unquoted, twice.
SAFE = re.compile(r"[A-Za-z0-9_./:=,+@%^-]*")
SHM_SIZE = re.compile(r"([1-9][0-9]*)['b','k','m','g']")  # as the launcher has it
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


def in_mode(mode: str, found: Callable) -> Callable:
    """`found` for command lines of one mode; nothing for others."""
    return lambda line: found(line) if line.mode == mode else None


def given(key: str, *, unless: object = None) -> Callable:
    """Found where an option was given, and is not `unless`."""
    name = BY_KEY[key].names[0]

    def found(line: CommandLine) -> str | None:
        value = line.given(key)
        if value is None or value is False or value == unless:
            return None
        return name if value is True else f"{name}={value}"

    return found


def argument(name: str, *, when: Callable[[str], bool] = lambda value: True) -> Callable:
    """Found where a model argument was given with such a value."""

    def found(line: CommandLine) -> str | None:
        value = line.values().get(name)
        return f"{name}={value}" if value is not None and when(value) else None

    return found


def true(value: str) -> bool:
    return value.lower() == "true"


def positive(key: str) -> Callable:
    """Found where a count is not positive."""

    def found(line: CommandLine) -> str | None:
        value = line.given(key)
        return f"{BY_KEY[key].names[0]}={value}" if value is not None and int(value) < 1 else None

    return found


def dropped(line: CommandLine) -> Iterator[str]:
    for name in line.values():
        if name not in ARGUMENTS:
            hint = INSTEAD.get(name) or did_you_mean(name, ARGUMENTS)
            yield f"model argument {name} ({hint})"


def without_value(line: CommandLine) -> Iterator[str]:
    for word in line.arguments:
        if "=" not in word:
            yield f"model argument {word!r}"


def cut_off(line: CommandLine) -> Iterator[str]:
    for word in line.arguments:
        if word.count("=") > 1:
            yield f"model argument {word!r} keeps only {word.split('=')[1]!r}"


def twice(line: CommandLine) -> Iterator[str]:
    names = [normalised(word.split("=")[0]) for word in line.arguments if "=" in word]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"model argument {name}, given {names.count(name)} times"


def unsafe(line: CommandLine) -> Iterator[str]:
    words = {BY_KEY[key].names[0]: value for key, value in line.options.items()}
    words |= {word.partition("=")[0]: word.partition("=")[2] for word in line.arguments}
    words["the launcher's path"] = line.launcher
    for name, value in words.items():
        for text in value if isinstance(value, list) else [str(value)]:
            if not SAFE.fullmatch(text):
                yield f"{name} is {text!r}"


def no_number(line: CommandLine) -> Iterator[str]:
    kinds = dict.fromkeys(("max_seq_length", "doc_stride", "accum_steps"), int)
    kinds |= dict.fromkeys(("learning_rate", "num_train_epochs"), float)
    for name, kind in kinds.items():
        value = line.values().get(name)
        if value is not None and not is_number(value, kind):
            yield f"model argument {name}={value}"


def is_number(text: str, kind: Callable) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True


def rejected_in_inference(line: CommandLine) -> Iterator[str]:
    for name, value in line.values().items():
        if name in ARGUMENTS and name not in INFERENCE_ARGUMENTS and name != "train_option":
            yield f"model argument {name}={value}"


def not_for_squad(line: CommandLine) -> Iterator[str]:
    for name in NOT_FOR_SQUAD:
        if name in line.values():
            yield f"model argument {name}={line.values()[name]}"
    if line.given("num_train_steps", 1) != 1:
        yield f"--num-train-steps={line.given('num_train_steps')}"


def folder_missing(line: CommandLine) -> Iterator[str]:
    wanted = {
        "data_location": ("vocab_file", "config_file", "predict_file"),
        "checkpoint": ("init_checkpoint",),
    }
    for key, names in wanted.items():
        relative = [name for name in names if not line.values().get(name, "").startswith("/")]
        if line.given(key) is None and relative:
            yield f"no {BY_KEY[key].names[0]}, which {', '.join(relative)} would be relative to"


def wrong_choice(line: CommandLine) -> Iterator[str]:
    expected = {"framework": (FRAMEWORK,), "model_name": (MODEL,), "precision": PRECISIONS}
    for key, choices in expected.items():
        if line.given(key) not in choices:
            yield f"{BY_KEY[key].names[0]}={line.given(key)}, not {' or '.join(choices)}"


def relative_output(line: CommandLine) -> str | None:
    folder = line.given("output_dir")
    if folder is None or PurePosixPath(str(folder)).is_absolute():
        return None
    return f"--output-dir={folder} is relative"


def shm_size(line: CommandLine) -> str | None:
    text = line.given("shm_size")
    if text is None or re.fullmatch(r"[1-9][0-9]*[bkmg]", str(text)):
        return None
    taken = SHM_SIZE.match(str(text))
    what = "takes it although it is no size" if taken else "refuses it: its pattern needs a unit"
    return f"--shm-size={text}: the launcher {what}"


def processes(line: CommandLine) -> int:
    """How many processes MPI starts; 0: none, MPI is not used."""
    return int(line.given("mpi_num_processes") or 0)


def several_per_socket(line: CommandLine) -> str | None:
    count = line.given("mpi_num_processes_per_socket", 1)
    return f"--mpi_num_processes_per_socket={count}" if processes(line) and count != 1 else None


def unsharded(line: CommandLine) -> str | None:
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
    wanted = line.values().get("mpi_workers_sync_gradients", "False")
    return processes(line) > 1 and not true(wanted)


def absent(*names: str) -> Callable:
    """Found for each of these model arguments that was not given."""
    return lambda line: [f"{name} not given" for name in names if name not in line.values()]


TRAINING, INFERENCE = "training", "inference"
