"""Checks of the environment variables in which the launcher runs."""

from collections.abc import Iterator, Mapping

from bertsquad.modelzoo.checks.table import CallCheck
from bertsquad.modelzoo.command_line import CommandLine
from bertsquad.modelzoo.options import ARGUMENTS

# Variables that the launcher sets only where they are not set.
DEFAULTS_ONLY = (
    "KMP_AFFINITY",
    "KMP_BLOCKTIME",
    "KMP_SETTINGS",
    "OMP_NUM_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def leaks(line: CommandLine, environment: Mapping[str, str]) -> Iterator[str]:
    """Variables with the name of a model argument that the command line does not give."""
    for name in ARGUMENTS:
        if environment.get(name) and name not in line.values():
            yield f"the variable {name}={environment[name]} is set"


def kept(line: CommandLine, environment: Mapping[str, str]) -> Iterator[str]:
    """Variables whose value the launcher keeps, set outside of the command line."""
    for name in DEFAULTS_ONLY:
        if environment.get(name) and name not in line.environment:
            yield f"the variable {name}={environment[name]} is set"


def benchmarks_missing(line: CommandLine, environment: Mapping[str, str]) -> str | None:
    folders = environment.get("PYTHONPATH", "").split(":")
    return None if str(line.benchmarks) in folders else f"PYTHONPATH lacks {line.benchmarks}"


def without_leaks(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without the variables that `leaks` and `kept` find, and without LD_PRELOAD.

    Snakemake sets OMP_NUM_THREADS for every job, and the launcher would keep it.
    """
    threads = ("_NUM_THREADS", "_MAX_THREADS")
    return {
        name: value
        for name, value in environment.items()
        if name not in ARGUMENTS
        and not name.startswith(("KMP_", "OMP_", "GOTO_"))
        and not name.endswith(threads)
        and name not in ("LD_PRELOAD", *DEFAULTS_ONLY)
    }


ENVIRONMENT_CHECKS = (
    CallCheck(
        "leak",
        "error",
        leaks,
        "the launcher exports model arguments as variables of these names, so it would be taken "
        "for one; unset it",
    ),
    CallCheck("kept", "warning", kept, "the launcher does not replace it"),
    CallCheck(
        "pythonpath",
        "error",
        benchmarks_missing,
        "run_tf_benchmark.py ends with `No module named 'common'`, and the launcher still exits "
        "with 0",
    ),
)
