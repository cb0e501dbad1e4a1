"""Make a virtual environment: python3 envs/install.py .venv envs/requirements.txt

Uses the standard library alone, since it runs before anything is installed.
"""

import argparse
import platform
import re
import subprocess
import sys
import urllib.error
import urllib.request
import venv
from pathlib import Path

MINIMUM = (3, 11)  # Snakemake 9 needs it
CPU_WHEELS = "https://download.pytorch.org/whl/cpu"
TESTS = r"[/\\]tests?[/\\]"  # of packages: a fifth of their files, which nobody imports
HERE = Path(__file__).resolve().parent
# The command of the checkout that an environment belongs to, wherever the checkout is moved.
COMMAND = """\
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec "$here/python" -P -c \\
    'import sys; sys.path.insert(0, sys.argv.pop(1)); sys.argv[0] = "bertsquad"
from bertsquad.console.front_door import main; main()' \\
    "$here/../../scripts" "$@"
"""


def reachable(url: str) -> bool:
    """Whether the URL answers within a few seconds."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def torch_requirement(files: list[Path]) -> str | None:
    """The pinned `torch==...` line, if one of the requirement files has it."""
    for path in files:
        found = re.search(r"^torch==\S+", path.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return found[0]
    return None


def install(folder: Path, files: list[Path], alone: list[Path]) -> None:
    """Create `folder` if needed and install the requirement files into it; `alone` without what
    they depend on."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    pip += ["--no-compile"]  # which it does on one core, and longer than it installs
    torch = torch_requirement(files)
    # On Linux the registry's torch brings gigabytes of CUDA; PyTorch's own index has a CPU build.
    if torch and platform.system() == "Linux" and reachable(f"{CPU_WHEELS}/"):
        subprocess.run([*pip, "--no-deps", "--index-url", CPU_WHEELS, torch], check=True)
    lists = [part for path in files for part in ("--requirement", str(path))]
    subprocess.run([*pip, "--constraint", str(HERE / "constraints.txt"), *lists], check=True)
    for path in alone:
        subprocess.run([*pip, "--no-deps", "--requirement", str(path)], check=True)
    compile_all(python)


def put_command(folder: Path) -> None:
    """Put the command `bertsquad` beside the environment's Python, where it is a checkout's, and
    let that Python import the package."""
    scripts = folder.parent / "scripts"
    if (scripts / "bertsquad").is_dir():
        command = folder / "bin/bertsquad"
        command.write_text(COMMAND, encoding="utf-8")
        command.chmod(0o755)
        for packages in folder.glob("lib/python3*/site-packages"):
            (packages / "bertsquad.pth").write_text(f"{scripts.resolve()}\n", encoding="utf-8")


def compile_all(python: Path) -> None:
    """Compile the packages on all cores; a few files in them are templates, no valid Python."""
    place = "import sysconfig; print(sysconfig.get_path('purelib'))"
    found = subprocess.run([str(python), "-c", place], check=True, capture_output=True, text=True)
    compiling = [str(python), "-m", "compileall", "-q", "-j", "0", "-x", TESTS]
    subprocess.run([*compiling, found.stdout.strip()], stdout=subprocess.DEVNULL)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the virtual environment")
    parser.add_argument("requirements", type=Path, nargs="+", help="requirement files")
    parser.add_argument(
        "--no-deps",
        type=Path,
        action="append",
        default=[],
        help="a requirement file whose packages are installed without what they depend on",
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    if sys.version_info < MINIMUM:
        found = platform.python_version()
        sys.exit(
            f"found Python {found} at {sys.executable}; expected 3.11 or newer: make PYTHON=..."
        )
    names = " and ".join(str(path) for path in args.requirements)
    print(f"Installing {names} into {args.folder} (about 1.8 GB, a minute or two) ...", flush=True)
    try:
        install(args.folder, args.requirements, args.no_deps)
        put_command(args.folder.absolute())
    except subprocess.CalledProcessError as error:
        sys.exit(f"pip failed with exit status {error.returncode}; its message is above")


if __name__ == "__main__":
    main()
