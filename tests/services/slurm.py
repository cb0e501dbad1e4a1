"""A Slurm for the tests: real daemons, four nodes that are all this machine, no accounting.

Debian's slurmd takes the name of a node (`-N`), so that several run side by side. Each step sees
only the processors that it was given (task/affinity). Nodes n1 to n3 have 2 processors, n4 has one:
another kind of machine, in a partition of its own.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from processes import alive
from services.engine import apt_install, missing_for_services

COMMANDS = {"slurmctld": "slurmctld", "slurmd": "slurmd", "sbatch": "slurm-client"}
COMMANDS |= {"munged": "munge", "pgrep": "procps"}
CONF = Path("/etc/slurm/slurm.conf")  # variables do not reach the steps that the executor starts
DAEMONS = "^(/usr/sbin/)?slurm(ctld|d)\\b"
STEPS = "^slurmstepd:"
NODES = ("n1", "n2", "n3", "n4")
MUNGE = Path("/run/munge/munge.socket.2")
ENDED = ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED")
HOSTS = Path("/etc/hosts")
NAMES = f"127.0.0.1 {' '.join(NODES)}\n"
TEMPLATE = """\
ClusterName=bertsquad
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
SlurmctldPort=16817
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=0,defer_batch
ReturnToService=2
SlurmdTimeout=10
SlurmctldTimeout=10
InactiveLimit=0
KillWait=5
MinJobAge=300
AccountingStorageType=accounting_storage/none
SlurmdParameters=config_overrides
NodeName=n[1-3] NodeHostname={host} NodeAddr=127.0.0.1 Port=[17001-17003] CPUs=2 RealMemory=6000
NodeName=n4 NodeHostname={host} NodeAddr=127.0.0.1 Port=17004 CPUs=1 RealMemory=6000
PartitionName=cpu Nodes=n[1-3] Default=YES MaxTime=2-00:00:00 DefMemPerCPU=500
PartitionName=half Nodes=n4 MaxTime=2-00:00:00 DefMemPerCPU=500
"""


@dataclass(frozen=True)
class Slurm:
    folder: Path

    def jobs(self, form: str = "%i %t %N") -> list[str]:
        return run("squeue", "--noheader", "--states=all", f"--format={form}").split("\n")[:-1]

    def kill_node(self, node: str) -> None:
        """As a power cut: its daemon, its steps, and all that they have started."""
        daemon = int((self.folder / f"{node}.pid").read_text())
        jobs = run("squeue", "--noheader", f"--nodelist={node}", "--format=%i").split()
        steps = [pid for job in jobs for pid in pids_of(rf"^slurmstepd: \[{job}\.")]
        for pid in [daemon, *steps, *(child for step in steps for child in below(step))]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def start_node(self, node: str) -> None:
        run("slurmd", "-N", node)

    def wait(self, job: str, seconds: float) -> str:
        """The state in which a job has ended. `sbatch --wait` looks 2, 10 and 42 seconds after it
        began, and then every 32."""
        ends = time.monotonic() + seconds
        while (state := state_of(job)) not in ENDED:
            assert time.monotonic() < ends, f"job {job} is {state} after {seconds} seconds"
            time.sleep(0.5)
        return state


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


def state_of(job: str) -> str:
    return run("squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T").strip()


def pids_of(pattern: str) -> list[int]:
    """Of this machine; what runs in its containers is somebody else's."""
    command = ["pgrep", "--ns", str(os.getpid()), "--nslist", "pid", "-f", pattern]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split() if alive(int(pid))]


def below(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    children = [int(child) for child in found.stdout.split()]
    return children + [other for child in children for other in below(child)]


@contextlib.contextmanager
def own_slurm() -> Iterator[Slurm]:
    """Skips, and says why, where it cannot be had. What is started here has ended afterwards."""
    if reason := missing_for_services():
        pytest.skip(f"Slurm {reason}")
    if CONF.exists():
        check_left_over(CONF.read_text(), pids_of(DAEMONS))
    apt_install(COMMANDS)
    folder = Path(tempfile.mkdtemp(prefix="bertsquad-slurm-"))
    (folder / "state").mkdir()
    CONF.parent.mkdir(exist_ok=True)
    CONF.write_text(TEMPLATE.format(host=socket.gethostname().split(".")[0], folder=folder))
    hosts = HOSTS.read_text().replace(NAMES, "")
    try:
        HOSTS.write_text(f"{hosts}{NAMES}")  # in place: it may be mounted
        with authentication(), running_daemons(folder):
            yield Slurm(folder)
    finally:
        CONF.unlink()
        HOSTS.write_text(hosts)
        shutil.rmtree(folder, ignore_errors=True)


def check_left_over(conf: str, daemons: list[int]) -> None:
    """Skips where the configuration is somebody's, or of tests that were killed and whose Slurm
    still runs; one that they have left behind is written over."""
    if not conf.startswith("ClusterName=bertsquad\n"):
        pytest.skip(f"{CONF} is there: this machine has a Slurm of its own, which stays untouched")
    if daemons:
        pytest.skip(
            f"{CONF} is that of other tests, whose Slurm runs (process ids"
            f" {', '.join(map(str, daemons))}): wait for them, or end it where they were killed"
        )


@contextlib.contextmanager
def authentication(address: Path = MUNGE) -> Iterator[None]:
    """munged: one that answers is used and left running; one that is started here ends here."""
    ping = ["munge", "-n", "-S", str(address)]
    if answers(ping):
        yield
        return
    run("install", "-d", "-o", "munge", "-g", "munge", "-m", "0755", str(address.parent))
    # Should pytest be killed, it goes with it.
    own = ["setpriv", "--reuid=munge", "--regid=munge", "--clear-groups", "--pdeathsig=TERM"]
    own += [shutil.which("munged") or "munged", "--foreground", f"--socket={address}"]
    daemon = subprocess.Popen([*own, f"--pid-file={address}.pid"], stderr=subprocess.DEVNULL)
    try:
        ends = time.monotonic() + 30
        while not answers(ping):
            assert daemon.poll() is None, f"munged ended with status {daemon.returncode}"
            assert time.monotonic() < ends, "munged does not answer"
            time.sleep(0.1)
        yield
    finally:
        with daemon:  # as its parent, take note of its end
            end([daemon.pid])


def answers(ping: list[str]) -> bool:
    done = subprocess.run(ping, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode == 0


@contextlib.contextmanager
def running_daemons(folder: Path) -> Iterator[None]:
    try:
        run("slurmctld")
        for node in NODES:
            run("slurmd", "-N", node)
        ends = time.monotonic() + 60
        while set(run("sinfo", "-h", "-N", "-o", "%t").split()) != {"idle"}:
            assert time.monotonic() < ends, (folder / "slurmctld.log").read_text()[-3000:]
            time.sleep(0.2)
        yield
    finally:
        stop(folder)


def stop(folder: Path) -> None:
    """End all jobs, then all daemons."""
    subprocess.run(["scancel", "--user=root"], capture_output=True, check=False)
    ends = time.monotonic() + 10
    while pids_of(STEPS) and time.monotonic() < ends:
        time.sleep(0.2)
    steps = pids_of(STEPS)
    for pid in [*steps, *(child for step in steps for child in below(step))]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    end([int(path.read_text()) for path in folder.glob("*.pid")])
    assert pids_of(f"{STEPS}|{DAEMONS}") == []


def end(pids: list[int], seconds: float = 30) -> None:
    """Ask these to end, and see them end; one that does not is killed, and fails the tests."""
    for pid in filter(alive, pids):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    ends = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < ends:
        time.sleep(0.1)
    deaf = list(filter(alive, pids))
    for pid in deaf:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert not deaf, f"did not end within {seconds} seconds: {', '.join(map(str, deaf))}"
