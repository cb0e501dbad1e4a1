"""A Docker engine for the tests: the one that runs here already, or one of our own."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

ONE_APT_AT_A_TIME = threading.Lock()  # it refuses a second one

BASE = "bertsquad-test-base:bookworm"
PULLED_BASE = "python:3.11-slim-bookworm"
MEMORY_FOR_BASE = 2 * 1024**3  # bytes; 0.5 GB are used
# What the image needs of its base; the rest envs/Dockerfile brings itself.
BASE_PACKAGES = "python3,python3-venv,ca-certificates"
# No bridge and no firewall rules: the kernels of small virtual machines often lack them, and the
# tests use the host's network or none.
DAEMON_OPTIONS = (
    "--bridge=none",
    "--iptables=false",
    "--ip6tables=false",
    "--ip-forward=false",
    "--ip-masq=false",
)


def missing_for_services() -> str | None:
    """Why nothing can be installed and started here, or None."""
    if os.geteuid() != 0:
        return f"needs root (found user id {os.geteuid()})"
    if not shutil.which("apt-get"):
        return "needs Debian or Ubuntu (found no apt-get)"
    return None


def apt_install(commands: dict[str, str]) -> None:
    """Install the packages (command -> package) whose command is missing; skips when it cannot."""
    with ONE_APT_AT_A_TIME:
        install_missing(commands)


def install_missing(commands: dict[str, str]) -> None:
    packages = [package for command, package in commands.items() if not shutil.which(command)]
    if not packages:
        return
    if reason := missing_for_services():
        pytest.skip(f"{', '.join(packages)} missing, and installing it {reason}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    for command in (["apt-get", "update", "-qq"], install):
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"apt-get install {' '.join(packages)} failed: {done.stderr[-300:].strip()}")


def running_engine() -> docker.DockerClient | None:
    """The engine that DOCKER_HOST or the default socket leads to, if it answers."""
    try:
        client = docker.from_env(timeout=600)
        client.ping()
    except docker.errors.DockerException:
        return None
    return client


@contextlib.contextmanager
def own_engine() -> Iterator[tuple[docker.DockerClient, str]]:
    """A client and the address of a dockerd that keeps everything in a temporary folder."""
    apt_install({"dockerd": "docker.io", "iptables": "iptables"})
    folder = Path(tempfile.mkdtemp(prefix="bertsquad-docker-"))
    address = f"unix://{folder}/docker.sock"
    log = folder / "dockerd.log"
    command = ["dockerd", f"--host={address}", f"--data-root={folder}/data", *DAEMON_OPTIONS]
    command += [f"--exec-root={folder}/exec", f"--pidfile={folder}/dockerd.pid"]
    with log.open("w") as output:
        # Should pytest be killed, the engine goes with it.
        daemon = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *command], stdout=output, stderr=output
        )
    try:
        with contextlib.closing(wait_for(address, daemon, log)) as client:
            yield client, address
    finally:
        daemon.terminate()
        try:
            daemon.wait(30)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
        unmount_below(folder)
        shutil.rmtree(folder, ignore_errors=True)


def unmount_below(folder: Path) -> None:
    """What dockerd leaves mounted, such as the host's network for containers that used it."""
    points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for point in reversed([point for point in points if Path(point).is_relative_to(folder)]):
        subprocess.run(["umount", "--lazy", point], capture_output=True)


def wait_for(address: str, daemon: subprocess.Popen, log: Path) -> docker.DockerClient:
    """A client, once the engine answers; skips with its last words when it does not."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and daemon.poll() is None:
        try:
            return docker.DockerClient(base_url=address, timeout=600)  # asks for its version
        except docker.errors.DockerException:
            time.sleep(0.1)
    last_words = log.read_text().strip().splitlines()[-1:]
    pytest.skip(f"dockerd did not start: {' '.join(last_words)[-300:]}")


def make_base(client: docker.DockerClient) -> str:
    """The name of a small Debian 12 image with Python 3.11: made here, or pulled."""
    try:
        return client.images.get(BASE).tags[0]
    except docker.errors.ImageNotFound:
        pass
    if reason := missing_for_services():
        try:
            client.images.pull(PULLED_BASE)
        except docker.errors.DockerException as error:
            pytest.skip(
                f"no base image: {PULLED_BASE} cannot be pulled ({error}); making one {reason}"
            )
        return PULLED_BASE
    apt_install({"mmdebstrap": "mmdebstrap"})
    with tempfile.TemporaryDirectory(prefix="bertsquad-base-", dir=fast_folder()) as folder:
        archive = Path(folder) / "root.tar"
        make_debian(archive)
        name, tag = BASE.split(":")
        client.api.import_image_from_file(str(archive), repository=name, tag=tag)
    return BASE


def make_debian(archive: Path) -> None:
    """A small Debian 12 as a tar archive. mmdebstrap takes half as long as debootstrap."""
    command = ["mmdebstrap", "--variant=minbase", f"--include={BASE_PACKAGES}", "bookworm"]
    environment = os.environ | {"TMPDIR": str(archive.parent)}
    done = subprocess.run([*command, str(archive)], capture_output=True, text=True, env=environment)
    if done.returncode:
        pytest.skip(f"no base image: mmdebstrap failed: {done.stderr[-300:].strip()}")


def fast_folder() -> str | None:
    """Memory, where there is enough of it: Debian's installer waits for the disk at every file."""
    memory = Path("/dev/shm")
    enough = memory.is_dir() and shutil.disk_usage(memory).free > MEMORY_FOR_BASE
    return str(memory) if enough else None
