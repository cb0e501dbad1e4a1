"""What Slurm says of jobs, by squeue(1)."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

# Of a job whose processes may still run. One that is completing on a lost node may stay so for
# long, hence it is none of these.
_AT_WORK = {"RUNNING", "SUSPENDED", "STOPPED", "SIGNALING", "RESIZING", "STAGE_OUT"}
_UNKNOWN_JOB = "Invalid job id"


@dataclass(frozen=True, slots=True)
class Orphan:
    """A job of a Snakemake that has ended: its number, its rule, and the rule's wildcards."""

    job: str
    rule: str
    wildcards: str  # joined by _

    @property
    def name(self) -> str:
        return f"{self.job} ({' '.join(filter(None, (self.rule, self.wildcards)))})"


def is_at_work(job: str) -> bool | None:
    """Whether a job's processes run; None where nobody says: there is no Slurm, it does not answer,
    or the job is on its way in or out."""
    asked = _squeue(f"--jobs={job}", "--format=%T")
    if asked is None:
        return None
    if asked.returncode:
        return False if _UNKNOWN_JOB in asked.stderr else None
    states = set(asked.stdout.split())
    if states & _AT_WORK:
        return True
    return None if states & {"COMPLETING", "CONFIGURING", "PENDING", "REQUEUED"} else False


def orphans(folder: Path) -> list[Orphan]:
    """This user's jobs of Snakemake rules in a working directory, asked before a run submits any:
    all are of an earlier one. Snakemake's executor gives each run another name, so that they are
    told by comment and directory."""
    asked = _squeue("--me", "--format=%i|%k|%Z")
    if asked is None or asked.returncode:
        return []
    lines = [line.split("|", 2) for line in asked.stdout.splitlines()]
    return [
        Orphan(job, *_rule_and_wildcards(comment))
        for job, comment, place in lines
        if comment.startswith("rule_") and Path(place).resolve() == folder.resolve()
    ]


def orphans_line(found: list[Orphan]) -> str:
    """Who still computes, and what becomes of it, in one line."""
    names = ", ".join(orphan.name for orphan in found)
    jobs = "jobs" if len(found) > 1 else "job"
    others = [orphan.job for orphan in found if orphan.rule != "finetune"]
    trained = "a training is waited for, not done twice" if len(others) < len(found) else ""
    ended = f"scancel {' '.join(others)} ends what is computed twice" if others else ""
    return f"{jobs} {names} of an earlier run still {'run' if len(found) > 1 else 'runs'}; " + (
        "; ".join(filter(None, (trained, ended)))
    )


def _rule_and_wildcards(comment: str) -> tuple[str, str]:
    rule, _, wildcards = comment.removeprefix("rule_").partition("_wildcards_")
    return rule, wildcards


def _squeue(*options: str) -> subprocess.CompletedProcess[str] | None:
    squeue = shutil.which("squeue")
    if squeue is None:
        return None
    command = [squeue, "--noheader", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)
