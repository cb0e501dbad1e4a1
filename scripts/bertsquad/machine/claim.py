"""Whose a computation is: one process at a time of all hosts that see its folder.

A Snakemake that is killed on a cluster's login node leaves its jobs behind, and the next one
submits them again. The second process then waits for the first and takes over what that has made,
and does the work itself only where the first one ended without.

The folder's file `lock` is locked as POSIX does (fcntl(2)), and holds who has it. Between hosts
such locks may lie (NFS without its lock daemon), so that a holder on another host is also asked
for: at Slurm, else by a number in the file that the holder counts up.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from bertsquad.console.errors import UserError
from bertsquad.console.starter import check_wanted
from bertsquad.files import read_json, write_json
from bertsquad.machine.slurm import is_at_work

BEAT_S = 10.0  # between two signs of life
_BEATS_UNTIL_LOST = 10
_LOOK_EVERY_S = 1.0
_ASK_SLURM_EVERY_S = 30.0
_LOCK, _AWAITED, _FINISHED, _FACTS = "lock", "awaited", "finished", "facts.json"


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that computes, as its lock file names it."""

    host: str
    boot: str  # a kernel's run: processes with the same one see each other's locks
    pid: int
    job: str | None  # Slurm's number
    started: str  # UTC
    beat: int = 0

    @property
    def name(self) -> str:
        """What it is awaited by."""
        return f"job {self.job}" if self.job else f"process {self.pid} on {self.host}"


class Claim:
    """The right to compute what a folder belongs to; a context, which gives it up at its end.

    `outputs` are the files that the work makes, whole. `team` only waits for others: processes of
    the same Slurm job, which share this work, are none.
    """

    def __init__(
        self,
        folder: Path,
        outputs: Sequence[Path],
        *,
        team: bool = False,
        beat_s: float = BEAT_S,
    ) -> None:
        self.folder = folder
        self.outputs = list(outputs)
        self._team = team
        self._beat_s = beat_s
        self._me = this_process()
        self._descriptor: int | None = None
        self._ended = threading.Event()
        self._beating: threading.Thread | None = None
        self._last: Holder | None = None  # heard of, and when
        self._last_at = self._asked_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def take(self, say: Callable[[str], None], facts: Callable[[], dict[str, Any]]) -> bool:
        """Wait until nobody else computes this. True where that is done: the outputs are there,
        made by another process of the same `facts` (JSON values: what decides them). Else this
        process has the claim."""
        told: Holder | None = None
        while (holder := self._other()) is not None:
            if told is None or holder.name != told.name:
                self._await(holder)
                since = f"since {holder.started}" if holder.started else "already"
                say(f"{holder.name} (host {holder.host}) computes this {since}: waiting for it")
                told = holder
            time.sleep(_LOOK_EVERY_S)
        if self._descriptor is None:
            return False
        if self._take_over(facts):
            say(f"done by {told.name if told else 'a job of an earlier run'}; taken over")
            return True
        if told:
            say(f"{told.name} has ended without finishing this: going on")
        self._write()
        self._beating = threading.Thread(target=self._beat, daemon=True)
        self._beating.start()
        return False

    def finish(self, facts: dict[str, Any]) -> None:
        """Once all outputs are written: where another process waits for this one, leave it what it
        would make, since its Snakemake removes old outputs before it starts."""
        if self._descriptor is not None and self._me.name in _lines(self.folder / _AWAITED):
            folder = self.folder / _FINISHED
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for number, output in enumerate(self.outputs):
                _link(output, folder / str(number))
            write_json(folder / _FACTS, facts)
        (self.folder / _AWAITED).unlink(missing_ok=True)

    def release(self) -> None:
        """Let others have it. Does nothing where it is not held."""
        self._ended.set()
        if self._beating:
            self._beating.join()
        if self._descriptor is not None:
            (self.folder / _LOCK).unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None
            if self.folder.is_dir() and not any(self.folder.iterdir()):
                self.folder.rmdir()

    # Who has it

    def _other(self) -> Holder | None:
        """Another process that computes, or None; then this one has the lock."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / _LOCK
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        locked = _locked(descriptor)
        holder = _read(descriptor)
        if locked is False:
            os.close(descriptor)
            if self._team and holder and holder.job and holder.job == self._me.job:
                return None
            return holder or Holder("unknown", "", 0, None, "")
        if not _is_at(path, descriptor):  # its holder has removed it meanwhile
            os.close(descriptor)
            return self._other()
        trusted = locked and holder is not None and holder.boot == self._me.boot
        if holder is None or trusted or self._is_lost(holder):
            self._descriptor = descriptor
            return None
        os.close(descriptor)
        return holder

    def _is_lost(self, holder: Holder) -> bool:
        """Whether a holder on another host, or one without a lock, has ended."""
        if holder.job and holder.job == self._me.job:
            return True  # an earlier start of this job, which Slurm has queued again
        now = time.monotonic()
        if self._last is None or (holder.name, holder.beat) != (self._last.name, self._last.beat):
            self._last, self._last_at = holder, now
        if holder.job and now - self._asked_at > _ASK_SLURM_EVERY_S:
            at_work = is_at_work(holder.job)
            if at_work is False:
                return True
            self._asked_at = now
        return now - self._last_at > _BEATS_UNTIL_LOST * self._beat_s

    def _await(self, holder: Holder) -> None:
        with (self.folder / _AWAITED).open("a", encoding="utf-8") as file:
            file.write(f"{holder.name}\n")

    # Having it

    def _write(self) -> None:
        assert self._descriptor is not None
        content = json.dumps(asdict(self._me)).encode()
        os.pwrite(self._descriptor, content, 0)
        os.ftruncate(self._descriptor, len(content))
        os.fsync(self._descriptor)

    def _beat(self) -> None:
        while not self._ended.wait(self._beat_s):
            self._me = replace(self._me, beat=self._me.beat + 1)
            try:
                self._write()
            except OSError:
                continue  # a full disk: the lock is still held

    def _take_over(self, facts: Callable[[], dict[str, Any]]) -> bool:
        """Put what a finished process has left in place, where it is what this one would make."""
        folder = self.folder / _FINISHED
        if not folder.is_dir():
            return False
        parts = [folder / str(number) for number in range(len(self.outputs))]
        wanted = json.loads(json.dumps(facts()))
        same = all(part.is_file() for part in parts) and _facts(folder / _FACTS) == wanted
        for part, output in zip(parts, self.outputs, strict=True) if same else ():
            check_wanted(output)
            output.parent.mkdir(parents=True, exist_ok=True)
            os.replace(part, output)
            os.utime(output)  # newer than what it was made of, which may have been made again
        shutil.rmtree(folder)
        return same


def expect(folder: Path, jobs: Sequence[str]) -> None:
    """Have these Slurm jobs, should one of them do a folder's work, leave it for a later one."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _AWAITED).open("a", encoding="utf-8") as file:
        file.writelines(f"job {job}\n" for job in jobs)


def this_process() -> Holder:
    """This process, as others are to see it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        boot = ""
    started = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    job = os.environ.get("SLURM_JOB_ID")
    return Holder(socket.gethostname(), boot, os.getpid(), job, started)


def _locked(descriptor: int) -> bool | None:
    """Whether this process has the lock now; None on a file system without locks."""
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return None
    return True


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _read(descriptor: int) -> Holder | None:
    """Who a lock file names; None in an empty one, and where it is just being written."""
    try:
        found = Holder(**json.loads(os.pread(descriptor, 65536, 0)))
    except (ValueError, TypeError, RecursionError):
        return None
    texts = (found.host, found.boot, found.job or "", found.started)
    whole = isinstance(found.pid, int) and isinstance(found.beat, int)
    return found if whole and all(isinstance(text, str) for text in texts) else None


def _facts(path: Path) -> Any:
    try:
        return read_json(path)
    except (OSError, UserError):
        return None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def _link(source: Path, target: Path) -> None:
    """A second name for a file; a copy where the file system has none."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
