"""What a run of the workflow is doing, for people: a line for each running job, now and then.

Snakemake is silent while a job runs, and what the job says goes into its log. The main process
looks at the running jobs (rules/watch.smk), prints what their logs end with, and writes the same
into a file, which `bertsquad watch` reads from another terminal.
"""

import json
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bertsquad.console.errors import one_line
from bertsquad.console.progress import say
from bertsquad.console.quantities import duration

STATE = Path(".snakemake/bertsquad/running.json")  # from the folder that Snakemake runs in
TELL_EVERY_S = 8.0
_LOOK_EVERY_S = 1.0
_MOST_JOBS = 8  # told of at once: a cluster may run hundreds
_LONGEST = 160  # characters of a line of a log
_TAIL = 4096  # bytes of a log's end
_GONE_S = 60.0  # a state that old was left by a run that was killed on another host


@dataclass(frozen=True, slots=True)
class Job:
    """A job that runs."""

    rule: str
    name: str  # the rule and its wildcards
    log: str  # "" where it has none


@dataclass
class Run:
    """What has been seen of a run so far. `planned`: how many jobs of each rule there are."""

    planned: Mapping[str, int]
    started: float
    finished: Mapping[str, int] = field(default_factory=dict)
    since: dict[Job, float] = field(default_factory=dict)  # when a running job was first seen
    seconds: dict[str, list[float]] = field(default_factory=dict)  # of the ended jobs of a rule

    def see(self, jobs: Iterable[Job], finished: Mapping[str, int], now: float) -> None:
        """Note who runs, and how long those took that run no more."""
        running = set(jobs)
        for job in set(self.since) - running:
            self.seconds.setdefault(job.rule, []).append(now - self.since.pop(job))
        for job in running:
            self.since.setdefault(job, now)
        self.finished = dict(finished)

    def lines(self, now: float) -> list[str]:
        """How far the run is, and a line for each running job, the oldest first."""
        if not self.since:
            return []
        done, total = sum(self.finished.values()), sum(self.planned.values())
        head = f"{done:,} of {total:,} steps done after {_time(now - self.started)}"
        rests = [
            rest for rule in dict.fromkeys(job.rule for job in self.since)
            if (rest := self._rest(rule, now))
        ]  # fmt: skip
        told = ["; ".join([head, *rests])]
        oldest = sorted(self.since, key=lambda job: (self.since[job], job.name))
        for job in oldest[:_MOST_JOBS]:
            said = last_line(Path(job.log)) if job.log else ""
            runs = f"{job.name}, for {_time(now - self.since[job])}"
            told.append(f"- {runs}: {said}" if said else f"- {runs}")
        if len(oldest) > _MOST_JOBS:
            told.append(f"- and {len(oldest) - _MOST_JOBS:,} more jobs")
        return told

    def _rest(self, rule: str, now: float) -> str:
        """How many jobs of a rule are done, and how long the others will take if they take as long
        as those did; "" where there is one job alone, which tells of itself."""
        planned, done = self.planned.get(rule, 0), self.finished.get(rule, 0)
        if planned < 2:
            return ""
        text = f"{rule} {done:,} of {planned:,}"
        took = self.seconds.get(rule)
        if not took:
            return text
        running = [start for job, start in self.since.items() if job.rule == rule]
        each = sum(took) / len(took)
        spent = sum(min(now - start, each) for start in running)
        left = max(0.0, each * (planned - done) - spent) / max(1, len(running))
        return f"{text}, about {_time(left)} left" if left >= 1 else text

    def state(self, now: float) -> dict[str, Any]:
        """All of this as JSON. Times are the host's, in seconds."""
        return {
            "process": os.getpid(),
            "host": socket.gethostname(),
            "at": now,
            "lines": self.lines(now),
        }


def _time(seconds: float) -> str:
    return duration(round(max(0.0, seconds)))


def last_line(log: Path) -> str:
    """The last line of a job's log, in printable characters; "" where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    lines = [line for line in text.replace("\r", "\n").splitlines() if line.strip()]
    return one_line(lines[-1].strip())[:_LONGEST] if lines else ""


def write_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write the state whole; what cannot be written is no reason to stop a run."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(state), encoding="utf-8")
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)


def read_state(path: Path, now: float) -> list[str]:
    """What the run that writes this file said last; [] where none runs."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        here = state["host"] == socket.gethostname()
        gone = now - state["at"] > _GONE_S or (
            here and not Path(f"/proc/{state['process']}").is_dir()
        )
        return [] if gone else [one_line(str(line)) for line in state["lines"]]
    except (OSError, ArithmeticError, ValueError, KeyError, TypeError, RecursionError):
        return []


def begin(
    planned: Mapping[str, int],
    look: Callable[[], tuple[list[Job], Counter[str]]],
    path: Path = STATE,
    tell_every_s: float = TELL_EVERY_S,
) -> threading.Thread:
    """Look at a run every second in a thread that ends with the process; tell of it now and then.

    `look` gives the running jobs and how many of each rule have finished. Whatever goes wrong in it
    ends the telling, never the run.
    """
    run = Run(planned, time.time())

    def watch() -> None:
        told = time.monotonic()
        while True:
            time.sleep(min(_LOOK_EVERY_S, tell_every_s))
            try:
                run.see(*look(), time.time())
            except RuntimeError:  # the jobs changed meanwhile
                continue
            except Exception as error:
                say(f"bertsquad: progress is not shown any more ({error!r:.200})")
                return
            if time.monotonic() - told >= tell_every_s:
                told = time.monotonic()
                for line in run.lines(time.time()):
                    say(f"bertsquad: {line}")
            write_state(path, run.state(time.time()))

    thread = threading.Thread(target=watch, name="progress", daemon=True)
    thread.start()
    return thread
