"""A side of a comparison as a process: started, run, and stopped while others run."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

READY_TIMEOUT_S = 900  # compilers and quantisers take minutes
_RUN_TIMEOUT_S = 600


class SideFailed(Exception):
    """A process ended or did not answer; the message names it and the last line of its log."""


class SideProcess:
    """One process that answers as scripts/take_turns.py and scripts/peers/protocol.py do.

    Between its runs it is stopped by a signal: no thread of it can spin while others are measured.
    """

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=dict(environment),
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        self.rest = b""

    @property
    def pid(self) -> int:
        return self.process.pid

    def ready(self) -> dict[str, Any]:
        """Its answer when it is loaded and warm; then it is stopped."""
        answer = self.answer(READY_TIMEOUT_S)
        self.stop()
        return answer

    def run(self) -> dict[str, Any]:
        """Let it do its work once: `seconds`, `features`, `peak_memory_mib`."""
        self.process.send_signal(signal.SIGCONT)
        try:
            self.stdin.write(b"run\n")
            self.stdin.flush()
        except OSError:
            raise self.failure("it has ended") from None
        answer = self.answer(_RUN_TIMEOUT_S)
        self.stop()
        return answer

    def stop(self) -> None:
        """Stop it, and return when all its threads are stopped (or it has ended)."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def answer(self, seconds: float) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while b"\n" not in self.rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.stdout], [], [], left)[0]:
                self.process.kill()  # it would go on computing while others are measured
                raise self.failure(f"no answer in {seconds:g} s")
            piece = os.read(self.stdout.fileno(), 1 << 16)
            if not piece:
                raise self.failure(f"ended with exit status {self.process.wait()}")
            self.rest += piece
        line, _, self.rest = self.rest.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def failure(self, what: str) -> SideFailed:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return SideFailed(f"{self.name}: {what}; {lines[-1] if lines else 'it wrote nothing'}")

    def close(self) -> None:
        """End the process."""
        if self.process.poll() is None:
            self.process.kill()  # a stopped one, too
        self.process.wait()
        self.stdin.close()
        self.stdout.close()
