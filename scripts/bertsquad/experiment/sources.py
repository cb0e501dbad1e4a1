"""Which local files a command is made of, so that editing one reruns what depends on it."""

import ast
import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from bertsquad.console.errors import UserError
from bertsquad.files import sha256, write_json

# What people read while a command runs: progress, refusals, help. An option's type returns the
# value as written or refuses it, and options are tracked where they are given.
CONSOLE = ("bertsquad/console",)

# Beside it, what reads and settles the machine: cores, threads, memory. They decide how fast a
# result is made. How its sums are rounded follows from threads and instructions, as it does from
# the machine itself: another machine is no reason to compute anew, and neither is how it is read.
# What is measured is tracked with it, since a measurement holds where and how it was taken.
# This module, which finetune.py asks for its own files, decides none either.
NEVER_DECIDES_RESULTS = (*CONSOLE, "bertsquad/machine", "bertsquad/experiment/sources.py")

# What a package may compile for itself.
_C_SUFFIXES = (".c", ".h")

# Names that files import, by the SHA-256 of a file's content; see `recall_imports`.
_known: dict[str, list[str]] = {}
_found: set[str] = set()  # those of them that this process has found by itself
_MOST_KNOWN = 4000  # files, in a file of what is known: some states of the project

# Statements, and the clauses that hold statements between the two.
_STATEMENTS = (ast.stmt, ast.excepthandler, ast.match_case)


def local_sources(
    script: Path, *, folder: Path | None = None, without: tuple[str, ...] = ()
) -> list[Path]:
    """`script` and every module of `folder` that it imports, directly or not, in sorted order; with
    a package, the C files beside its `__init__.py`.

    `folder` is the one that imports start from, by default the script's. Imports inside functions
    count; `from package import module` counts for the package and the module. Modules that are not
    files under the folder are of other packages. The folders and files `without`, relative to it,
    are left out with all that only they import.
    """
    folder = folder or script.parent
    left_out = [folder / name for name in without]
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        path = waiting.pop()
        if path in found or any(path.is_relative_to(part) for part in left_out):
            continue
        found.add(path)
        if path.suffix not in _C_SUFFIXES:
            waiting.extend(_imported_files(folder, path, path.stat().st_mtime_ns))
    return [script, *sorted(found - {script})]


@cache
def _imported_files(folder: Path, path: Path, mtime_ns: int) -> tuple[Path, ...]:
    """The files of `folder` that one file imports, as it was at `mtime_ns`; each is read once
    however many commands are made of it."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest not in _known:
        _known[digest] = sorted(_imported_names(content, path))
        _found.add(digest)
    names = _known[digest]
    return tuple(dict.fromkeys(file for name in names for file in _module_files(folder, name)))


def recall_imports(path: Path) -> None:
    """Take over what an earlier process has found in files of the same content: parsing all of
    scripts/ is a fifth of what planning the demo takes. A file that is not there, is damaged or was
    written by another state of this module says nothing."""
    try:
        held = json.loads(path.read_bytes())
        if held["by"] == sha256(__file__):
            _known.update({str(digest): list(names) for digest, names in held["names"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return


def keep_imports(path: Path) -> None:
    """Leave what is known to later processes, whole or not at all, where anything is new; where
    nothing can be written they find it anew."""
    if not _found:
        return
    names = _known if len(_known) <= _MOST_KNOWN else {digest: _known[digest] for digest in _found}
    with suppress(OSError, UserError):
        write_json(path, {"by": sha256(__file__), "names": names})


def _imported_names(content: bytes, path: Path) -> set[str]:
    """Dotted names of everything that might be a module in a file's import statements."""
    names: set[str] = set()
    for node in _statements(ast.parse(content, filename=str(path))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """All statements below a node: a tenth of what `ast.walk` visits, for which each plan waits."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _STATEMENTS):
            yield child
            yield from _statements(child)


def _module_files(folder: Path, name: str) -> list[Path]:
    """The files that importing `name` runs: each parent package, what it may compile, then the
    module itself."""
    parts = name.split(".")
    bases = (folder.joinpath(*parts[:depth]) for depth in range(1, len(parts) + 1))
    return [file for base in bases for file in _files_at(base)]


@cache
def _files_at(base: Path) -> tuple[Path, ...]:
    """The files of one module or package; asked once, though a hundred files import it."""
    package = base / "__init__.py"
    files = [path for path in (base.with_suffix(".py"), package) if path.is_file()]
    if package in files:
        files += [path for suffix in _C_SUFFIXES for path in sorted(base.glob(f"*{suffix}"))]
    return tuple(files)
