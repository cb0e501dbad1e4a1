#!/usr/bin/env python3
"""Run a shell command in the project's image, as if it ran here: Snakemake's `shell_exec`.

Example:
    scripts/docker_shell.py -c "python scripts/probe_machine.py --output machine.json"

The working directory, the repository and TMPDIR are at their own paths, files belong to you, and
the exit status is the command's. Settings are environment variables BERTSQUAD_DOCKER_*, explained
in docs/containers.md. `snakemake --workflow-profile profiles/docker` runs every rule like this.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import exit_with

REPOSITORY = Path(__file__).resolve().parent.parent


def folders(environment: dict[str, str], more: tuple[str, ...]) -> list[Path]:
    """What the container must see. BERTSQUAD_MOUNTS comes from the Snakefile."""
    from bertsquad.containers.mounts import check_place, folders_to_mount, read_folder_list

    for needed in (Path.cwd(), REPOSITORY):
        check_place(needed)
    of_the_workflow = read_folder_list(environment.get("BERTSQUAD_MOUNTS", ""))
    return folders_to_mount(
        Path.cwd(), REPOSITORY, [*of_the_workflow, *more], [tempfile.gettempdir()]
    )


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    # Not a long option: this is how Snakemake, like everybody else, calls a shell.
    parser.add_argument("-c", dest="command", required=True, help="the command, as bash reads it")
    return parser.parse_args()


def main() -> None:
    args = parse_args()

    from bertsquad.containers.engine import run_step
    from bertsquad.containers.settings import read_settings

    environment = dict(os.environ)
    settings = read_settings(environment)
    status = run_step(args.command, settings, environment, folders(environment, settings.mounts))
    sys.exit(status)


if __name__ == "__main__":
    exit_with(main)
