"""Kernels read and write nothing outside their buffers, and nothing in them is undefined.

Each is built with AddressSanitizer and UndefinedBehaviorSanitizer into a program of its own.
"""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bertsquad.kernels import building, table
from bertsquad.kernels.table import Kernel

HERE = Path(__file__).parent
SANITIZED = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O2")
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wno-unused-function")


def program(kernel: Kernel, main: str, folder: Path, *defined: str) -> Path:
    flags = [flag for flag in kernel.flags if flag not in ("-shared", "-fPIC", "-O3")]
    built = folder / kernel.name
    command = [
        *building.find_compiler(),
        *flags,
        *SANITIZED,
        *WARNINGS,
        f'-DKERNEL_SOURCE="{kernel.source}"',
        f"-DKERNEL={kernel.name}",
        *defined,
        "-o",
        str(built),
        str(HERE / main),
        "-lm",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "-lasan" in done.stderr or "libclang_rt" in done.stderr:
        pytest.skip(f"{command[0]} has no sanitizers: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return built


def output_of(built: Path) -> tuple[int, str]:
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=0"}
    done = subprocess.run(
        [str(built)], capture_output=True, text=True, check=False, env=environment, timeout=200
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("kernel", "tolerance"), [(table.ATTENTION_BF16, "0.02"), (table.ATTENTION_FP32, "1e-5")]
)
def test_attention_of_every_length(
    needs: Callable[[Kernel], None], tmp_path: Path, kernel: Kernel, tolerance: str
) -> None:
    needs(kernel)
    built = program(kernel, "fuzz_attention.c", tmp_path, f"-DTOLERANCE={tolerance}")
    assert output_of(built) == (0, "all lengths pass\n")


@pytest.mark.parametrize("kernel", [table.ATTENTION_BACKWARD_BF16, table.ATTENTION_BACKWARD_FP32])
def test_gradients_of_every_length(
    needs: Callable[[Kernel], None], tmp_path: Path, kernel: Kernel
) -> None:
    needs(kernel)
    built = program(kernel, "fuzz_backward.c", tmp_path)
    assert output_of(built) == (0, "all lengths pass\n")


def test_add_norm_of_every_width(needs: Callable[[Kernel], None], tmp_path: Path) -> None:
    needs(table.ADD_NORM)
    assert output_of(program(table.ADD_NORM, "fuzz_add_norm.c", tmp_path)) == (
        0,
        "all widths pass\n",
    )
