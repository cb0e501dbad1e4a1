"""Run one step in a container by the Docker SDK: start, stream, wait, and leave nothing behind."""

import contextlib
import os
import platform
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from bertsquad.console.errors import UserError, note
from bertsquad.console.progress import say
from bertsquad.containers.clients import LABEL, is_orphan, labels_of
from bertsquad.containers.options import Caller, create_options, engine_of
from bertsquad.containers.outcome import SIGNAL_STATUS, explain
from bertsquad.containers.settings import Settings
from bertsquad.machine.container import docker_identity

_STOP_SECONDS = 10  # between SIGTERM and SIGKILL when we are interrupted; Docker's own default
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WATCH_SECONDS = 0.5


class _Interrupted(BaseException):
    """A signal asks this process to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.status = SIGNAL_STATUS + number


def run_step(
    command: str, settings: Settings, environment: Mapping[str, str], folders: list[Path]
) -> int:
    """Run the command in a container and return its exit status; 128 + n after signal n.

    Its output goes to stdout and stderr as it comes. `UserError` when there is no engine, no
    permission or no image.
    """
    try:
        with _interruptible(), _connected() as client:
            return _run_connected(client, command, settings, environment, folders)
    except _Interrupted as interrupted:
        return interrupted.status


def _run_connected(
    client: Any,
    command: str,
    settings: Settings,
    environment: Mapping[str, str],
    folders: list[Path],
) -> int:
    _remove_orphans(client)
    image = _find_image(client, settings.image)
    options = create_options(
        command,
        this_process(),
        engine_of(client.info()),
        settings,
        environment,
        folders,
        labels_of(os.getpid(), str(Path.cwd())),
        docker_identity(settings.image, image.attrs, client.version()["Version"]),
    )
    return run(client, image, options)


def this_process() -> Caller:
    umask = os.umask(0)
    os.umask(umask)
    count = os.cpu_count() or 1
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(count)
    return Caller(
        working_directory=Path.cwd(),
        user=os.getuid(),
        group=os.getgid(),
        groups=tuple(os.getgroups()),
        umask=umask,
        cpus=tuple(sorted(allowed)),
        all_cpus=count,
    )


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Turn the signals that end a process, and the end of its parent, into `_Interrupted`.

    Snakemake killed by force cannot tell its jobs, so a thread watches whether it is still there.
    """
    parent = os.getppid()
    over = threading.Event()

    def interrupt(number: int, _: Any) -> None:
        _ignore_signals()  # one is enough: the container is being stopped
        raise _Interrupted(number)

    def watch() -> None:
        while not over.wait(_WATCH_SECONDS):
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGTERM)
                return

    # What the caller has us ignore stays ignored: SIGHUP under nohup.
    heard = [number for number in _ENDING if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in heard}
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_signals() -> dict[int, Any]:
    """From now on; returns what was done about them before."""
    return {number: signal.signal(number, signal.SIG_IGN) for number in _ENDING}


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Let no signal end this process in the middle."""
    before = _ignore_signals()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _connected() -> Iterator[Any]:
    """A client of the engine that DOCKER_HOST or the default socket leads to."""
    try:
        import docker
    except ModuleNotFoundError:
        raise UserError(
            f"the package `docker` is missing from {sys.executable}: `make run` installs it"
        ) from None

    where = os.environ.get("DOCKER_HOST", "/var/run/docker.sock")
    try:
        # Asks the engine for its version. The limit is that of an answer, not of a step's output.
        client = docker.from_env(timeout=600)
    except docker.errors.DockerException as error:
        raise UserError(no_engine(where, error)) from None
    with contextlib.closing(client):
        yield client


def no_engine(where: str, error: BaseException) -> str:
    """Why the engine does not answer, and what to do."""
    text = str(error)
    if "Permission denied" in text:
        return (
            f"no permission to use the Docker engine at {where}: join the group `docker` and log "
            "in again (sudo usermod -aG docker $USER), use rootless Docker, or profiles/apptainer"
        )
    hint = "start Docker Desktop" if platform.system() == "Darwin" else "start Docker"
    return (
        f"no Docker engine answers at {where}: {hint} (`docker info` shows whether it runs), set "
        "DOCKER_HOST, use profiles/apptainer, or run without a profile, on this machine itself"
    )


def _find_image(client: Any, name: str) -> Any:
    import docker

    try:
        return client.images.get(name)
    except docker.errors.ImageNotFound:
        advice = "`make image` builds it" if name == Settings().image else f"docker pull {name}"
        raise UserError(
            f"the engine has no image named {name!r}: {advice}, or name another one in "
            "BERTSQUAD_DOCKER_IMAGE"
        ) from None


def run(client: Any, image: Any, options: dict[str, Any]) -> int:
    """Create, start, stream, wait; whatever happens, the container is gone afterwards."""
    import docker

    container = None
    try:
        container = client.containers.create(image.id, **options)
        output = container.attach(stdout=True, stderr=True, stream=True, demux=True)
        container.start()
        for out, err in output:
            _write(sys.stdout.buffer, out)
            _write(sys.stderr.buffer, err)
        status: int = container.wait()["StatusCode"]
        container.reload()
        _report(status, container.attrs)
        return status
    except _Interrupted:
        with contextlib.suppress(docker.errors.DockerException):
            if container is not None:
                container.stop(timeout=_STOP_SECONDS)
        raise
    except docker.errors.APIError as error:
        raise UserError(refused(str(error.explanation or error))) from None
    finally:
        if container is not None:
            with _undisturbed(), contextlib.suppress(docker.errors.DockerException, OSError):
                container.remove(force=True)


def _write(stream: BinaryIO, chunk: bytes | None) -> None:
    if chunk:
        stream.write(chunk)
        stream.flush()


def _report(status: int, attributes: Mapping[str, Any]) -> None:
    """Say on stderr what the step could not say itself."""
    message = explain(
        status,
        out_of_memory=attributes["State"]["OOMKilled"],
        memory_limit=attributes["HostConfig"]["Memory"],
    )
    if message:
        say(f"docker_shell.py: error: {message}")


def refused(reason: str) -> str:
    """Why the engine would not run a container, with what to do where we know."""
    advice = {
        "bind source path does not exist": "the engine does not see this folder: it must run on "
        "this machine (DOCKER_HOST), and Docker Desktop must share the folder",
        "network": "choose another network in BERTSQUAD_DOCKER_NETWORK",
        "CPUs are not available": "choose processors that exist in BERTSQUAD_DOCKER_CPUS",
        "/bin/bash": "the image has no bash",
    }
    known = [text for part, text in advice.items() if part in reason]
    return "; ".join([f"the Docker engine refused: {reason}", *known[:1]])


def _remove_orphans(client: Any) -> None:
    """Remove containers whose client was killed: they would write where their successor writes."""
    import docker

    for container in client.containers.list(
        all=True, filters={"label": LABEL}, ignore_removed=True
    ):
        if is_orphan(container.labels):
            with contextlib.suppress(docker.errors.APIError):
                container.remove(force=True)
                note(
                    f"docker_shell.py: removed container {container.short_id}, whose client was "
                    "killed"
                )
