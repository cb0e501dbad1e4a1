"""Which code made something: the version, the commit, and what no commit holds."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_WAIT_S = 20
# What decides results; a changed README does not.
_DECIDES = ("Snakefile", "rules", "scripts", "config", "envs", "profiles")


@dataclass(frozen=True, slots=True)
class Origin:
    """The code in a folder, as far as it is known."""

    version: str  # "" where it is not known
    commit: str  # 40 hex digits, or ""
    changed: tuple[str, ...]  # files that decide results and are not as in the commit
    unknown: str  # why there is no commit, or ""


def origin(repository: Path) -> Origin:
    """The version, commit and changed files of a checkout. Never fails: what git does not tell has
    its reason in `unknown`."""
    version = version_of(repository)
    if not (repository / ".git").exists():  # a folder inside another project is not that project
        return Origin(version, "", (), "these files are not a git repository")
    try:
        commit = _git(repository, "rev-parse", "HEAD").strip()
        # With a pathspec that names nothing there git is content.
        status = _git(repository, "status", "--porcelain", "-z", "--", *_DECIDES)
    except FileNotFoundError:
        return Origin(version, "", (), "git is not installed here")
    except subprocess.TimeoutExpired:
        return Origin(version, "", (), f"git did not answer within {_WAIT_S} s")
    except (subprocess.CalledProcessError, OSError) as error:
        said = getattr(error, "stderr", "") or str(error)
        reason = "it refuses another user's repository" if "dubious" in said else "it failed"
        return Origin(version, "", (), f"git does not tell: {reason}")
    return Origin(version, commit, _changed(status), "")


def _changed(status: str) -> tuple[str, ...]:
    """The paths of `git status --porcelain -z`; of a renamed file the new one."""
    entries = iter(status.split("\0"))
    paths = []
    for entry in entries:
        if entry:
            paths.append(entry[3:])
            if "R" in entry[:2] or "C" in entry[:2]:
                next(entries, None)  # where it was
    return tuple(sorted(paths))


def _git(repository: Path, *arguments: str) -> str:
    # Reading must not lock the index: somebody may be committing.
    environment = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", "-C", str(repository), *arguments],
        env=environment | {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        errors="replace",
        check=True,
        timeout=_WAIT_S,
    )
    return done.stdout


def version_of(repository: Path) -> str:
    """As pyproject.toml says; "" where there is none."""
    try:
        text = (repository / "pyproject.toml").read_text(encoding="utf-8")
    except OSError:
        return ""
    found = re.search(r'^version = "([^"]+)"$', text, re.MULTILINE)
    return found[1] if found else ""
