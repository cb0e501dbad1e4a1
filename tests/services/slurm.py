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

from services.engine import apt_install, missing_for_services

COMMANDS = {"slurmctld": "slurmctld", "slurmd": "slurmd", "sbatch": "slurm-client"}
COMMANDS |= {"munged": "munge"}
CONF = Path("/etc/slurm/slurm.conf")  # variables do not reach the steps that the executor starts
NODES = ("n1", "n2", "n3", "n4")
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
SlurmdTimeout=15
SlurmctldTimeout=15
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


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


def pids_of(pattern: str) -> list[int]:
    """Of this machine; what runs in its containers is somebody else's."""
    command = ["pgrep", "--ns", str(os.getpid()), "--nslist", "pid", "-f", pattern]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


def below(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    children = [int(child) for child in found.stdout.split()]
    return children + [other for child in children for other in below(child)]


@contextlib.contextmanager
def own_slurm() -> Iterator[Slurm]:
    """Skips, and says why, where it cannot be had."""
    if reason := missing_for_services():
        pytest.skip(f"Slurm {reason}")
    if CONF.exists() and not left_over():
        pytest.skip(f"{CONF} is there: this machine has a Slurm of its own, which stays untouched")
    apt_install(COMMANDS)
    folder = Path(tempfile.mkdtemp(prefix="bertsquad-slurm-"))
    (folder / "state").mkdir()
    CONF.parent.mkdir(exist_ok=True)
    CONF.write_text(TEMPLATE.format(host=socket.gethostname().split(".")[0], folder=folder))
    hosts = HOSTS.read_text().replace(NAMES, "")
    try:
        HOSTS.write_text(f"{hosts}{NAMES}")  # in place: it may be mounted
        start(folder)
        yield Slurm(folder)
    finally:
        stop(folder)
        CONF.unlink()
        HOSTS.write_text(hosts)
        shutil.rmtree(folder, ignore_errors=True)


def left_over() -> bool:
    """Whether the configuration is that of tests which were killed, and their Slurm has ended."""
    ours = CONF.read_text().startswith("ClusterName=bertsquad\n")
    return ours and not pids_of("^(/usr/sbin/)?slurm(ctl)?d\\b")


def start(folder: Path) -> None:
    if subprocess.run(["munge", "-n"], stdin=subprocess.DEVNULL, capture_output=True).returncode:
        run("install", "-d", "-o", "munge", "-g", "munge", "-m", "0755", "/run/munge")
        run("runuser", "-u", "munge", "--", shutil.which("munged") or "munged")
    run("slurmctld")
    for node in NODES:
        run("slurmd", "-N", node)
    ends = time.monotonic() + 60
    while set(run("sinfo", "-h", "-N", "-o", "%t").split()) != {"idle"}:
        assert time.monotonic() < ends, (folder / "slurmctld.log").read_text()[-3000:]
        time.sleep(0.5)


def stop(folder: Path) -> None:
    subprocess.run(["scancel", "--user=root"], capture_output=True, check=False)
    time.sleep(1)
    for path in folder.glob("*.pid"):
        with contextlib.suppress(ProcessLookupError, ValueError, FileNotFoundError):
            os.kill(int(path.read_text()), signal.SIGTERM)
    for pid in pids_of("^slurmstepd:"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    time.sleep(1)
