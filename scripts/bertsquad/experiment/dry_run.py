"""What a dry run of Snakemake says of the time: the doctor's number is the run's own."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_HEAD = re.compile(r"[\d,]+ steps? to do, ")
_STATE = Path(".snakemake")  # Snakemake's own, in the working directory
_CACHE = "latest.pkl"  # all that a dry run leaves in it


@contextmanager
def planned_time(
    snakefile: Path, source: Path, config: Mapping[str, Any] | None = None
) -> Iterator[Callable[[], str]]:
    """Plan what is missing while the block does other things. What it yields waits for that, and
    says in words how long it takes, or why that is not known.

    The configuration is `config`, already resolved, or the file `source`. No file is left.
    """
    with tempfile.TemporaryDirectory() as folder:
        if config is not None:
            source = Path(folder) / "config.json"  # JSON is YAML
            source.write_text(json.dumps(config), encoding="utf-8")
        command = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet"]
        command += ["--snakefile", str(snakefile), "--configfile", str(source)]
        there = _STATE.exists()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )

        def words() -> str:
            said = process.communicate()[1]
            return _words(said.splitlines(), process.returncode)

        try:
            yield words
        finally:
            process.kill()
            process.wait()
            if process.stderr is not None:
                process.stderr.close()
            if not there and _holds_nothing():
                shutil.rmtree(_STATE, ignore_errors=True)


def _words(said: list[str], status: int) -> str:
    lines = [line.removeprefix("bertsquad: ") for line in said if line.startswith("bertsquad: ")]
    if status:
        return "unknown, since no run can be planned: `snakemake -n` says why"
    starts = [number for number, line in enumerate(lines) if _HEAD.match(line)]
    if starts:
        return "; ".join(line.removeprefix("- ") for line in lines[starts[-1] :])
    return next((line for line in lines if "no estimate" in line), "nothing left to compute")


def _holds_nothing() -> bool:
    """Whether no run has begun meanwhile: it would have a log and a lock."""
    return all(path.is_dir() or path.name == _CACHE for path in _STATE.rglob("*"))
