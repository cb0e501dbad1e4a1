"""Change the code of a few modules, a place at a time; print the changes that no test notices.

Example:
    python tests/mutants.py --tool .venv-mutants/bin optimizer batching

Works on copies of the tracked files, so an interruption leaves nothing changed here. A survivor is
a change that does nothing (which needs no test), or a behaviour that no test holds (which does).
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# The name of a module, its file in scripts/bertsquad, and the tests that hold it.
MODULES = {
    "batching": ("data/batching.py", "data/test_batching.py"),
    "comparison": ("answers/comparison.py", "answers/test_comparison.py"),
    "decoding": ("answers/decoding.py", "answers/test_decoding.py"),
    "intervals": ("answers/intervals.py", "answers/test_intervals.py"),
    "metrics": ("answers/metrics.py", "answers/test_metrics.py"),
    "offline": ("benchmark/offline.py", "benchmark/test_offline.py"),
    "optimizer": ("training/optimizer.py", "training/test_optimizer.py"),
    "schedule": ("training/schedule.py", "training/test_schedule.py"),
    "workload": ("benchmark/workload.py", "benchmark/test_workload.py"),
}
# Of the hundred ways to change an operator, one or two each: the others die of the same tests. `|`
# is left alone, since it is nearly always that of a type.
KEPT_BINARY = "Add_Sub|Sub_Add|Mul_Div|Div_Mul|FloorDiv_Mul|Pow_Mul|Mod_Mul|BitAnd_BitOr"
KEPT_COMPARISON = "Lt_LtE|LtE_Lt|Gt_GtE|GtE_Gt|Lt_GtE|Gt_LtE|Eq_NotEq|NotEq_Eq|Is_IsNot|IsNot_Is"
LEFT_OUT = [
    rf"core/ReplaceBinaryOperator_(?!({KEPT_BINARY})$).*",
    rf"core/ReplaceComparisonOperator_(?!({KEPT_COMPARISON})$).*",
]
SECONDS = 120  # a test run that takes longer hangs, by which the change is noticed


def copy_tracked(folder: Path) -> None:
    """The tracked files, as they are in the working tree, with a link to its environment."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        source, target = ROOT / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    (folder / ".venv").unlink(missing_ok=True)
    (folder / ".venv").symlink_to(ROOT / ".venv")


def configuration(module: str, tests: str) -> str:
    command = f"{sys.executable} -B -m pytest -x -q -n 0 -p no:cacheprovider tests/{tests}"
    return (
        f'[cosmic-ray]\nmodule-path = "scripts/bertsquad/{module}"\ntimeout = {SECONDS}\n'
        f"excluded-modules = []\ntest-command = {json.dumps(command)}\n"
        '[cosmic-ray.distributor]\nname = "local"\n'
        f"[cosmic-ray.filters.operators-filter]\nexclude-operators = {json.dumps(LEFT_OUT)}\n"
    )


def survivors(name: str, tool: Path) -> tuple[str, list[str], int]:
    """The module's name, the differences that no test noticed, and how many were tried."""
    module, tests = MODULES[name]
    with tempfile.TemporaryDirectory() as folder:
        copy_tracked(Path(folder))
        config, session = Path(folder, "mutants.toml"), Path(folder, "mutants.sqlite")
        config.write_text(configuration(module, tests), encoding="utf-8")

        def run(command: str, *files: Path) -> str:
            parts = command.split()
            done = subprocess.run(
                [tool / parts[0], *parts[1:], *files], cwd=folder, capture_output=True, text=True
            )
            if done.returncode:
                sys.exit(f"{name}: {command} ended with {done.returncode}: {done.stderr[-2000:]}")
            return done.stdout

        run("cosmic-ray baseline", config)  # the tests pass while nothing is changed
        run("cosmic-ray init", config, session)
        run("cr-filter-operators", session, config)
        run("cosmic-ray exec", config, session)
        results = [json.loads(line)[1] for line in run("cosmic-ray dump", session).splitlines()]
    tried = [each for each in results if each and each["worker_outcome"] != "skipped"]
    alive = [each["diff"] for each in tried if each["test_outcome"] == "survived"]
    return name, alive, len(tried)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(MODULES)} (default: all)")
    parser.add_argument("--tool", type=Path, required=True, help="folder of cosmic-ray's commands")
    parser.add_argument("--jobs", type=int, default=2, help="modules at a time (default: 2)")
    args = parser.parse_args()
    unknown = [name for name in args.names if name not in MODULES]
    if unknown:
        parser.error(f"no module {unknown[0]}; expected some of {', '.join(MODULES)}")
    tool = args.tool.resolve()
    with ThreadPoolExecutor(args.jobs) as pool:
        for name, alive, tried in pool.map(
            lambda name: survivors(name, tool), args.names or MODULES
        ):
            for difference in alive:
                print(difference)
            print(f"{name}: {len(alive)} of {tried} changes noticed by no test", flush=True)


if __name__ == "__main__":
    main()
