"""What goes into a crate: the code, the results up to a size, and what is told of the rest."""

import io
import os
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from bertsquad.certificate.crate.fixed_zip import Entry
from bertsquad.certificate.crate.scoring import scorings
from bertsquad.certificate.schema import Certificate
from bertsquad.console.errors import UserError
from bertsquad.files import sha256

RESULTS = "results/"
CODE = "code/"
DATASETS = "datasets/"
RESOURCES = "resources/"  # downloads and what is made of them alone: others can fetch and make them
MAX_FILE = 100 * 10**6  # bytes
# Of the results folder: earlier crates, what making one says, what is being written now.
_NOT_RESULTS = ("bertsquad-*.zip", "logs/crate*", "logs/make_crate*", ".*", "*/.*")
# What is code in a folder that is no git repository, or is not as its commit.
_CODE_FOLDERS = ("rules", "scripts", "config", "envs", "profiles", "report")
_CODE_FILES = ("Snakefile", "Makefile", "pyproject.toml", "LICENSE", "README.md", "CITATION.cff")
_NO_CODE = ("__pycache__", "*.pyc", "*.egg-info", "*.sif", ".*")
_WAIT_S = 60
_LOGS = "logs/"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that a crate names and does not hold."""

    name: str  # as in the certificate
    sha256: str
    bytes: int | None
    url: str | None  # where it can be had
    reason: str


@dataclass(frozen=True, slots=True)
class Code:
    """The code of a run."""

    entries: tuple[Entry, ...]  # named from the repository
    diff: bytes | None  # to the commit, where it is not as committed
    seconds: int | None  # when it was committed, since 1970


def result_entries(results: Path, certificate: Certificate, max_file: int) -> list[Entry]:
    """The files of the results folder that a crate holds, each as the certificate knows it.

    `UserError` for one that is no longer what the certificate says: the run must be finished first.
    """
    known = certificate["files"]
    found = []
    for path in _files_below(results):
        name = path.relative_to(results).as_posix()
        left_out = name.startswith(RESOURCES) or any(fnmatchcase(name, p) for p in _NOT_RESULTS)
        if left_out or path.stat().st_size > max_file:
            continue
        if name in known and sha256(path) != known[name]["sha256"]:
            raise UserError(
                f"{path}: not as certificate.json says; finish the run first: snakemake --cores all"
            )
        # A step that runs meanwhile writes to its log: what is hashed is what is packed.
        grows = name.startswith(_LOGS) and name not in known
        found.append(Entry(RESULTS + name, path.read_bytes() if grows else path))
    return found


def dataset_entries(resources: Path, certificate: Certificate, max_file: int) -> dict[str, Entry]:
    """The questions that answers were scored on, by their names in the certificate: with them
    others can compute the scores again."""
    found = {}
    for scoring in scorings(certificate):
        name = scoring.dataset
        path = resources / name.removeprefix(RESOURCES)
        if name in found or not name.startswith(RESOURCES) or not path.is_file():
            continue
        if path.stat().st_size <= max_file and sha256(path) == scoring.dataset_sha256:
            found[name] = Entry(f"{DATASETS}{scoring.dataset_sha256[:8]}-{path.name}", path)
    return found


def _files_below(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (
            Path(parent) / name for name in sorted(names) if (Path(parent) / name).is_file()
        )


def left_out(certificate: Certificate, held: set[str]) -> list[LeftOut]:
    """What the certificate names and `held` (names of results) lacks: files and sources."""
    urls = {entry["sha256"]: entry["url"] for entry in certificate["inputs"].values()}
    found = {}
    for name, file in certificate["files"].items():
        if name not in held:
            reason = "a resource" if name.startswith(RESOURCES) else "too large"
            url = _address(urls.get(file["sha256"]))
            found[name] = LeftOut(name, file["sha256"], file["bytes"], url, reason)
    for step in certificate["steps"]:
        for name, digest in {**step["inputs"], **step["outputs"]}.items():
            if name not in held and name not in found:
                url = _address(urls.get(digest))
                found[name] = LeftOut(name, digest, None, url, "used and not kept")
    return [found[name] for name in sorted(found)]


def _address(url: str | None) -> str | None:
    """An address that others can reach, or None."""
    return url if url and url.startswith(("https:", "http:", "ftp:")) else None


def code_of(repository: Path) -> Code:
    """The code: as its commit holds it or, where it differs, as it is with the difference."""
    if not (repository / ".git").exists():
        return Code(tuple(_on_disk(repository)), None, None)
    seconds = int(_git(repository, "show", "-s", "--format=%ct", "HEAD"))
    changed = _git(repository, "status", "--porcelain", "-z", "--untracked-files=no")
    new = _names(repository, "--others", "--exclude-standard", "--", *_CODE_FOLDERS)
    if not changed and not new:
        return Code(tuple(_committed(repository)), None, seconds)
    names = sorted({*_names(repository), *new})
    entries = (_entry(repository, name) for name in names if _is_plain(repository / name))
    diff = _git(repository, "diff", "--binary", "--no-ext-diff", "--no-color", "HEAD")
    return Code(tuple(entries), diff, seconds)


def _committed(repository: Path) -> Iterator[Entry]:
    """What `git archive HEAD` holds; links are left out, since no crate has any."""
    archive = io.BytesIO(_git(repository, "archive", "--format=tar", "HEAD"))
    with tarfile.open(fileobj=archive) as opened:
        for member in opened:
            content = opened.extractfile(member) if member.isfile() else None
            if content is not None:
                yield Entry(member.name, content.read(), bool(member.mode & 0o100))


def _names(repository: Path, *options: str) -> list[str]:
    listed = _git(repository, "ls-files", "-z", *options).decode("utf-8", "surrogateescape")
    return [name for name in listed.split("\0") if name]


def _on_disk(repository: Path) -> Iterator[Entry]:
    """The code of a folder that is no git repository."""
    for name in _CODE_FILES:
        if (repository / name).is_file():
            yield _entry(repository, name)
    for top in _CODE_FOLDERS:
        for path in filter(_is_plain, _files_below(repository / top)):
            parts = path.relative_to(repository).parts
            if not any(fnmatchcase(part, pattern) for part in parts for pattern in _NO_CODE):
                yield _entry(repository, "/".join(parts))


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _entry(repository: Path, name: str) -> Entry:
    path = repository / name
    return Entry(name, path, bool(path.stat().st_mode & 0o100))


def _git(repository: Path, *arguments: str) -> bytes:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(repository), *arguments],
            env=environment | {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
            capture_output=True,
            check=True,
            timeout=_WAIT_S,
        )
    except FileNotFoundError:
        raise UserError(f"{repository}: a git repository, and git is not installed here") from None
    except subprocess.TimeoutExpired:
        raise UserError(f"{repository}: git did not answer within {_WAIT_S} s") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip().splitlines() or ["nothing"]
        raise UserError(f"{repository}: git {arguments[0]} failed: {said[-1]}") from None
    return done.stdout
