"""Commands one after another, each only where something that it depends on has changed.

What Snakemake does, for an environment without it: a step is done again where its options, the
content of an input, or the library's code are others than when its outputs were made, or where an
output is not as it was left.
"""

import hashlib
import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsquad.console.errors import UserError
from bertsquad.console.progress import say
from bertsquad.files import sha256, write_json
from bertsquad.own_json import object_or_empty

_LIBRARY = Path(__file__).resolve().parent.parent
# Rooms that decide no result (experiment/sources.py says why), or are not used by these commands.
_NOT_COUNTED = ("console", "machine", "reporting", "peers", "modelzoo", "containers", "artifacts")


@dataclass(frozen=True)
class Step:
    """One command of scripts/."""

    name: str
    script: Path
    options: list[str]
    inputs: list[Path]
    outputs: list[Path]
    log: Path

    def key(self, code: str) -> str:
        """Changes with everything that decides the outputs."""
        facts = [self.options, [sha256(path) for path in self.inputs], sha256(self.script), code]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


@dataclass(frozen=True)
class Runner:
    """Runs steps; `stamps` is the file that remembers what was made of what."""

    stamps: Path

    def run(self, step: Step) -> bool:
        """Do the step where it is needed; whether it was. What the command says goes to the
        terminal and into its log; its failure ends this process with its status."""
        key = step.key(code_digest())
        known = self._read().get(step.name, {})
        if known.get("key") == key and known.get("outputs") == _states(step.outputs):
            return False
        say(f"{step.name}: {step.script.name} {' '.join(step.options)}")
        self._write(step.name, None)
        status = _follow([sys.executable, str(step.script), *step.options], step.log)
        if status < 0:
            name = signal.Signals(-status).name
            raise UserError(
                f"{step.name}: ended by {name}, perhaps for want of memory; run it again where "
                f"there is more (its last words are in {step.log})"
            )
        if status:
            sys.exit(status)
        self._write(step.name, {"key": key, "outputs": _states(step.outputs)})
        return True

    def _read(self) -> dict[str, Any]:
        """Of a file that is damaged nothing is known: then all is made again."""
        found = object_or_empty(self.stamps)
        return {name: entry for name, entry in found.items() if isinstance(entry, dict)}

    def _write(self, name: str, entry: dict[str, Any] | None) -> None:
        entries = {key: value for key, value in self._read().items() if key != name}
        write_json(self.stamps, entries | ({name: entry} if entry else {}))


def code_digest() -> str:
    """Of the library's modules and C files that decide results."""
    digest = hashlib.sha256()
    for path in sorted(_LIBRARY.rglob("*")):
        place = path.relative_to(_LIBRARY)
        if path.suffix in (".py", ".c", ".h") and place.parts[0] not in _NOT_COUNTED:
            digest.update(f"{place}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _states(paths: list[Path]) -> list[list[Any]] | None:
    """Size and time of files; None where one is not there."""
    try:
        return [[str(p), p.stat().st_size, p.stat().st_mtime_ns] for p in paths]
    except FileNotFoundError:
        return None


def _follow(command: list[str], log: Path) -> int:
    """Run a command, its lines on stderr and in the log; its exit status."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        if process.stdout is None:
            raise UserError(f"{command[1]}: its output cannot be read")
        try:
            for line in process.stdout:
                file.write(line)
                print(line, end="", file=sys.stderr, flush=True)
        except BaseException:
            process.terminate()
            raise
        finally:
            status = process.wait()
    return status
