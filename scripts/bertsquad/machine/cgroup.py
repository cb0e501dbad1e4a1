"""What a container or a scheduler allows this process: cgroup cpuset, CPU quota and memory limit.

A limit holds for a group and everything below it, so the tightest from the process's own group up
to the root counts. Kernel documentation: admin-guide/cgroup-v1 and cgroup-v2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from bertsquad.machine.reading import attempt, parse_cpu_list, read_text

_MIB = 1024 * 1024
# cgroup v1 has no word for "no limit": it reports the largest multiple of a page below 2^63.
_NO_LIMIT_V1 = 1 << 60


@dataclass(frozen=True, slots=True)
class Mount:
    """One mounted cgroup hierarchy (a line of /proc/self/mountinfo)."""

    version: int  # 1 or 2
    root: str  # which group of the hierarchy is visible at `point`
    point: str
    controllers: frozenset[str]  # of version 1


def describe_cgroup(root: Path = Path("/")) -> dict[str, Any]:
    """`version` ("v1", "v2", "hybrid"), `cpuset` (processors), `cpu_quota` (in processors, may be
    a fraction) and `memory_limit_mib`; None where nothing limits, `unavailable` where unreadable.

    OSError where the system has no cgroups at all, as macOS.
    """
    groups = _parse_groups(read_text(root / "proc/self/cgroup"))
    mounts = parse_mounts(read_text(root / "proc/self/mountinfo"))
    versions = {mount.version for mount in mounts if mount.version == 2 or mount.controllers}
    names = {(): "none", (1,): "v1", (2,): "v2", (1, 2): "hybrid"}

    def limit(controller: str, *readers: Callable[[list[Path]], Any]) -> Any:
        return attempt(lambda: _limit(root, groups, mounts, controller, readers))

    return {
        "version": names[tuple(sorted(versions))],
        "cpuset": limit("cpuset", _cpuset_v1, _cpuset_v2),
        "cpu_quota": limit("cpu", _cpu_quota_v1, _cpu_quota_v2),
        "memory_limit_mib": limit("memory", _memory_limit_v1, _memory_limit_v2),
    }


def throttled_seconds(root: Path = Path("/")) -> float:
    """Seconds in which a quota kept this process's group, or one above it, from computing.
    OSError or LookupError where no group counts them."""
    groups = _parse_groups(read_text(root / "proc/self/cgroup"))
    mounts = parse_mounts(read_text(root / "proc/self/mountinfo"))
    return float(_limit(root, groups, mounts, "cpu", (_throttled, _throttled)))


def _throttled(folders: list[Path]) -> float:
    """The most of all groups, which contain each other: microseconds in v2, nanoseconds in v1."""
    units = {"throttled_usec": 1e6, "throttled_time": 1e9}
    found = []
    for folder in folders:
        if (folder / "cpu.stat").is_file():
            for line in read_text(folder / "cpu.stat").splitlines():
                name, _, number = line.partition(" ")
                if name in units:
                    found.append(int(number) / units[name])
    if not found:
        raise LookupError("no cpu.stat of this group counts throttling")
    return max(found)


def _parse_groups(text: str) -> dict[str, str]:
    """/proc/self/cgroup: controller -> this process's group; "" is the unified hierarchy (v2)."""
    groups = {}
    for line in text.splitlines():
        _, controllers, group = line.split(":", 2)
        for controller in controllers.split(","):
            groups[controller] = group
    return groups


def parse_mounts(text: str) -> list[Mount]:
    """The cgroup hierarchies among the lines of /proc/self/mountinfo (proc(5))."""
    mounts = []
    for line in text.splitlines():
        left, dash, right = line.partition(" - ")
        if not dash:
            continue
        kind, _, options = right.split(" ", 2)
        root, point = (_unescaped(field) for field in left.split(" ")[3:5])
        if kind == "cgroup":
            # `rw,cpu,cpuacct` are controllers; `name=systemd` is a hierarchy that limits nothing.
            controllers = frozenset(
                option for option in options.split(",") if "=" not in option and option != "rw"
            )
            mounts.append(Mount(1, root, point, controllers))
        elif kind == "cgroup2":
            mounts.append(Mount(2, root, point, frozenset()))
    return mounts


def group_folders(mount: Mount, group: str) -> list[str]:
    """The folders of a process's group and of every visible group above it, innermost first.

    In a container the mount may show a subtree (`mount.root`), and a group outside it is shown
    as its top.
    """
    inside = PurePosixPath(group)
    if mount.root != "/":
        if inside.is_relative_to(mount.root):
            inside = PurePosixPath("/") / inside.relative_to(mount.root)
        else:
            inside = PurePosixPath("/")
    if ".." in inside.parts:  # a group outside this process's cgroup namespace
        inside = PurePosixPath("/")
    point = mount.point.rstrip("/")
    return [point if str(step) == "/" else f"{point}{step}" for step in (inside, *inside.parents)]


def _limit(
    root: Path,
    groups: dict[str, str],
    mounts: list[Mount],
    controller: str,
    readers: tuple[Callable[[list[Path]], Any], ...],
) -> Any:
    for mount in mounts:
        if mount.version == 1 and controller in mount.controllers:
            read, group = readers[0], groups.get(controller, "/")
            break
    else:
        unified = [mount for mount in mounts if mount.version == 2]
        if not unified:
            raise LookupError(f"no cgroup hierarchy with the {controller} controller is mounted")
        mount, read, group = unified[0], readers[1], groups.get("", "/")
    folders = [root / folder.lstrip("/") for folder in group_folders(mount, group)]
    # Sandboxes may hide the group that /proc names and still show those above it.
    visible = [folder for folder in folders if folder.is_dir()]
    if not visible:
        raise LookupError(f"{mount.point}: the {controller} group {group} is not visible")
    return read(visible)


def _cpuset_v1(folders: list[Path]) -> list[int] | None:
    return _innermost_cpus(folders, "cpuset.effective_cpus", "cpuset.cpus")


def _cpuset_v2(folders: list[Path]) -> list[int] | None:
    return _innermost_cpus(folders, "cpuset.cpus.effective", "cpuset.cpus")


def _innermost_cpus(folders: list[Path], *names: str) -> list[int] | None:
    """The effective set is within that of every group above, so the innermost decides."""
    for folder in folders:
        for name in names:
            if (folder / name).is_file() and (cpus := parse_cpu_list(read_text(folder / name))):
                return cpus
    return None


def _cpu_quota_v1(folders: list[Path]) -> float | None:
    quotas = []
    for folder in folders:
        if (folder / "cpu.cfs_quota_us").is_file():
            quota = int(read_text(folder / "cpu.cfs_quota_us"))  # -1: none
            if quota > 0:
                quotas.append(quota / int(read_text(folder / "cpu.cfs_period_us")))
    return min(quotas, default=None)


def _cpu_quota_v2(folders: list[Path]) -> float | None:
    quotas = []
    for folder in folders:
        if (folder / "cpu.max").is_file():  # `max 100000` or `150000 100000`
            quota, period = read_text(folder / "cpu.max").split()
            if quota != "max":
                quotas.append(int(quota) / int(period))
    return min(quotas, default=None)


def _memory_limit_v1(folders: list[Path]) -> int | None:
    return _smallest_memory(folders, "memory.limit_in_bytes")


def _memory_limit_v2(folders: list[Path]) -> int | None:
    return _smallest_memory(folders, "memory.max")


def _smallest_memory(folders: list[Path], name: str) -> int | None:
    texts = [read_text(folder / name) for folder in folders if (folder / name).is_file()]
    limits = [int(text) for text in texts if text != "max"]
    return min((limit // _MIB for limit in limits if limit < _NO_LIMIT_V1), default=None)


def _unescaped(field: str) -> str:
    """mountinfo writes spaces and the like as octal: `\\040`."""
    return field.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
