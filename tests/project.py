"""A copy of the project to run, edit and break, and Snakemake called as a user calls it."""

import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dry_runs import SNAKEMAKE, dry_run

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("Snakefile", "rules", "scripts", "config", "profiles", "report")


def heed_ctrl_c() -> None:
    """Undo what shells do to programs in the background, and those pass on: ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def environment() -> dict[str, str]:
    """As a user has it: without an activated environment."""
    others = ("VIRTUAL_ENV", "PYTHONPATH", "SNAKEMAKE_PROFILE")
    return {key: value for key, value in os.environ.items() if key not in others}


@dataclass
class Project:
    """A checkout in a folder of its own."""

    folder: Path
    program: tuple[str, ...] = (str(SNAKEMAKE),)

    def start(
        self, *arguments: str, cwd: Path | None = None, own_session: bool = False
    ) -> subprocess.Popen:
        """Start Snakemake as a user would.

        In a session of its own it can be sent what Ctrl-C sends: a signal to it and all its jobs.
        """
        return subprocess.Popen(
            [*self.program, *arguments],
            cwd=cwd or self.folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=own_session,
            preexec_fn=heed_ctrl_c,
        )

    def snakemake(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess:
        """Run Snakemake to its end; a dry run in a fork of a process that has imported it."""
        if "-n" in arguments:
            return dry_run(arguments, cwd or self.folder, environment())
        process = self.start(*arguments, cwd=cwd)
        stdout, stderr = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def planned(self, *arguments: str) -> dict[str, int]:
        """How many jobs of each rule a run would start now."""
        done = self.snakemake("-n", *arguments)
        assert done.returncode == 0, done.stderr + done.stdout
        table = re.search(
            r"^job +count\n-+ +-+\n(.*?)^total", done.stderr + done.stdout, re.M | re.S
        )
        if table is None:
            assert "Nothing to be done" in done.stderr + done.stdout
            return {}
        rows = (line.split() for line in table[1].splitlines() if line.strip())
        return {rule: int(count) for rule, count in rows if rule != "all"}


def copy_project(folder: Path) -> Path:
    """Everything that a run needs, without results."""
    folder.mkdir()
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    return folder
