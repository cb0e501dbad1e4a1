"""Pieces of /proc, /sys and /etc of machines that are not here, written under a folder."""

from pathlib import Path

FLAGS_SAPPHIRE_RAPIDS = (
    "fpu sse2 avx2 fma avx512f avx512_vnni avx512_bf16 avx512_fp16 amx_bf16 amx_tile amx_int8"
)


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
    model_number: int = 143,
    flags: str = FLAGS_SAPPHIRE_RAPIDS,
) -> str:
    return "\n\n".join(
        f"processor\t: {number}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\n"
        f"model\t\t: {model_number}\nmodel name\t: {model}\nphysical id\t: 0\n"
        f"core id\t\t: {number}\nflags\t\t: {flags}\npower management:"
        for number in range(processors)
    )


def two_sockets(root: Path) -> Path:
    """/sys of 2 sockets x 2 cores x 2 threads, numbered as Linux does: threads 4-7 come last."""
    files = {"sys/devices/system/cpu/online": "0-7\n"}
    for cpu in range(8):
        core, socket = cpu % 4, (cpu % 4) // 2
        folder = f"sys/devices/system/cpu/cpu{cpu}"
        files |= {
            f"{folder}/topology/physical_package_id": f"{socket}\n",
            f"{folder}/topology/thread_siblings_list": f"{core},{core + 4}\n",
            f"{folder}/cache/index0/level": "1\n",
            f"{folder}/cache/index0/type": "Data\n",
            f"{folder}/cache/index0/size": "48K\n",
            f"{folder}/cache/index0/shared_cpu_list": f"{core},{core + 4}\n",
            f"{folder}/cache/index3/level": "3\n",
            f"{folder}/cache/index3/type": "Unified\n",
            f"{folder}/cache/index3/size": "2M\n",
            f"{folder}/cache/index3/shared_cpu_list": "0-1,4-5\n" if socket == 0 else "2-3,6-7\n",
        }
    files |= {
        "sys/devices/system/node/online": "0-1\n",
        "sys/devices/system/node/node0/cpulist": "0-1,4-5\n",
        "sys/devices/system/node/node1/cpulist": "2-3,6-7\n",
    }
    return write(root, files)
