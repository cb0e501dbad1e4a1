"""Runs one host's part of a distributed command, and ends it when any part anywhere ends badly."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from bertsquad.console.errors import USAGE_STATUS, UserError, one_line
from bertsquad.distributed.agent import GO_ON, TERMINATION_TIMEOUT_S, Verdict
from bertsquad.distributed.hosts import (
    HERE_ALONE,
    Hosts,
    interface_towards,
    interface_with,
    require_here,
)
from bertsquad.distributed.links import HEARTBEAT_TIMEOUT_S, Link, Listener, call
from bertsquad.distributed.placement import Place
from bertsquad.distributed.worker import HOST_VARIABLE, PLACES_VARIABLE

_SCRIPTS = Path(__file__).resolve().parents[2]

_POLL_INTERVAL_S = 0.1
_JOIN_TIMEOUT_S = 120.0  # a host that has not called by then does not come


@dataclass(frozen=True, slots=True)
class Job:
    """What runs on this host. `command` is one process's, without the interpreter."""

    command: list[str]
    places: list[Place]
    hosts: Hosts = HERE_ALONE
    port: int | None = None  # for PyTorch, and the one after it for heartbeats; None: any free one
    interface: str | None = None  # None: found from the route to the other hosts
    others: dict[str, list[str]] = field(default_factory=dict)  # host -> what starts it there
    secret: str | None = None  # what the hosts of this job say to each other; None: a new one


class _Ended(Exception):
    """The end of the job, with its verdict."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict


def supervise(job: Job) -> Verdict:
    """Run the job to its end; whatever the end, none of its processes is left on this host.

    The verdict's message is for the first host to tell; another has one only where it has lost the
    first. UserError where the job cannot be started.
    """
    supervisor = _Supervisor(job)
    try:
        supervisor.start()
        while not supervisor.finished():
            supervisor.look()
            time.sleep(_POLL_INTERVAL_S)
        return Verdict(0)
    except _Ended as end:
        supervisor.spread(end.verdict)
        told_elsewhere = not (supervisor.first or supervisor.orphaned)
        return Verdict(end.verdict.status) if told_elsewhere else end.verdict
    except UserError as error:
        supervisor.spread(Verdict(USAGE_STATUS, str(error)))
        raise
    finally:
        supervisor.stop()


class _Supervisor:
    def __init__(self, job: Job) -> None:
        self.job = job
        self.first = job.hosts.number == 0
        self.agent: subprocess.Popen[bytes] | None = None
        self.report = -1  # where the agent's verdict comes from
        self.shells: dict[str, subprocess.Popen[bytes]] = {}
        self.listener: Listener | None = None
        self.links: dict[int, Link] = {}  # by host number
        self.done: set[int] = set()  # hosts whose processes have all ended well
        self.orphaned = False  # whether the first host is lost
        self.caught: int | None = None
        self.started = time.monotonic()

    # Beginning

    def start(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            signal.signal(number, self._catch)
        names = self.job.hosts.names
        if not self.job.hosts.several:
            self._start_agent(
                "127.0.0.1", self.job.port or free_port(), interface_with("127.0.0.1")
            )
            return
        port = self.job.port or 0
        if self.first:
            require_here(names[0])
            interface = self.job.interface or interface_towards(names[1])
            Listener(port).close()  # is it free?
            self.listener = Listener(port + 1, names[0], self.job.secret)
            for host, command in self.job.others.items():
                self.shells[host] = _start_elsewhere(command, self.job.secret or "")
        else:
            interface = self.job.interface or interface_towards(names[0])
            self.links[0] = self._call_first_host(port + 1)
        self._start_agent(names[0], port, interface)

    def _call_first_host(self, port: int) -> Link:
        first, number = self.job.hosts.names[0], self.job.hosts.number
        while time.monotonic() - self.started < _JOIN_TIMEOUT_S:
            self._look_at_signals()
            if link := call(first, port, number, self.job.secret or ""):
                return link
            time.sleep(0.5)
        raise UserError(
            f"host {self.job.hosts.name}: {first} does not answer at port {port}; is it open to "
            "this host?"
        )

    def _start_agent(self, address: str, port: int, interface: str) -> None:
        """Start torchrun, with hosts and ranks fixed beforehand."""
        places = self.job.places
        environment = {
            "TORCH_CPP_LOG_LEVEL": "ERROR",  # or it warns of hosts without a name in DNS
            "OMP_NUM_THREADS": str(max(place.threads for place in places)),
            "GLOO_SOCKET_IFNAME": interface,
            **os.environ,
            PLACES_VARIABLE: json.dumps([asdict(place) for place in places]),
            HOST_VARIABLE: self.job.hosts.name,
            "PYTHONPATH": os.pathsep.join(
                [str(_SCRIPTS), *filter(None, [os.environ.get("PYTHONPATH")])]
            ),
        }
        if self.job.interface:
            environment["GLOO_SOCKET_IFNAME"] = self.job.interface
        torchrun = {
            "nnodes": max(1, len(self.job.hosts.names)),
            "node-rank": self.job.hosts.number,
            "nproc-per-node": len(places),
            "master-addr": address,
            "master-port": port,
            "monitor-interval": _POLL_INTERVAL_S,
            "shutdown-timeout": TERMINATION_TIMEOUT_S,
        }
        self.report, report = os.pipe()
        os.set_blocking(self.report, False)
        self.agent = subprocess.Popen(
            [
                *(sys.executable, "-m", "bertsquad.distributed.agent"),
                *(str(report), self.job.hosts.name),
                *(f"--{name}={value}" for name, value in torchrun.items()),
                *("--", *self.job.command),
            ],
            env=environment,
            pass_fds=[report],
            start_new_session=True,  # Ctrl-C is for the supervisor
        )
        os.close(report)

    # Watching

    def look(self) -> None:
        """Once around; raises _Ended as soon as something has ended badly."""
        self._look_at_signals()
        self._look_at_agent()
        for number, link in self.listener.callers() if self.listener else []:
            if number not in self.links and number < len(self.job.hosts.names):
                self.links[number] = link
            else:
                link.close()
        for number, link in self.links.items():
            self._look_at_link(number, link)
        self._look_at_shells()
        missing = len(self.job.hosts.names) - 1 - len(self.links) if self.first else 0
        if missing > 0 and time.monotonic() - self.started > _JOIN_TIMEOUT_S:
            names = self.job.hosts.names
            absent = ", ".join(names[n] for n in range(1, len(names)) if n not in self.links)
            raise UserError(
                f"--hosts: {absent} did not call within {_JOIN_TIMEOUT_S:.0f} s; is port "
                f"{(self.job.port or 0) + 1} of {names[0]} open to it?"
            )

    def finished(self) -> bool:
        """Whether the processes of all hosts have ended well; the others wait for the first."""
        here = self.job.hosts.number in self.done
        if self.first:
            return here and self.done.issuperset(range(len(self.job.hosts.names)))
        return here and 0 in self.done

    def _catch(self, number: int, frame: FrameType | None) -> None:
        self.caught = number

    def _look_at_signals(self) -> None:
        if self.caught is not None:
            name = signal.Signals(self.caught).name
            raise _Ended(Verdict(128 + self.caught, f"stopped by {name}; {GO_ON}"))

    def _look_at_agent(self) -> None:
        if self.agent is None or self.job.hosts.number in self.done:
            return
        status = self.agent.poll()
        if status == 0:
            self.done.add(self.job.hosts.number)
            for link in self.links.values():
                link.tell(done=True)
        elif status is not None:
            raise _Ended(self._agents_verdict(status))

    def _agents_verdict(self, status: int) -> Verdict:
        try:
            return Verdict(**json.loads(os.read(self.report, 65536)))
        except (OSError, ValueError):
            where = f" on host {self.job.hosts.name}" if self.job.hosts.several else ""
            return Verdict(1, f"torchrun{where} ended with status {status}; {GO_ON}")

    def _look_at_link(self, number: int, link: Link) -> None:
        if number in self.done and (link.closed or not self.first):
            return
        for news in link.news():
            if "ended" in news:
                raise _Ended(_verdict_of(news["ended"], self.job.hosts.names[number]))
            if news.get("done"):
                self.done.add(number)
        if number in self.done:
            return
        if link.closed or link.silent:
            self.orphaned = not self.first
            lost = self.job.hosts.names[number]
            how = (
                "its command has ended"
                if link.closed
                else f"nothing heard for {HEARTBEAT_TIMEOUT_S:.0f} s"
            )
            found_by = f"host {self.job.hosts.name}: " if self.orphaned else ""
            raise _Ended(Verdict(1, f"{found_by}host {lost} is lost ({how}); {GO_ON}"))

    def _look_at_shells(self) -> None:
        for host, shell in self.shells.items():
            number = self.job.hosts.names.index(host)
            if shell.poll() and number not in self.links:
                raise UserError(
                    f"host {host} could not be started: `{' '.join(self.job.others[host][:-1])}` "
                    f"ended with status {shell.returncode}; where nothing above says why: it must "
                    "run commands there without asking for a password"
                )

    # End

    def spread(self, verdict: Verdict) -> None:
        """Let the other hosts end for the same reason; the first host is the one to tell it."""
        for link in self.links.values():
            link.tell(ended=asdict(verdict))

    def stop(self) -> None:
        """End what still runs on this host; the remote shells, which end by themselves, last."""
        if self.agent is not None:
            _end(self.agent)
        if self.report >= 0:
            os.close(self.report)
        for shell in self.shells.values():
            _end(shell, ask=False)
        for link in self.links.values():
            link.close()
        if self.listener:
            self.listener.close()


def _start_elsewhere(command: list[str], secret: str) -> subprocess.Popen[bytes]:
    """Start a host's command, and say the secret at its standard input: in a command line every
    user of the host could read it."""
    shell = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    assert shell.stdin is not None
    with contextlib.suppress(BrokenPipeError), shell.stdin as its_input:
        its_input.write(f"{secret}\n".encode())
    return shell


def _verdict_of(news: Any, host: str) -> Verdict:
    """Another host's verdict: never that all is well, which `done` says."""
    status = news.get("status") if isinstance(news, dict) else None
    if not isinstance(status, int) or not 0 < status < 256:
        return Verdict(1, f"host {host} ended without a reason that can be read; {GO_ON}")
    return Verdict(status, one_line(str(news.get("message") or "")))


def _end(process: subprocess.Popen[bytes], *, ask: bool = True) -> None:
    """Wait for a process, having asked it to end; kill it a little after torchrun, if it is that,
    would kill what it runs.

    The processes that torchrun runs die with it.
    """
    if ask and process.poll() is None:
        process.terminate()
    try:
        process.wait(TERMINATION_TIMEOUT_S + 2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
