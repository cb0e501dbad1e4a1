"""The kernels there are: one C file each, and what it needs of the processor and the compiler."""

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent

AVX512 = ("avx512f", "avx512bw", "avx512dq", "avx512vl")

# No -march: the instructions are named, so that a build does on any processor that has them what it
# does on the one it was made on.
FLAGS = ("-std=c11", "-O3", "-fno-math-errno", "-fPIC", "-shared", "-mfma")


@dataclass(frozen=True, slots=True)
class Kernel:
    """A C file, compiled to a library with one function, both of this name."""

    name: str
    instructions: tuple[str, ...]  # as /proc/cpuinfo names them

    @property
    def source(self) -> Path:
        return FOLDER / f"{self.name}.c"

    @property
    def sources(self) -> tuple[Path, ...]:
        """With all headers: a change of one is a change of every kernel."""
        return (self.source, *sorted(FOLDER.glob("*.h")))

    @property
    def flags(self) -> tuple[str, ...]:
        """For a C compiler that takes GCC's options."""
        return (*FLAGS, *(f"-m{name.replace('_', '')}" for name in self.instructions))


ATTENTION_BF16 = Kernel("attention_bf16", (*AVX512, "avx512_bf16"))
ATTENTION_FP32 = Kernel("attention_fp32", AVX512)
ATTENTION_BACKWARD_BF16 = Kernel("attention_backward_bf16", (*AVX512, "avx512_bf16"))
ATTENTION_BACKWARD_FP32 = Kernel("attention_backward_fp32", AVX512)
ADD_NORM = Kernel("add_norm", (*AVX512, "avx512_bf16"))
KERNELS = (
    ATTENTION_BF16,
    ATTENTION_FP32,
    ATTENTION_BACKWARD_BF16,
    ATTENTION_BACKWARD_FP32,
    ADD_NORM,
)
