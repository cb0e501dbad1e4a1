"""The processor: its name and the instructions that decide how fast BERT runs on it."""

import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bertsquad.machine.reading import attempt, parse_cpu_list, read_status, read_text

# What inference kernels choose by, as Linux names them in /proc/cpuinfo (x86 and ARM).
_ISA_OF_INTEREST = [
    "avx2",
    "fma",
    "avx_vnni",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_tile",
    "amx_bf16",
    "amx_int8",
    "amx_fp16",
    "neon",
    "asimd",
    "asimddp",
    "asimdhp",
    "i8mm",
    "bf16",
    "sve",
    "sve2",
    "svebf16",
    "sme",
]

# One of a precision's instructions multiplies its numbers in hardware; without any, libraries
# convert to FP32 and back. AVX2 needs three for a product of bytes and its sum, where VNNI needs
# one: INT8 is then at most twice as fast as FP32, not four times, and a result all the same.
NATIVE_FLAGS = {
    "bf16": frozenset({"avx512_bf16", "amx_bf16", "bf16", "svebf16"}),
    "fp16": frozenset({"avx512_fp16", "amx_fp16", "asimdhp"}),
    "int8": frozenset({"avx2", "avx_vnni", "avx512_vnni", "amx_int8", "asimddp", "i8mm"}),
}

# Intel family 6 models that have AMX: Sapphire, Emerald and Granite Rapids (two).
# Kernels before 5.16 and many hypervisors leave it off, and then its flags are missing.
_INTEL_MODELS_WITH_AMX = frozenset({143, 207, 173, 174})

# ARM gives no model name, only numbers (MIDR_EL1): implementer and part.
_ARM_IMPLEMENTERS = {
    "0x41": "ARM",
    "0x46": "Fujitsu",
    "0x48": "HiSilicon",
    "0x4e": "NVIDIA",
    "0x51": "Qualcomm",
    "0x61": "Apple",
    "0xc0": "Ampere",
}
_ARM_PARTS = {
    ("0x41", "0xd08"): "Cortex-A72",
    ("0x41", "0xd0c"): "Neoverse-N1",
    ("0x41", "0xd40"): "Neoverse-V1",
    ("0x41", "0xd49"): "Neoverse-N2",
    ("0x41", "0xd4f"): "Neoverse-V2",
    ("0x46", "0x001"): "A64FX",
    ("0xc0", "0xac3"): "Ampere-1",
}

# macOS names the same instructions through sysctl.
_SYSCTL_FLAGS = {
    "hw.optional.avx2_0": "avx2",
    "hw.optional.avx512f": "avx512f",
    "hw.optional.neon": "neon",
    "hw.optional.AdvSIMD": "asimd",
    "hw.optional.arm.AdvSIMD": "asimd",
    "hw.optional.arm.FEAT_DotProd": "asimddp",
    "hw.optional.arm.FEAT_I8MM": "i8mm",
    "hw.optional.arm.FEAT_BF16": "bf16",
    "hw.optional.arm.FEAT_SME": "sme",
}


@dataclass(frozen=True, slots=True)
class CpuInfo:
    """The first processor of /proc/cpuinfo, and the socket and core of each."""

    model: str
    vendor: str
    flags: frozenset[str] = frozenset()
    family: int | None = None
    model_number: int | None = None
    # processor number -> (physical id, core id); x86 only, empty elsewhere
    places: dict[int, tuple[int, int]] = field(default_factory=dict)
    logical: int = 0


def parse_cpuinfo(text: str) -> CpuInfo:
    """Read the text of /proc/cpuinfo, x86 or ARM. A ValueError when it describes no processor."""
    processors = [fields for block in text.split("\n\n") if (fields := _fields(block))]
    processors = [fields for fields in processors if "processor" in fields]
    if not processors:
        raise ValueError("/proc/cpuinfo describes no processor")
    first = processors[0]
    implementer = first.get("CPU implementer", "").lower()
    return CpuInfo(
        model=first.get("model name") or _arm_model(first) or "unknown",
        vendor=first.get("vendor_id") or _ARM_IMPLEMENTERS.get(implementer) or "unknown",
        flags=frozenset((first.get("flags") or first.get("Features") or "").split()),
        family=_number(first.get("cpu family")),
        model_number=_number(first.get("model")),
        places={
            int(fields["processor"]): (int(fields["physical id"]), int(fields["core id"]))
            for fields in processors
            if fields.get("physical id", "").isdigit() and fields.get("core id", "").isdigit()
        },
        logical=len(processors),
    )


def parse_sysctl(text: str) -> CpuInfo:
    """Read what `sysctl hw machdep.cpu` prints on macOS. ValueError when it names no processor."""
    values = _fields(text)
    model = values.get("machdep.cpu.brand_string")
    if not model:
        raise ValueError("sysctl does not name the processor")
    return CpuInfo(
        model=model,
        vendor=values.get("machdep.cpu.vendor") or ("Apple" if "Apple" in model else "unknown"),
        flags=frozenset(name for key, name in _SYSCTL_FLAGS.items() if values.get(key) == "1"),
        logical=int(values.get("hw.logicalcpu", 0)),
    )


def read_cpu(root: Path = Path("/")) -> CpuInfo:
    """This machine's processor. OSError or ValueError when the system does not tell."""
    if root == Path("/") and platform.system() == "Darwin":
        return parse_sysctl(_read_sysctl())
    return parse_cpuinfo(read_text(root / "proc/cpuinfo"))


def cpu_model(root: Path = Path("/")) -> str:
    """The processor's name alone; `unknown` where the system hides it."""
    info = attempt(lambda: read_cpu(root))
    return info.model if isinstance(info, CpuInfo) else "unknown"


def cpu_flags(root: Path = Path("/")) -> frozenset[str]:
    """The processor's instructions; none where the system hides them."""
    info = attempt(lambda: read_cpu(root))
    return info.flags if isinstance(info, CpuInfo) else frozenset()


def _read_sysctl() -> str:
    """macOS's description of its hardware, as `name: value` lines."""
    command = ["/usr/sbin/sysctl", "hw", "machdep.cpu"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout


def isa_of_interest(flags: Iterable[str]) -> list[str]:
    """The flags that decide which kernels run, in a fixed order."""
    present = set(flags)
    return [name for name in _ISA_OF_INTEREST if name in present]


def native_precisions(flags: Iterable[str]) -> list[str]:
    """What the processor multiplies in hardware: `fp32`, and of `bf16`, `fp16`, `int8` those it
    has instructions for. The others are emulated: right, and slow."""
    present = set(flags)
    return ["fp32", *(name for name, of in NATIVE_FLAGS.items() if not present.isdisjoint(of))]


def has_native(precision: str, flags: Iterable[str]) -> bool:
    """Whether the processor multiplies this precision in hardware; if not, it is emulated."""
    return precision == "fp32" or precision in native_precisions(flags)


def has_native_bf16(flags: Iterable[str]) -> bool:
    """Whether the processor multiplies BF16 in hardware; if not, BF16 is emulated and slow."""
    return has_native("bf16", flags)


def fp32_products(cpu: CpuInfo) -> str:
    """The library whose FP32 products are fastest here: `onednn`, or `blas`, PyTorch's own.

    PyTorch's BLAS is MKL on x86, which keeps to AVX2 on processors of AMD; oneDNN takes AVX-512
    there. Measured in GFLOP/s on 2 cores: Zen 5 with AVX-512 450 by oneDNN, 200 by MKL; Zen 4 with
    AVX-512 223 and 185 to 197; Zen 3 with AVX2 130 and 150 to 180. On processors of Intel MKL takes
    AVX-512 by itself, and nothing was measured there, or on ARM: they keep PyTorch's BLAS.
    """
    return "onednn" if cpu.vendor == "AuthenticAMD" and "avx512f" in cpu.flags else "blas"


def fp32_weight_gradients(cpu: CpuInfo) -> str:
    """The library that sums FP32 gradients of weights fastest: `onednn`, or `blas`.

    oneDNN first brings both factors into its layout, BLAS adds to the sum for free. Zen 4 takes
    two cycles for what AVX-512 does in one on Zen 5 (family 26), so that its BLAS is nearly as fast
    by AVX2: there BLAS took 0.64 to 1.03 times the time of oneDNN for layers of 128 to 1,536; on
    Zen 5 oneDNN took 0.4 times the time of BLAS for BERT-Large's.
    """
    wide = cpu.family is not None and cpu.family >= 26
    return "onednn" if wide and fp32_products(cpu) == "onednn" else "blas"


def lacks_vnni(flags: Iterable[str]) -> bool:
    """Whether INT8 products are made of AVX2's several instructions."""
    return NATIVE_FLAGS["int8"].intersection(flags) == {"avx2"}


def has_amx(cpu: CpuInfo) -> bool:
    """Whether this processor was built with AMX, switched on or not."""
    return "amx_tile" in cpu.flags or (
        cpu.family == 6 and cpu.model_number in _INTEL_MODELS_WITH_AMX
    )


def allowed_cpus(root: Path = Path("/")) -> list[int]:
    """The logical processors this process may run on: its affinity mask, which a cgroup's cpuset
    narrows. All of them where none can be named (macOS)."""
    if root != Path("/"):
        return parse_cpu_list(read_status("Cpus_allowed_list", root))
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _fields(block: str) -> dict[str, str]:
    """`name : value` lines; the first of a name counts."""
    fields: dict[str, str] = {}
    for line in block.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip(), value.strip())
    return fields


def _arm_model(fields: dict[str, str]) -> str | None:
    implementer = fields.get("CPU implementer", "").lower()
    part = fields.get("CPU part", "").lower()
    if not implementer:
        return None
    unnamed = f"{_ARM_IMPLEMENTERS.get(implementer, f'implementer {implementer}')} part {part}"
    return _ARM_PARTS.get((implementer, part), unnamed)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None
