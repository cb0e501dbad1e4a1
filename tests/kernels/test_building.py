"""Kernels are compiled and tested once, kept whole in a cache, and never loaded when damaged."""

import concurrent.futures
import shutil
from pathlib import Path

import pytest

from bertsquad.kernels import building, table
from bertsquad.kernels.building import Unavailable
from bertsquad.kernels.table import Kernel


def libraries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def count_compilations(patch: pytest.MonkeyPatch) -> list[Path]:
    targets: list[Path] = []
    compile_library = building.compile_library

    def counted(kernel: Kernel, compiler: list[str], target: Path) -> None:
        targets.append(target)
        compile_library(kernel, compiler, target)

    patch.setattr(building, "compile_library", counted)
    return targets


@pytest.fixture
def untested(fresh: pytest.MonkeyPatch) -> None:
    """Libraries are kept without the seconds of their test, where the test is not what matters."""
    fresh.setattr(building, "test_library", lambda kernel, library: None)


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.mark.usefixtures("bf16_kernel")
def test_a_kernel_is_compiled_once(empty_cache: Path, fresh: pytest.MonkeyPatch) -> None:
    compiled = count_compilations(fresh)
    first = building.library_of(table.ATTENTION_BF16)
    assert building.library_of(table.ATTENTION_BF16) == first
    assert len(compiled) == 1
    assert libraries(empty_cache) == [first.name]


@pytest.mark.usefixtures("bf16_kernel", "untested")
def test_a_damaged_library_is_made_again(empty_cache: Path, fresh: pytest.MonkeyPatch) -> None:
    path = building.library_of(table.ATTENTION_BF16)
    whole = path.read_bytes()
    compiled = count_compilations(fresh)
    for damaged in (whole[:-1], b"", whole[:500] + bytes([whole[500] ^ 1]) + whole[501:]):
        path.write_bytes(damaged)
        assert building.library_of(table.ATTENTION_BF16).read_bytes() == whole
    assert len(compiled) == 3


@pytest.mark.usefixtures("bf16_kernel", "untested")
def test_two_builds_at_once_leave_one_library(empty_cache: Path) -> None:
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        paths = list(pool.map(building.library_of, [table.ATTENTION_BF16] * 2))
    assert libraries(empty_cache) == [paths[0].name]
    assert paths[0] == paths[1]


@pytest.mark.usefixtures("bf16_kernel", "untested")
def test_another_compiler_makes_another_library(
    empty_cache: Path, fresh: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = building.library_of(table.ATTENTION_BF16)
    compiler = building.find_compiler()[0]
    other = script(tmp_path / "othercc", f'exec {compiler} "$@"')
    fresh.setenv("CC", f"{other} -O2")
    second = building.library_of(table.ATTENTION_BF16)
    assert libraries(empty_cache) == sorted({first.name, second.name})
    assert first != second


def test_the_key_holds_sources_headers_and_options(tmp_path: Path, fresh) -> None:
    compiler = [str(script(tmp_path / "cc", "echo cc 1.0"))]
    before = building.key_of(table.ATTENTION_BF16, compiler)
    fresh.setattr(table, "FLAGS", (*table.FLAGS, "-g"))
    assert building.key_of(table.ATTENTION_BF16, compiler) != before
    fresh.undo()
    assert building.key_of(table.ATTENTION_BF16, compiler) == before
    sources = tmp_path / "sources"
    shutil.copytree(table.FOLDER, sources)
    fresh.setattr(table, "FOLDER", sources)
    assert building.key_of(table.ATTENTION_BF16, compiler) == before
    for name in ("team.h", "attention_bf16.c"):
        with (sources / name).open("a") as file:
            file.write("// changed\n")
        after = building.key_of(table.ATTENTION_BF16, compiler)
        assert after != before
        before = after


def test_without_a_compiler(empty_cache: Path, fresh: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fresh.delenv("CC", raising=False)
    fresh.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="no C compiler: none of cc, gcc, clang on PATH") as error:
        building.library_of(table.ATTENTION_BF16)
    assert error.value.help == "install gcc, or name a C compiler in CC"
    fresh.setenv("CC", "nocc -m64")
    with pytest.raises(Unavailable, match="CC is nocc, which is not found"):
        building.library_of(table.ATTENTION_BF16)


def test_a_compiler_that_fails(
    empty_cache: Path, fresh: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    failing = script(
        tmp_path / "cc", "echo \"cc: error: unrecognized option '-mavx512bf16'\" >&2; exit 1"
    )
    fresh.setenv("CC", str(failing))
    with pytest.raises(Unavailable, match=r"attention_bf16.c: cc: error: unrecognized option"):
        building.library_of(table.ATTENTION_BF16)
    assert libraries(empty_cache) == []


def test_a_compiler_whose_library_is_none(
    empty_cache: Path, fresh: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    writes = 'while [ "$1" != -o ]; do shift; [ $# -gt 0 ] || exit 0; done; echo no library > "$2"'
    fresh.setenv("CC", str(script(tmp_path / "cc", writes)))
    with pytest.raises(Unavailable, match="attention_bf16 fails its test"):
        building.library_of(table.ATTENTION_BF16)
    assert libraries(empty_cache) == []


def test_a_cache_that_cannot_be_written(
    fresh: pytest.MonkeyPatch, tmp_path: Path, bf16_kernel: Kernel
) -> None:
    (tmp_path / "file").touch()
    fresh.setenv("BERTSQUAD_KERNELS_CACHE", str(tmp_path / "file/kernels"))
    with pytest.raises(Unavailable, match="file/kernels: Not a directory") as error:
        building.library_of(bf16_kernel)
    assert "BERTSQUAD_KERNELS_CACHE" in error.value.help


@pytest.mark.usefixtures("untested")
def test_a_cache_filled_before_is_only_read(
    bf16_kernel: Kernel, empty_cache: Path, fresh: pytest.MonkeyPatch
) -> None:
    path = building.library_of(bf16_kernel)
    fresh.setattr(building, "make_library", None)
    empty_cache.chmod(0o555)
    assert building.library_of(bf16_kernel) == path


@pytest.mark.parametrize(
    ("planted", "with_what", "reason"),
    [
        ("_mm512_mul_ps(sums[i][d / LANES], share)", "_mm512_setzero_ps()", "heads of 32: off by"),
        ("if (size != 32 && size != 64)", "__builtin_trap();\n    if (0)", "signal 4"),
        ("if (size != 32 && size != 64)", "*(volatile int *)8 = 0;\n    if (0)", "signal 11"),
    ],
)
def test_a_wrong_or_crashing_kernel_is_never_kept(
    bf16_kernel: Kernel, empty_cache: Path, tmp_path: Path, fresh, planted, with_what, reason
) -> None:
    sources = tmp_path / "sources"
    shutil.copytree(table.FOLDER, sources)
    source = sources / "attention_forward.h"
    text = source.read_text()
    assert text.count(planted) == 1
    source.write_text(text.replace(planted, with_what))
    fresh.setattr(table, "FOLDER", sources)
    with pytest.raises(Unavailable, match=f"attention_bf16 fails its test: {reason}"):
        building.library_of(bf16_kernel)
    assert libraries(empty_cache) == []


def test_the_cache_is_the_users(fresh: pytest.MonkeyPatch) -> None:
    fresh.delenv("BERTSQUAD_KERNELS_CACHE")
    fresh.setenv("XDG_CACHE_HOME", "/caches")
    assert building.cache_folder() == Path("/caches/bertsquad/kernels")
    fresh.delenv("XDG_CACHE_HOME")
    fresh.setenv("HOME", "/home/me")
    assert building.cache_folder() == Path("/home/me/.cache/bertsquad/kernels")
