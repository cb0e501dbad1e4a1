"""One call of the launcher as a job: its command line, what stands against it, its files."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsquad.modelzoo import settings
from bertsquad.modelzoo.breaking import BREAKING
from bertsquad.modelzoo.command_line import CommandLine
from bertsquad.modelzoo.environment import ENVIRONMENT, cleaned
from bertsquad.modelzoo.facts import Facts
from bertsquad.modelzoo.file_checks import FILES
from bertsquad.modelzoo.findings import Finding, examine
from bertsquad.modelzoo.ignored import IGNORED
from bertsquad.modelzoo.machine_checks import MACHINE
from bertsquad.modelzoo.paths import Files
from bertsquad.modelzoo.settings import Step


@dataclass(frozen=True)
class Job:
    """A step, its files as absolute paths, and how it is called."""

    step: Step
    files: Files
    launcher: str
    python: str = "python3"

    @property
    def line(self) -> CommandLine:
        return settings.command(self.step, self.files, launcher=self.launcher, python=self.python)

    def environment(self, outer: Mapping[str, str]) -> dict[str, str]:
        """The launcher's environment: `outer` without what would change the run, the guide's
        PYTHONPATH, and the step's own variables. Unbuffered, so that each line of the log comes
        when it is written."""
        line = self.line
        before = outer.get("PYTHONPATH", "")
        path = f"{before}:{line.benchmarks}" if before else str(line.benchmarks)
        own = {name: str(value) for name, value in line.environment.items()}
        return cleaned(outer) | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"} | own

    def findings(self, facts: Facts, outer: Mapping[str, str], *, files: bool) -> list[Finding]:
        """What stands against it on this machine; `files`: they are there, look at them, too."""
        line = self.line
        found = examine((*BREAKING, *IGNORED), line) + examine(MACHINE, line, facts)
        found += examine(ENVIRONMENT, line, self.environment(outer))
        if files:
            found += examine(FILES, line, self.files)
        return sorted(found, key=lambda finding: finding.severity != "error")


def job_of(text: str, files: Files, launcher: str) -> Job:
    """The job of a step's settings, as bertsquad.modelzoo.steps writes them."""
    given: dict[str, Any] = json.loads(text)
    return Job(settings.step_of(given), files, launcher, given.get("python", "python3"))


def fresh(folder: Path) -> None:
    """Make room for the launcher's output folder, which must not be there or be empty: old
    checkpoints would be resumed and old predictions scored."""
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)
    else:
        folder.unlink(missing_ok=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
