"""Build the project's image from envs/Dockerfile.

Examples:
    python scripts/build_image.py --tag bertsquad
    python scripts/build_image.py --tag bertsquad --base python:3.11-slim-bookworm@sha256:...

pip's settings on this machine (index, passwords, certificates) reach the build as secrets, which no
layer of the image keeps; wheels of pinned versions that pip finds in local folders go along.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import UserError, exit_with

REPOSITORY = Path(__file__).resolve().parent.parent
ENVIRONMENT_FILES = ("Dockerfile", "install.py", "requirements.txt", "constraints.txt")


def build(tag: str, base: str | None, network: str | None) -> None:
    """Build and tag the image."""
    from bertsquad.containers import building

    docker = docker_with_buildkit()
    listing = output_of([sys.executable, "-m", "pip", "config", "list"])
    settings = building.pip_settings(listing)
    with tempfile.TemporaryDirectory(prefix="bertsquad-build-") as folder:
        context, private = Path(folder) / "context", Path(folder) / "private"
        private.mkdir(mode=0o700)
        fill_context(context, settings)
        arguments = labels() | ({"BASE": base} if base else {})
        command = building.build_command(
            docker,
            context,
            tag,
            arguments,
            secrets(private, settings),
            os.environ,
            network,
        )
        done = subprocess.run(command, env=os.environ | {"DOCKER_BUILDKIT": "1"})
    if done.returncode:
        raise UserError(
            f"docker build failed with exit status {done.returncode}; its message is above"
        )


def docker_with_buildkit() -> str:
    """A `docker` command on PATH that can build with BuildKit."""
    from bertsquad.containers.building import has_buildkit

    folders = os.get_exec_path()
    commands = [found for folder in folders if (found := shutil.which("docker", path=folder))]
    for command in commands:
        buildx = subprocess.run([command, "buildx", "version"], capture_output=True)
        if has_buildkit(output_of([command, "--version"]), buildx.returncode == 0):
            return command
    if not commands:
        raise UserError("docker: no such command; install Docker (https://docs.docker.com/engine)")
    raise UserError(
        f"{commands[0]}: cannot build with BuildKit; install its plugin (package docker-buildx or "
        "docker-buildx-plugin)"
    )


def fill_context(context: Path, settings: dict[str, str]) -> None:
    """What the Dockerfile reads, and wheels that only this machine has."""
    from bertsquad.containers.building import pinned_versions, wheels_at_hand

    envs = context / "envs"
    (envs / "wheels").mkdir(parents=True)
    for name in ENVIRONMENT_FILES:
        shutil.copy(REPOSITORY / "envs" / name, envs)
    pins = pinned_versions(path.read_text(encoding="utf-8") for path in sorted(envs.glob("*.txt")))
    for wheel in wheels_at_hand(settings, pins):
        shutil.copy(wheel, envs / "wheels")


def secrets(folder: Path, settings: dict[str, str]) -> dict[str, Path]:
    """Files for the build alone: pip's settings, and the certificates it trusts here."""
    from bertsquad.containers.building import portable_settings

    pip = folder / "pip.conf"
    pip.write_text(portable_settings(settings), encoding="utf-8")
    found = {"pip": pip}
    certificates = settings.get("cert") or os.environ.get("SSL_CERT_FILE")
    if certificates and Path(certificates).is_file():
        found["ca"] = Path(certificates)
    return found


def labels() -> dict[str, str]:
    """Version, revision and source of the repository, for the image's labels."""
    from bertsquad.containers.building import public_address, software_version

    citation = (REPOSITORY / "CITATION.cff").read_text(encoding="utf-8")
    git = ["git", "-C", str(REPOSITORY)]
    found = {
        "VERSION": software_version(citation),
        "REVISION": output_of([*git, "describe", "--always", "--dirty", "--abbrev=40"]),
        "SOURCE": public_address(output_of([*git, "config", "--get", "remote.origin.url"])),
    }
    return {name: value for name, value in found.items() if value}


def output_of(command: list[str]) -> str:
    """What a command prints, or "" where it fails or does not exist."""
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--tag", default="bertsquad", help="the image's name (default: bertsquad)")
    parser.add_argument("--base", help="the base image (default: what envs/Dockerfile says)")
    parser.add_argument("--network", help="network of the build, such as host (default: Docker's)")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    build(args.tag, args.base, args.network)


if __name__ == "__main__":
    exit_with(main)
