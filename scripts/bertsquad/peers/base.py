"""This project beside an older self: our contenders of a work, as they are and as of a commit."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bertsquad.benchmark.comparing import Rules, nothing_measured
from bertsquad.benchmark.pairs import compare_commands
from bertsquad.benchmark.side_process import SideFailed
from bertsquad.benchmark.verdicts import LOOKS
from bertsquad.console.errors import UserError
from bertsquad.engines import native
from bertsquad.machine.cpu import cpu_model
from bertsquad.peers.contenders import Contender, Work
from bertsquad.peers.session import Bench, environment_of, prepare

TASKS = ("data", "inference", "answers", "single", "training")  # those that have a rate


def commit_of(repository: Path, name: str) -> str:
    """The full name of a commit. UserError where the repository has none of that name."""
    found = _git(repository, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if found.returncode:
        raise UserError(
            f"--base {name}: {repository} has no such commit; expected a commit, branch or tag "
            "(git log --oneline lists them)"
        )
    return found.stdout.decode().strip()


def check_out(repository: Path, commit: str, folder: Path) -> Path:
    """The commit's scripts in a folder of their own below `folder`; kept where they are."""
    place = folder / commit[:12]
    if not (place / "scripts").is_dir():
        archive = _git(repository, "archive", commit, "scripts")
        if archive.returncode:
            raise UserError(f"{commit[:12]}: {archive.stderr.decode(errors='replace').strip()}")
        place.mkdir(parents=True, exist_ok=True)
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
            files.extractall(place, filter="data")
    return place


def _git(repository: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["git", "-C", str(repository), *arguments], capture_output=True, check=False
        )
    except FileNotFoundError:
        raise UserError("--base needs git, which is not installed") from None


def compared(
    work: Work, bench: Bench, base: Path, commit: str
) -> Iterator[tuple[Contender, dict[str, Any]]]:
    """A comparison for each of our contenders: a is this tree, b the commit in `base`, by the
    environment of today, with the same models and features."""
    for contender in work.contenders:
        if not contender.ours or work.task not in TASKS:
            continue
        facts = {
            "name": contender.name,
            "a": {"engine": "this tree,", "precision": contender.precision},
            "b": {"engine": f"{commit[:12]},", "precision": contender.precision},
            "contender": asdict(contender),
            "same_within": Rules().same_within,
            "cpu": cpu_model(),
            "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        if not native(contender.precision):
            why = f"this processor has no {contender.precision} and would emulate it"
            yield contender, facts | nothing_measured(why)
        else:
            yield contender, facts | _measured(work, contender, bench, base)


def _measured(work: Work, contender: Contender, bench: Bench, base: Path) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    command = prepare(work, contender, bench, facts)
    if reason := facts["failed_before"]:
        return nothing_measured(reason)
    script = Path(command[1])
    older = base / "scripts/peers" / script.name
    if not older.is_file():
        return nothing_measured(f"the commit has no {script.name}")
    commands = {"a": command, "b": [command[0], str(older), *command[2:]]}
    environments = {
        "a": environment_of(contender, bench),
        "b": environment_of(contender, bench, base / "scripts"),
    }
    looks = tuple(look for look in LOOKS if look <= bench.rounds) or (bench.rounds,)
    rules = Rules(looks=looks, seed=bench.seed)
    tell = _teller(bench)
    try:
        return compare_commands(
            contender.name, commands, environments, rules, bench.folder / "logs", tell
        )
    except SideFailed as error:
        return nothing_measured(str(error))


def _teller(bench: Bench) -> Callable[[dict[str, Any]], None]:
    def tell(one: dict[str, Any]) -> None:
        words = "" if one["undisturbed"] else ", disturbed: does not count"
        bench.say(f"this tree / the commit: {one['ratio']:.4f}{words}")

    return tell
