"""Which local files a command is made of, so that editing one reruns what depends on it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# Packages that say how fast a result comes and not what it is: which cores, which threads.
PACE = ("bertsquad/machine",)

# What a package may compile for itself.
C_SUFFIXES = (".c", ".h")

# Statements, and what stands between two of them.
STATEMENTS = (ast.stmt, ast.excepthandler, ast.match_case)


def local_sources(
    script: Path, *, folder: Path | None = None, without: tuple[str, ...] = ()
) -> list[Path]:
    """`script` and every module of `folder` that it imports, directly or not, in sorted order; with
    a package, the C files beside its `__init__.py`.

    `folder` is the one that imports start from, by default the script's. Imports inside functions
    count; `from package import module` counts for the package and the module. Modules that are not
    files under the folder are somebody else's. The folders `without`, relative to it, are left out
    with all that only they import.
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
        if path.suffix in C_SUFFIXES:
            continue
        waiting.extend(imported_files(folder, path, path.stat().st_mtime_ns))
    return [script, *sorted(found - {script})]


@cache
def imported_files(folder: Path, path: Path, mtime_ns: int) -> tuple[Path, ...]:
    """The files of `folder` that one file imports, as it was at `mtime_ns`; each is read once
    however many commands are made of it."""
    names = sorted(imported_names(path))
    return tuple(dict.fromkeys(file for name in names for file in module_files(folder, name)))


def imported_names(path: Path) -> set[str]:
    """Dotted names of everything that might be a module in the file's import statements."""
    names = set()
    for node in statements(ast.parse(path.read_bytes(), filename=str(path))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """All statements below a node: a tenth of what `ast.walk` visits, for which each plan waits."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, STATEMENTS):
            yield child
            yield from statements(child)


def module_files(folder: Path, name: str) -> list[Path]:
    """The files that importing `name` runs: each parent package, what it may compile, then the
    module itself."""
    parts = name.split(".")
    files = []
    for depth in range(1, len(parts) + 1):
        base = folder.joinpath(*parts[:depth])
        files += [
            path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()
        ]
        if files and files[-1] == base / "__init__.py":
            files += [path for suffix in C_SUFFIXES for path in sorted(base.glob(f"*{suffix}"))]
    return files
