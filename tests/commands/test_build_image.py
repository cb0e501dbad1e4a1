"""scripts/build_image.py and build_sif.py, with a stand-in for `docker` that notes its calls."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

STAND_IN = """\
#!/bin/sh
case "$1" in
    --version) echo "Docker version {version}, build 0" ;;
    buildx) exit 1 ;;
    build)
        echo "$@" > {folder}/call
        for last; do :; done
        ls "$last/envs" > {folder}/context
        exit {status}
        ;;
    *) echo "Error: No such image: bertsquad" >&2; exit 1 ;;
esac
"""


@pytest.fixture
def docker(tmp_path: Path):
    """Puts a `docker` that behaves as told first in PATH."""

    def install(version: str = "20.10.24", status: int = 0) -> dict[str, str]:
        folder = tmp_path / "bin"
        folder.mkdir()
        command = folder / "docker"
        command.write_text(STAND_IN.format(version=version, status=status, folder=tmp_path))
        command.chmod(command.stat().st_mode | stat.S_IXUSR)
        for name in ("apptainer", "mksquashfs"):
            (folder / name).symlink_to("/bin/true")
        return os.environ | {"PATH": f"{folder}:/usr/bin:/bin"}

    return install


def run(script: str, *arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "scripts" / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def test_the_build_gets_the_environments_files_and_labels(docker, tmp_path):
    done = run("build_image.py", "--base", "debian:12", environment=docker())
    assert done.returncode == 0, done.stderr
    call = (tmp_path / "call").read_text()
    assert "--tag bertsquad" in call
    assert "--build-arg BASE=debian:12" in call
    assert "--build-arg VERSION=" in call
    assert "--secret id=pip,src=" in call
    assert (tmp_path / "context").read_text().split() == [
        *("Dockerfile", "constraints.txt", "install.py", "requirements.txt", "wheels")
    ]


def test_a_failed_build_fails(docker):
    done = run("build_image.py", environment=docker(status=7))
    assert done.returncode == 2
    assert "docker build failed with exit status 7" in done.stderr


def test_a_docker_without_buildkit_is_named(docker, tmp_path):
    environment = docker(version="28.2.2") | {"PATH": str(tmp_path / "bin")}
    done = run("build_image.py", environment=environment)
    assert done.returncode == 2
    assert f"{tmp_path}/bin/docker: cannot build with BuildKit" in done.stderr


def test_without_the_image_there_is_nothing_to_convert(docker, tmp_path):
    done = run("build_sif.py", "--output", str(tmp_path / "a.sif"), environment=docker())
    assert done.returncode == 2
    assert "`make image` builds the image" in done.stderr
    assert not (tmp_path / "a.sif").exists()
