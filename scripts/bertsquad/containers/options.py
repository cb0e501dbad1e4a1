"""From settings, environment and engine to the options of one container: nothing is started here.

The names are those of `docker.DockerClient.containers.create`, where values need no class of the
SDK; mounts are plain dictionaries of the engine's API.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsquad.containers.environment import certificate_files, passed_on
from bertsquad.containers.settings import Settings
from bertsquad.machine.reading import format_cpu_list

# On a path that no host folder is mounted over; empty in every container, so that nothing a user
# has installed at home changes a result.
HOME = "/run/bertsquad"
# In the caller's working directory: HOME is new for every step, and nothing in it can be run.
_KERNELS = ".snakemake/kernels"
# Rules are written for bash; Snakemake adds the second line itself where the shell is named bash.
_STRICT = "umask {umask:04o}; set -euo pipefail; {command}"


@dataclass(frozen=True, slots=True)
class Caller:
    """The process in whose place a container runs."""

    working_directory: Path
    user: int
    group: int
    groups: tuple[int, ...]
    umask: int
    cpus: tuple[int, ...]  # that it may run on
    all_cpus: int  # that the machine has


@dataclass(frozen=True, slots=True)
class ContainerEngine:
    """What decides how the engine must be spoken to."""

    security: frozenset[str]  # `rootless`, `userns`, `selinux`, `seccomp`, ...


def engine_of(info: Mapping[str, Any]) -> ContainerEngine:
    """From the output of `docker info`."""
    options = info.get("SecurityOptions") or []
    # "name=seccomp,profile=default"
    names = (part for option in options for part in option.split(",") if part.startswith("name="))
    return ContainerEngine(frozenset(name.removeprefix("name=") for name in names))


def create_options(
    command: str,
    caller: Caller,
    engine: ContainerEngine,
    settings: Settings,
    environment: Mapping[str, str],
    folders: Sequence[Path],
    labels: Mapping[str, str],
    container: str,
) -> dict[str, Any]:
    """Everything but the image. `container` is what the step will find in BERTSQUAD_CONTAINER."""
    options: dict[str, Any] = {
        # Not the image's own entry point: whatever image it is, a step is a command of bash.
        "entrypoint": ["/bin/bash", "-c"],
        "command": [_STRICT.format(umask=caller.umask, command=command)],
        "working_dir": str(caller.working_directory),
        "mounts": [bind(folder) for folder in folders] + _certificates(environment),
        "environment": {"BERTSQUAD_KERNELS_CACHE": str(caller.working_directory / _KERNELS)}
        | passed_on(environment, settings.env)
        | {
            "HOME": HOME,
            "BERTSQUAD_CONTAINER": container,
            # A stop reaches every process of the step, not bash alone.
            "TINI_KILL_PROCESS_GROUP": "1",
        },
        "tmpfs": {HOME: "mode=1777"},
        "labels": dict(labels),
        "network_mode": settings.network,
        "shm_size": settings.shm_size,
        "init": True,
        "security_opt": ["no-new-privileges"],
    }
    # Rootless, user 0 of the container is the user outside and every other number is nobody.
    rootless = "rootless" in engine.security
    options["user"] = "0:0" if rootless else f"{caller.user}:{caller.group}"
    if not rootless:
        options["group_add"] = [str(group) for group in caller.groups if group != caller.group]
    if "userns" in engine.security:
        options["userns_mode"] = "host"
    if "selinux" in engine.security:
        options["security_opt"].append("label=disable")
    if settings.binding:
        # The seccomp profile of Docker allows set_mempolicy and mbind with this capability.
        options["cap_add"] = ["SYS_NICE"]
    if settings.memory:
        # No swap: a step that swaps is as good as hung, and its timings are worth nothing.
        options |= {"mem_limit": settings.memory, "memswap_limit": settings.memory}
    if settings.cpus:
        options["cpuset_cpus"] = settings.cpus
    elif len(caller.cpus) < caller.all_cpus:
        options["cpuset_cpus"] = format_cpu_list(list(caller.cpus))
    return options


def bind(path: Path, *, read_only: bool = False) -> dict[str, Any]:
    """A folder or file of the host at its own path. Unlike `-v`, this form never makes a missing
    one, as which a folder of another machine appears to the engine."""
    return {"Type": "bind", "Source": str(path), "Target": str(path), "ReadOnly": read_only}


def _certificates(environment: Mapping[str, str]) -> list[dict[str, Any]]:
    files = map(Path, certificate_files(environment))
    return [bind(path, read_only=True) for path in files if path.is_absolute() and path.is_file()]
