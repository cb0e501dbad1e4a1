"""Snakemake's dry runs in forks of a process that has imported it: a plan takes half the time.

    python tests/dry_runs.py

Reads a request a line, `{"arguments": [...], "folder": ..., "environment": {...}, "stdout": file,
"stderr": file}`, and answers each with its exit status. A fork has imported Snakemake's own modules
and what they import, and nothing of the project: it reads each Snakefile and its modules anew.
Only the "run directory" that Snakemake logs is that of the process.
"""

import atexit
import contextlib
import functools
import gc
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SNAKEMAKE = Path(sys.executable).parent / "snakemake"


def serve() -> None:
    """Answer until there are no more requests."""
    import jsonschema  # noqa: F401
    import snakemake.assets
    import snakemake.report.html_reporter  # noqa: F401
    from snakemake.cli import main

    sys.path[0] = str(SNAKEMAKE.parent)
    gc.freeze()
    while line := sys.stdin.readline():
        child = os.fork()
        if not child:
            become(json.loads(line))
            sys.exit(main())
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def become(request: dict[str, Any]) -> None:
    """As a shell in that folder would have started Snakemake."""
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    for number, file in enumerate((os.devnull, request["stdout"], request["stderr"])):
        opened = os.open(file, os.O_RDONLY if number == 0 else os.O_WRONLY)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = [str(SNAKEMAKE), *request["arguments"]]


@functools.cache
def server() -> subprocess.Popen[str]:
    """One for this process, and it ends with it."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen(
        [sys.executable, __file__],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(process.communicate)
    return process


def dry_run(
    arguments: tuple[str, ...], folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """What `snakemake ARGUMENTS` says in a folder, and its exit status."""
    process = server()
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(tempfile.NamedTemporaryFile()) for _ in range(2)]
        names = dict(zip(("stdout", "stderr"), (file.name for file in files), strict=True))
        request = {"arguments": arguments, "folder": str(folder), "environment": environment}
        process.stdin.write(json.dumps(request | names) + "\n")
        process.stdin.flush()
        status = int(process.stdout.readline())
        said = [file.read().decode() for file in files]
    return subprocess.CompletedProcess([str(SNAKEMAKE), *arguments], status, *said)


if __name__ == "__main__":
    serve()
