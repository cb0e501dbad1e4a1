"""Whether a call of the launcher did what it was to do. Its exit status says 0 nearly always, so
the log and the files decide."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bertsquad.console.errors import UserError
from bertsquad.modelzoo.log import messages

# Lines that only a failed run prints, the most telling first, and what they mean.
CAUSES = (
    (r".*error: unrecognized arguments:.*", "a script does not know a model argument"),
    (r"Error: Please specify a train option.*", "no train_option"),
    (r".*ModuleNotFoundError: .*", "PYTHONPATH or the image lacks a Python module"),
    (r".*(Illegal instruction|SIGILL).*", "TensorFlow was built for another processor"),
    (r".*-np: (command )?not found.*", "mpirun is missing from the command"),
    (r"(sh|bash|/bin/sh).*: (command )?not found$", "a command is not installed"),
    (r".*libnuma: .* out of range.*", "numactl was given a processor or node that is not there"),
    (r"<[0-9,-]+> is invalid", "numactl was given a processor or node that is not there"),
    # Not mbind: libraries try it, say so, and go on.
    (r".*set_mempolicy: Operation not permitted.*", "memory may not be bound here"),
    (r".*There are not enough slots available.*", "MPI has fewer places than processes"),
    (r".*mpirun was unable to.*", "MPI could not start its processes"),
    (r"(mkdir|tee): .*", "the output folder cannot be made or written"),
    (r".*Missing model variables in checkpoint.*", "the checkpoint lacks a part of the model"),
    (r".*Accum steps not yet supported.*", "accum_steps is not supported"),
    (r".*Skipping training since max_steps.*", "the output folder held an older run"),
    (r".*(Out of memory|Cannot allocate memory|ResourceExhaustedError).*", "out of memory"),
    (r".*Segmentation fault.*", "a process crashed"),
    (r"(Killed|Terminated|Aborted).*", "a process was ended from outside (for lack of memory?)"),
    (r"\S+\.py: error: .*", "a script refuses its arguments"),
    (r"Error: .*", "the launcher stopped"),
)
# Lines that follow a failure and tell less of it than a traceback.
CONSEQUENCES = (
    (r".*mpirun (has exited|noticed|detected).*", "a process of MPI ended badly"),
    (r"Primary job +terminated normally, but .*", "a process of MPI ended badly"),
    (r"Warning: The .* preditions file was not found.*", "no predictions were written"),
)
TRACEBACK = "Traceback (most recent call last):"
# What a run to the end prints, and the beginning of that line.
SUCCESS = {
    "training": (
        ("the loss of the final step", r"Loss for final step: "),
        ("the predictions it writes", r"Writing predictions to: "),
    ),
    "benchmark": (
        ("the time it took", r"Elapsed time: |Total examples: |Thread \d+ has throughput"),
        ("the throughput", r"throughput\(|Throughput: |Total throughput"),
    ),
    "accuracy": (("exact match and F1", r'\{"(exact_match|f1)": '),),
}
CHECKPOINT_INDEX = re.compile(r"model\.ckpt-(\d+)\.index")

TRAINED = "model.ckpt"  # what the last checkpoint of a training is called afterwards
SHARD = ".data-00000-of-00001"


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a run left, by what it is for. Only a run that reached its end has all of it."""

    predictions: Path | None = None
    nbest: Path | None = None
    checkpoint: Path | None = None  # prefix of the last one


def failure(lines: Sequence[str]) -> str | None:
    """Why a run failed, with the line that tells; None where no line says so."""
    told = messages(lines)
    return told_by(CAUSES, told) or traceback(told) or told_by(CONSEQUENCES, told)


def told_by(table: Sequence[tuple[str, str]], lines: Sequence[str]) -> str | None:
    """The first entry that a line speaks of, with that line."""
    for pattern, meaning in table:
        for line in lines:
            if re.fullmatch(pattern, line):
                return f"{meaning}: {line.strip()!r}"
    return None


def traceback(lines: Sequence[str]) -> str | None:
    """The error at the end of the first traceback."""
    for place, line in enumerate(lines):
        at_exit = place and lines[place - 1].startswith("Exception ignored in")
        if line.endswith(TRACEBACK) and not at_exit:
            after = lines[place + 1 :]
            rest = (text for text in after if text.strip() and not text.startswith(" "))
            return f"a script ended with a traceback: {next(rest, line).strip()!r}"
    return None


def unfinished(mode: str, lines: Sequence[str]) -> str | None:
    """What a run of this mode prints at its end and this one did not; None where all is there."""
    told = messages(lines)
    for what, pattern in SUCCESS[mode]:
        if not any(re.match(pattern, line) for line in told):
            last = next((line for line in reversed(told) if line.strip()), "nothing")
            return f"the log does not say {what}; its last line is {last.strip()!r}"
    return None


def outputs(mode: str, folder: Path) -> Outputs:
    """The files that a run of this mode leaves in its output folder (which was empty before).
    `UserError` that names the first one that is not there."""
    if mode == "benchmark":
        return Outputs()
    predictions, nbest = folder / "predictions.json", folder / "nbest_predictions.json"
    for path in (predictions, nbest):
        if not path.is_file() or not path.stat().st_size:
            raise UserError(f"{path}: the run did not write it")
    return Outputs(predictions, nbest, last_checkpoint(folder) if mode == "training" else None)


def last_checkpoint(folder: Path) -> Path:
    """The prefix of the checkpoint with the highest step; `UserError` where training left none."""
    steps = [
        int(match[1])
        for path in folder.iterdir()
        if (match := CHECKPOINT_INDEX.fullmatch(path.name))
    ]
    if not steps or max(steps) == 0:
        raise UserError(f"{folder}: training left no checkpoint later than step 0")
    return folder / f"model.ckpt-{max(steps)}"


def judge(mode: str, status: int, lines: Sequence[str], folder: Path) -> Outputs:
    """What a run left, or a `UserError` that says why it counts as failed."""
    reason = failure(lines)
    if reason is None and status:
        last = next((line for line in reversed(lines) if line.strip()), "nothing")
        reason = f"exit status {status}; the last line of its log is {last.strip()!r}"
    reason = reason or unfinished(mode, lines)
    if reason is not None:
        said = "" if status else " (the launcher's exit status was 0 all the same)"
        raise UserError(f"the Model Zoo's {mode} failed: {reason}{said}")
    return outputs(mode, folder)
