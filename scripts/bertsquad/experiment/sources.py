"""Which local files a command is made of, so that editing one reruns what depends on it."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

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

# An import statement that begins a line, and the word itself.
_IMPORT = re.compile(
    rb"^[ \t]*("
    rb"import[ \t]+[\w.]+(?:[ \t]+as[ \t]+\w+)?"
    rb"|from[ \t]+[\w.]+[ \t]+import[ \t]+"
    rb"(?:\([\w\s,]*\)|\w+(?:[ \t]*,[ \t]*\w+|[ \t]+as[ \t]+\w+)*)"
    rb")[ \t]*(?:#[^\n]*)?$",
    re.M,
)
_WORD = re.compile(rb"\bimport\b")

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
    names = sorted(_imported_names(path))
    return tuple(dict.fromkeys(file for name in names for file in _module_files(folder, name)))


def _imported_names(path: Path) -> set[str]:
    """Dotted names of everything that might be a module in the file's import statements."""
    source = path.read_bytes()
    plain = _plain_imports(source)
    # Parsing a whole file takes ten times as long, and each plan waits for hundreds.
    tree = ast.parse(source if plain is None else plain, filename=str(path))
    names: set[str] = set()
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _plain_imports(source: bytes) -> bytes | None:
    """The import statements of a file, one a line, where they can be told without parsing it: each
    `import` is in a statement that begins a line, and none is in a string of several lines."""
    if b"'''" in source or b"\\\n" in source:
        return None
    found = list(_IMPORT.finditer(source))
    if len(_WORD.findall(source)) != len(found):
        return None
    inside, before = False, 0
    for statement in found:
        inside ^= source.count(b'"""', before, statement.start()) % 2 == 1
        before = statement.start()
        if inside:
            return None
    return b"\n".join(statement[1] for statement in found)


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
