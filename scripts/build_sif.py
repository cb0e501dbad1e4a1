"""Write the project's image as one file for Apptainer.

Example:
    python scripts/build_sif.py --tag bertsquad --output envs/bertsquad.sif

The image's files, environment and labels go in; Apptainer's own way from a Docker image gives the
same but compresses every layer in between, which takes three times as long.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import UserError, exit_with

# A third smaller than lz4 and hardly slower; Apptainer reads it with any kernel since 2017.
COMPRESSION = "-comp zstd -Xcompression-level 3"


def convert(tag: str, output: Path) -> None:
    """Write the file, whole or not at all."""
    from bertsquad.containers.sif import add_metadata
    from bertsquad.files import written_whole

    for command in ("docker", "apptainer", "mksquashfs", "tar"):
        if not shutil.which(command):
            raise UserError(f"{command}: no such command; writing a .sif file needs it")
    image = inspect(tag)
    with tempfile.TemporaryDirectory(prefix="bertsquad-sif-") as folder:
        root = Path(folder) / "root"
        export(tag, root)
        add_metadata(root, image["Config"])
        with written_whole(output) as part:
            build = ["apptainer", "build", "--force", "--mksquashfs-args", COMPRESSION]
            run([*build, str(part), f"{root}/"])


def inspect(tag: str) -> dict[str, Any]:
    """What the engine knows of the image."""
    done = subprocess.run(["docker", "image", "inspect", tag], capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"{tag}: {done.stderr.strip()}; `make image` builds the image")
    found: dict[str, Any] = json.loads(done.stdout)[0]
    return found


def export(tag: str, root: Path) -> None:
    """Unpack the image's files, all layers in one, owned by this user."""
    root.mkdir()
    created = subprocess.run(["docker", "create", tag], capture_output=True, text=True)
    if created.returncode:
        raise UserError(f"docker create {tag} failed: {created.stderr.strip()}")
    container = created.stdout.split()[-1]
    try:
        with subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as exported:
            run(["tar", "-x", "-C", str(root), "--no-same-owner"], stdin=exported.stdout)
        if exported.returncode:
            raise UserError("docker export failed; its message is above")
    finally:
        subprocess.run(["docker", "rm", container], stdout=subprocess.DEVNULL)


def run(command: list[str], stdin: Any = None) -> None:
    done = subprocess.run(command, stdin=stdin)
    if done.returncode:
        words = " ".join(command[:2])
        raise UserError(f"{words} failed with exit status {done.returncode}; its message is above")


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--tag", default="bertsquad", help="the image's name (default: bertsquad)")
    parser.add_argument("--output", type=Path, required=True, metavar="SIF", help="file to write")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    convert(args.tag, args.output)
    print(f"{args.output}: {args.output.stat().st_size / 2**20:.0f} MiB")


if __name__ == "__main__":
    exit_with(main)
