"""One call of the launcher: its findings, its process or container, its outcome.

The launcher's exit status is 0 after almost every failure, so the log and the files decide.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsquad.console.errors import UserError
from bertsquad.containers.mounts import folder_list
from bertsquad.modelzoo import settings
from bertsquad.modelzoo.checks.environment import ENVIRONMENT_CHECKS, without_leaks
from bertsquad.modelzoo.checks.file import FILE_CHECKS
from bertsquad.modelzoo.checks.line import BREAKING, IGNORED
from bertsquad.modelzoo.checks.machine import MACHINE_CHECKS, Host
from bertsquad.modelzoo.checks.table import Finding, examine
from bertsquad.modelzoo.command_line import CommandLine
from bertsquad.modelzoo.log import messages
from bertsquad.modelzoo.settings import CallFiles, Step

DOCKER_SHELL = Path(__file__).resolve().parents[2] / "docker_shell.py"
# Begins the line with which the container identifies itself before the launcher starts.
IDENTITY = "bertsquad container: "
GRACE_S = 30  # seconds between SIGTERM and SIGKILL; a container takes 10 to stop
# Pattern of a line that only a failed run prints -> its meaning; the most specific first.
CAUSES = (
    (r".*error: unrecognized arguments:.*", "a script does not know a model argument"),
    (r"Error: Please specify a train option.*", "no train_option"),
    (r".*ModuleNotFoundError: .*", "PYTHONPATH or the image lacks a Python module"),
    (r".*(Illegal instruction|SIGILL).*", "TensorFlow was built for another processor"),
    (r".*-np: (command )?not found.*", "mpirun is missing from the command"),
    (r"(sh|bash|/bin/sh).*: (command )?not found$", "a command is not installed"),
    (r".*libnuma: .* out of range.*", "numactl was given a processor or node that is not there"),
    (r"<[0-9,-]+> is invalid", "numactl was given a processor or node that is not there"),
    # A refused mbind is not a failure: libraries try it, print this, and go on.
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
# Lines that follow a failure and are less specific than a traceback.
CONSEQUENCES = (
    (r".*mpirun (has exited|noticed|detected).*", "a process of MPI ended badly"),
    (r"Primary job +terminated normally, but .*", "a process of MPI ended badly"),
    (r"Warning: The .* preditions file was not found.*", "no predictions were written"),
)
TRACEBACK = "Traceback (most recent call last):"
# Mode -> lines that a complete run prints: their content, a pattern of their beginning.
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


@dataclass(frozen=True)
class Call:
    """One call of the launcher: a step of the configuration with its files as absolute paths."""

    step: Step
    files: CallFiles
    launcher: str  # path of launch_benchmark.py
    python: str = "python3"

    @property
    def line(self) -> CommandLine:
        """The command line of this call."""
        return settings.command(self.step, self.files, launcher=self.launcher, python=self.python)

    def environment(self, outer: Mapping[str, str]) -> dict[str, str]:
        """The launcher's environment: `outer` without variables that would change the run, the
        guide's PYTHONPATH, and the step's own variables.

        Python's output is unbuffered, so that each line of the log arrives when it is printed.
        """
        line = self.line
        before = outer.get("PYTHONPATH", "")
        path = f"{before}:{line.benchmarks}" if before else str(line.benchmarks)
        own = {name: str(value) for name, value in line.environment.items()}
        return without_leaks(outer) | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"} | own

    def findings(self, host: Host, outer: Mapping[str, str], *, files: bool) -> list[Finding]:
        """All findings about this call, errors first; with `files` also those about its files."""
        line = self.line
        found = examine((*BREAKING, *IGNORED), line) + examine(MACHINE_CHECKS, line, host)
        found += examine(ENVIRONMENT_CHECKS, line, self.environment(outer))
        if files:
            found += examine(FILE_CHECKS, line, self.files)
        return sorted(found, key=lambda finding: finding.severity != "error")


def call_of(text: str, files: CallFiles, launcher: str) -> Call:
    """The call for a step's settings, JSON as `ModelZoo.settings` writes it."""
    given: dict[str, Any] = json.loads(text)
    return Call(settings.step_of(given), files, launcher, given.get("python", "python3"))


def remove_output(folder: Path) -> None:
    """Remove the launcher's output folder and create its parent.

    The launcher would resume from old checkpoints and score old predictions in it.
    """
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)
    else:
        folder.unlink(missing_ok=True)
    folder.parent.mkdir(parents=True, exist_ok=True)


def in_container(
    image: str,
    argv: Sequence[str],
    variables: Mapping[str, str],
    outer: Mapping[str, str],
    *,
    shm_size: str,
    binding: bool,
    folders: Sequence[Path] = (),
) -> tuple[list[str], dict[str, str]]:
    """The command that runs `argv` in a container of the image, and its environment.

    It calls scripts/docker_shell.py. `variables` are set in the container; the environment of the
    command is `outer` without variables that would change the launcher's run. The working directory
    and `folders` are mounted at their own paths, and new files belong to the caller. `binding`
    gives the container SYS_NICE, all that numactl needs of the guide's seccomp=unconfined.
    """
    chosen = {
        "IMAGE": image,
        "SHM_SIZE": shm_size,
        "BINDING": "yes" if binding else "no",
        "ENV": ",".join(variables),
        "MOUNTS": folder_list(folders),
    }
    given = {f"BERTSQUAD_DOCKER_{name}": value for name, value in chosen.items()}
    # docker_shell.py describes the image in a variable; the echo puts it into the log.
    shown = f'echo "{IDENTITY}$BERTSQUAD_CONTAINER"; exec {shlex.join(argv)}'
    command = [sys.executable, str(DOCKER_SHELL), "-c", shown]
    return command, without_leaks(outer) | dict(variables) | given


def container_identity(lines: Sequence[str]) -> dict[str, Any] | None:
    """The description of the image in a log; None if the launcher ran outside of a container."""
    for line in lines:
        if line.startswith(IDENTITY):
            found: dict[str, Any] = json.loads(line.removeprefix(IDENTITY))
            return found
    return None


def run_here(
    argv: Sequence[str], environment: Mapping[str, str], on_line: Callable[[str], None]
) -> int:
    """Run a command, call `on_line` with each line of stdout and stderr, return the exit status.

    The status is negative for a signal. SIGTERM, Ctrl-C and an error in `on_line` end the whole
    process group: the launcher leaves its children behind when it alone is stopped.
    """
    process = subprocess.Popen(
        list(argv),
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        for line in process.stdout or ():
            on_line(line)
        return process.wait()
    finally:
        signal.signal(signal.SIGTERM, before)
        stop(process)


def interrupt(number: int, frame: object) -> None:
    """Handle SIGTERM like Ctrl-C."""
    raise KeyboardInterrupt


def stop(process: subprocess.Popen[str]) -> None:
    """End the processes that are left in the process group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            continue


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files of a complete run; a field is None if its mode does not write it."""

    predictions: Path | None = None
    nbest: Path | None = None
    checkpoint: Path | None = None  # prefix of the last checkpoint


def failure_reason(lines: Sequence[str]) -> str | None:
    """Why a run failed, with the line that shows it; None if no line shows a failure."""
    lines = messages(lines)
    return first_match(CAUSES, lines) or traceback(lines) or first_match(CONSEQUENCES, lines)


def first_match(table: Sequence[tuple[str, str]], lines: Sequence[str]) -> str | None:
    """The meaning of the first pattern that matches a line, with that line; None without one."""
    for pattern, meaning in table:
        for line in lines:
            if re.fullmatch(pattern, line):
                return f"{meaning}: {line.strip()!r}"
    return None


def traceback(lines: Sequence[str]) -> str | None:
    """The error at the end of the first traceback; None without a traceback."""
    for place, line in enumerate(lines):
        at_exit = place and lines[place - 1].startswith("Exception ignored in")
        if line.endswith(TRACEBACK) and not at_exit:
            after = lines[place + 1 :]
            rest = (text for text in after if text.strip() and not text.startswith(" "))
            return f"a script ended with a traceback: {next(rest, line).strip()!r}"
    return None


def missing_line(mode: str, lines: Sequence[str]) -> str | None:
    """A line that a complete run of this mode prints and this log lacks; None if it has all."""
    lines = messages(lines)
    for what, pattern in SUCCESS[mode]:
        if not any(re.match(pattern, line) for line in lines):
            last = next((line for line in reversed(lines) if line.strip()), "nothing")
            return f"the log does not say {what}; its last line is {last.strip()!r}"
    return None


def outputs(mode: str, folder: Path) -> Outputs:
    """The files of a complete run of this mode in its output folder.

    Raises `UserError` with the first missing file.
    """
    if mode == "benchmark":
        return Outputs()
    predictions, nbest = folder / "predictions.json", folder / "nbest_predictions.json"
    for path in (predictions, nbest):
        if not path.is_file() or not path.stat().st_size:
            raise UserError(f"{path}: the run did not write it")
    return Outputs(predictions, nbest, last_checkpoint(folder) if mode == "training" else None)


def last_checkpoint(folder: Path) -> Path:
    """The prefix of the checkpoint with the highest step; `UserError` if there is none."""
    steps = [
        int(match[1])
        for path in folder.iterdir()
        if (match := CHECKPOINT_INDEX.fullmatch(path.name))
    ]
    if not steps or max(steps) == 0:
        raise UserError(f"{folder}: training left no checkpoint later than step 0")
    return folder / f"model.ckpt-{max(steps)}"


def check_outcome(mode: str, status: int, lines: Sequence[str], folder: Path) -> Outputs:
    """The files of a run; `UserError` with the reason if the run failed."""
    reason = failure_reason(lines)
    if reason is None and status:
        last = next((line for line in reversed(lines) if line.strip()), "nothing")
        reason = f"exit status {status}; the last line of its log is {last.strip()!r}"
    reason = reason or missing_line(mode, lines)
    if reason is not None:
        said = "" if status else " (the launcher's exit status was 0 all the same)"
        raise UserError(f"the Model Zoo's {mode} failed: {reason}{said}")
    return outputs(mode, folder)
