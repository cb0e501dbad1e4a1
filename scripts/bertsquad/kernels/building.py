"""Kernels are compiled once, tested once in a process of their own, and kept in the user's cache.

A library's name holds a key of all it was made of, and its own checksum: one that was damaged, or
made of something else, is never loaded. It is put there whole, by a rename, and only after its
test: two processes at once make the same file twice, and the later one replaces the earlier.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from bertsquad.kernels.table import Kernel

CACHE_HELP = "set BERTSQUAD_KERNELS_CACHE to a folder that can be written"
COMPILERS = ("cc", "gcc", "clang")
COMPILER_TIMEOUT_S = 120
TEST_TIMEOUT_S = 120
# Of the test's threads, which otherwise spin while others want the cores.
WAITING = {"GOMP_SPINCOUNT": "3000"}


class Unavailable(Exception):
    """No kernel, and in one line why; `help`, what would change that, may be empty."""

    def __init__(self, reason: str, help: str = "") -> None:
        super().__init__(reason)
        self.help = help


def library_of(kernel: Kernel) -> Path:
    """The compiled and tested library; compiles and tests it where it is not in the cache.

    Raises `Unavailable` without a compiler, with one that fails, where nothing can be written, or
    when the library's test fails.
    """
    compiler = find_compiler()
    key = key_of(kernel, compiler)
    folder = cache_folder()
    kept = kept_library(folder, kernel, key)
    return kept or make_library(folder, kernel, key, compiler)


def kept_library(folder: Path, kernel: Kernel, key: str) -> Path | None:
    """The library of this key, if it is there and holds what its name says."""
    for path in sorted(folder.glob(f"{kernel.name}-{key}-*.so")):
        try:
            whole = path.name == named(kernel, key, path.read_bytes())
        except OSError:
            whole = False
        if whole:
            return path
    return None


def make_library(folder: Path, kernel: Kernel, key: str, compiler: list[str]) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".making-", dir=folder) as making:
            made = Path(making) / f"{kernel.name}.so"
            compile_library(kernel, compiler, made)
            test_library(kernel, made)
            final = folder / named(kernel, key, made.read_bytes())
            os.replace(made, final)
            return final
    except OSError as error:
        raise Unavailable(
            f"{error.filename or folder}: {error.strerror}",
            CACHE_HELP,
        ) from error


def compile_library(kernel: Kernel, compiler: list[str], target: Path) -> None:
    command = [*compiler, *kernel.flags, "-o", str(target), str(kernel.source), "-lm"]
    done = run(command, COMPILER_TIMEOUT_S)
    if done.returncode:
        raise Unavailable(
            f"{compiler[0]} cannot compile {kernel.source.name}: {first_error(done.stderr)}",
            "install GCC 10 or Clang 9, or newer, or name one in CC",
        )


def test_library(kernel: Kernel, library: Path) -> None:
    """In another process, which alone ends when an instruction is missing or memory is misused."""
    packages = str(Path(__file__).parents[2])
    paths = [packages, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**WAITING, **os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-m", "bertsquad.kernels.checking", kernel.name, str(library)]
    done = run(command, TEST_TIMEOUT_S, environment)
    if done.returncode:
        ended = f"signal {-done.returncode}" if done.returncode < 0 else last_line(done.stderr)
        raise Unavailable(f"{kernel.name} fails its test: {ended}", "BERTSQUAD_KERNELS=off")


def run(
    command: list[str], timeout_s: float, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, env=environment, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{command[0]} did not end within {timeout_s} s") from error


def first_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if "error" in line.lower()]
    return lines[0] if lines else last_line(output)


def last_line(output: str) -> str:
    lines = output.strip().splitlines()
    return lines[-1] if lines else "it says nothing"


def find_compiler() -> list[str]:
    """The C compiler's command: CC, which may hold options, else the first of COMPILERS on PATH."""
    chosen = shlex.split(os.environ.get("CC", ""))
    for command in [chosen] if chosen else [[name] for name in COMPILERS]:
        found = shutil.which(command[0])
        if found:
            return [found, *command[1:]]
    names = f"CC is {chosen[0]}, which is not found" if chosen else f"none of {names_of()} on PATH"
    raise Unavailable(f"no C compiler: {names}", "install gcc, or name a C compiler in CC")


def names_of() -> str:
    return ", ".join(COMPILERS)


def key_of(kernel: Kernel, compiler: list[str]) -> str:
    """What a library is made of: sources, options and the compiler's version, as 16 hex digits.

    The processor is no part of it: options name all instructions, and those are looked for before a
    library is loaded.
    """
    digest = hashlib.sha256()
    for part in (*compiler, compiler_version(compiler[0]), *kernel.flags):
        digest.update(part.encode() + b"\0")
    for path in kernel.sources:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


@cache
def compiler_version(compiler: str) -> str:
    """Its first line: `gcc (Debian 12.2.0-14) 12.2.0`."""
    done = run([compiler, "--version"], COMPILER_TIMEOUT_S)
    return done.stdout.partition("\n")[0]


def named(kernel: Kernel, key: str, library: bytes) -> str:
    return f"{kernel.name}-{key}-{hashlib.sha256(library).hexdigest()[:32]}.so"


def cache_folder() -> Path:
    """BERTSQUAD_KERNELS_CACHE, else bertsquad/kernels in XDG_CACHE_HOME or ~/.cache."""
    chosen = os.environ.get("BERTSQUAD_KERNELS_CACHE")
    if chosen:
        return Path(chosen)
    caches = os.environ.get("XDG_CACHE_HOME")
    try:
        return Path(caches or Path.home() / ".cache") / "bertsquad/kernels"
    except RuntimeError as error:
        raise Unavailable("no folder to keep kernels in: no home", CACHE_HELP) from error
