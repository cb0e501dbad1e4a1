"""Pieces of /proc, /sys and /etc of machines that are not here, written under a folder."""

from pathlib import Path

from bertsquad.machine.reading import format_cpu_list

FLAGS_SAPPHIRE_RAPIDS = (
    "fpu sse2 avx2 fma avx512f avx512_vnni avx512_bf16 avx512_fp16 amx_bf16 amx_tile amx_int8"
)
CGROUP_V2 = "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def x86_cpuinfo(
    processors: int = 2,
    *,
    model: str = "Intel(R) Xeon(R) Platinum 8480+",
    vendor: str = "GenuineIntel",
    family: int = 6,
    model_number: int = 143,
    flags: str = FLAGS_SAPPHIRE_RAPIDS,
) -> str:
    return "\n\n".join(
        f"processor\t: {number}\nvendor_id\t: {vendor}\ncpu family\t: {family}\n"
        f"model\t\t: {model_number}\nmodel name\t: {model}\nphysical id\t: 0\n"
        f"core id\t\t: {number}\nflags\t\t: {flags}\npower management:"
        for number in range(processors)
    )


def server(
    root: Path,
    *,
    sockets: int,
    cores: int,
    threads: int,
    nodes: int,
    node_mib: int = 65536,
    last_level_caches: int | None = None,
) -> Path:
    """/sys, /proc/self and /proc/meminfo of `sockets` times `cores` times `threads` processors,
    numbered as Linux does: first one thread of every core, socket by socket, then the second ones.

    `nodes` NUMA nodes in all, and as many caches of the last level unless told otherwise.
    """
    whole = sockets * cores
    files = {"sys/devices/system/cpu/online": f"0-{whole * threads - 1}\n"}
    caches = last_level_caches or nodes
    for core in range(whole):
        siblings = format_cpu_list(list(range(core, whole * threads, whole)))
        neighbours = of_part(core * caches // whole, caches, whole, threads)
        for cpu in range(core, whole * threads, whole):
            folder = f"sys/devices/system/cpu/cpu{cpu}"
            files |= {
                f"{folder}/topology/physical_package_id": f"{core // cores}\n",
                f"{folder}/topology/thread_siblings_list": f"{siblings}\n",
                f"{folder}/cache/index0/level": "1\n",
                f"{folder}/cache/index0/type": "Data\n",
                f"{folder}/cache/index0/size": "48K\n",
                f"{folder}/cache/index0/shared_cpu_list": f"{siblings}\n",
                f"{folder}/cache/index3/level": "3\n",
                f"{folder}/cache/index3/type": "Unified\n",
                f"{folder}/cache/index3/size": "2M\n",
                f"{folder}/cache/index3/shared_cpu_list": f"{neighbours}\n",
            }
    files["sys/devices/system/node/online"] = f"{format_cpu_list(list(range(nodes)))}\n"
    for node in range(nodes):
        folder = f"sys/devices/system/node/node{node}"
        files[f"{folder}/cpulist"] = f"{of_part(node, nodes, whole, threads)}\n"
        files[f"{folder}/meminfo"] = f"Node {node} MemTotal:  {node_mib * 1024} kB\n"
    files |= {
        "proc/meminfo": f"MemTotal: {nodes * node_mib * 1024} kB\n",
        "proc/self/status": status(f"0-{whole * threads - 1}", f"0-{nodes - 1}"),
    }
    return write(root, files)


def of_part(part: int, parts: int, cores: int, threads: int) -> str:
    """The processors of one of `parts` equal pieces of the machine."""
    first, last = part * cores // parts, (part + 1) * cores // parts
    return format_cpu_list(
        [thread * cores + core for thread in range(threads) for core in range(first, last)]
    )


def status(cpus: str, memory_nodes: str = "0") -> str:
    return f"Name:\tpython\nCpus_allowed_list:\t{cpus}\nMems_allowed_list:\t{memory_nodes}\n"


def two_sockets(root: Path) -> Path:
    """2 sockets x 2 cores x 2 threads."""
    return server(root, sockets=2, cores=2, threads=2, nodes=2)


def xeon_with_amx(root: Path) -> Path:
    """2 x Sapphire Rapids with 56 cores, outside a container."""
    server(root, sockets=2, cores=56, threads=2, nodes=2, node_mib=262144)
    return write(
        root,
        {
            "proc/cpuinfo": x86_cpuinfo(224),
            "proc/self/cgroup": "0::/user.slice\n",
            "proc/self/mountinfo": CGROUP_V2,
            "sys/fs/cgroup/user.slice/cpu.max": "max 100000\n",
            "sys/fs/cgroup/user.slice/memory.max": "max\n",
            "sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never\n",
            "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
            "sys/devices/system/cpu/intel_pstate/no_turbo": "0\n",
            "etc/os-release": 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\n',
        },
    )


def cooper_lake(root: Path) -> Path:
    """4 x Cooper Lake with 28 cores, the guide's machine: 4 NUMA nodes, BF16 but no AMX."""
    server(root, sockets=4, cores=28, threads=2, nodes=4, node_mib=98304)
    cpuinfo = x86_cpuinfo(
        224,
        model="Intel(R) Xeon(R) Platinum 8380H CPU @ 2.90GHz",
        model_number=85,
        flags="avx2 fma avx512f avx512_vnni avx512_bf16",
    )
    return write(
        root,
        {
            "proc/cpuinfo": cpuinfo,
            "sys/kernel/mm/transparent_hugepage/enabled": "always madvise [never]\n",
            "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n",
        },
    )


def epyc(root: Path) -> Path:
    """2 x Milan with 64 cores, four NUMA nodes a socket, 8 cores to a cache: no BF16."""
    server(root, sockets=2, cores=64, threads=2, nodes=8, node_mib=32768, last_level_caches=16)
    cpuinfo = x86_cpuinfo(
        256,
        model="AMD EPYC 7763 64-Core Processor",
        vendor="AuthenticAMD",
        family=25,
        model_number=1,
        flags="avx2 fma",
    )
    return write(root, {"proc/cpuinfo": cpuinfo})


def container(root: Path) -> Path:
    """Half a processor's time on the first two of 8, one thread each of two cores; v1 groups."""
    server(root, sockets=1, cores=4, threads=2, nodes=1)
    group = "/docker/0123"
    mounts = "".join(
        f"{number} 31 0:{number} {group} /sys/fs/cgroup/{name} ro - cgroup cgroup rw,{name}\n"
        for number, name in enumerate(("cpu,cpuacct", "cpuset", "memory"), start=34)
    )
    groups = f"4:memory:{group}\n3:cpuset:{group}\n2:cpu,cpuacct:{group}\n"
    return write(
        root,
        {
            "proc/cpuinfo": x86_cpuinfo(8, model_number=106, flags="hypervisor avx2 avx512f"),
            "proc/self/status": status("0-1"),
            "proc/self/cgroup": groups,
            "proc/self/mountinfo": mounts,
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/cpuset/cpuset.effective_cpus": "0-1\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{2 * 1024**3}\n",
        },
    )


def graviton(root: Path) -> Path:
    """An AWS Graviton 3 of 16 processors: ARM, no hardware threads, no socket numbers."""
    server(root, sockets=1, cores=16, threads=1, nodes=1)
    block = (
        "processor\t: {}\nFeatures\t: fp asimd asimdhp asimddp sve i8mm svebf16 bf16\n"
        "CPU implementer\t: 0x41\nCPU part\t: 0xd40\n"
    )
    files = {"proc/cpuinfo": "\n".join(block.format(cpu) for cpu in range(16))}
    for cpu in range(16):
        files[f"sys/devices/system/cpu/cpu{cpu}/topology/physical_package_id"] = "-1\n"
    return write(root, files)


def broken(root: Path) -> Path:
    """Half of /sys is missing and the rest is odd, as in some sandboxes; /proc tells of 2 cores."""
    return write(
        root,
        {
            "proc/cpuinfo": x86_cpuinfo(4)
            .replace("core id\t\t: 2", "core id\t\t: 0")
            .replace("core id\t\t: 3", "core id\t\t: 1"),
            "proc/self/status": "Name:\tpython\nCpus_allowed_list:\t0-3\n",
            "proc/self/cgroup": "what\n",
            "proc/self/mountinfo": "",
            "sys/devices/system/cpu/online": "0-3\n",
            "sys/devices/system/node/online": "zero\n",
            "sys/kernel/mm/transparent_hugepage/enabled": "maybe\n",
        },
    )
