"""Whatever stands in a kernel's way, PyTorch does the work and one line says why."""

from pathlib import Path

import pytest
import torch

from bertsquad.console.errors import UserError
from bertsquad.kernels import attention, checking, loading, normalization, table
from bertsquad.kernels.checking import WrongResult
from bertsquad.kernels.status import Status, status
from bertsquad.kernels.table import Kernel

ALL = frozenset(name for kernel in table.KERNELS for name in kernel.instructions)


def test_off_takes_none_and_says_nothing(fresh, capsys: pytest.CaptureFixture[str]) -> None:
    fresh.setenv("BERTSQUAD_KERNELS", "off")
    assert attention.find(torch.bfloat16, 64) is None
    assert attention.find(torch.float32, 32) is None
    assert normalization.find(torch.bfloat16) is None
    assert capsys.readouterr() == ("", "")
    assert status() == Status(
        False, (), "BERTSQUAD_KERNELS=off", "unset BERTSQUAD_KERNELS", compiler="", key=""
    )


@pytest.mark.parametrize("value", ["no", "1", "AUTO"])
def test_another_setting_is_a_users_error(fresh, value: str) -> None:
    fresh.setenv("BERTSQUAD_KERNELS", value)
    message = f"BERTSQUAD_KERNELS is '{value}'; expected one of auto, off, on"
    with pytest.raises(UserError, match=message):
        attention.find(torch.bfloat16, 64)
    with pytest.raises(UserError, match=message):
        status()


def test_another_processor(fresh, capsys: pytest.CaptureFixture[str]) -> None:
    fresh.setattr(loading, "cpu_flags", lambda: frozenset({"avx2", "fma"}))
    assert attention.find(torch.bfloat16, 64) is None
    assert attention.find_trained(torch.float32, 32) is None
    assert normalization.find(torch.float32) is None
    assert capsys.readouterr().err == (
        "kernels: PyTorch's own operations are used: this processor lacks avx512f\n"
    )
    found = status()
    assert (found.available, found.kernels) == (False, ())
    assert found.help.startswith("a processor with AVX512-BF16")


def test_a_processor_without_bf16_has_the_kernel_for_fp32(fresh, needs) -> None:
    needs(table.ATTENTION_FP32)
    fresh.setattr(loading, "cpu_flags", lambda: ALL - {"avx512_bf16"})
    loading.outcome_of.cache_clear()
    assert attention.find(torch.float32, 64) is not None
    assert attention.find(torch.bfloat16, 64) is None
    assert status().kernels == ("attention_fp32", "attention_backward_fp32")
    assert status().reason == "this processor lacks avx512_bf16"


def test_no_compiler_is_told_once(
    empty_cache: Path, fresh, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh.setattr(loading, "cpu_flags", lambda: ALL)
    fresh.setenv("CC", "nocc")
    for _ in range(2):
        assert attention.find(torch.float32, 64) is None
        assert normalization.find(torch.float32) is None
    assert capsys.readouterr().err == (
        "kernels: PyTorch's own operations are used: "
        "no C compiler: CC is nocc, which is not found\n"
    )
    assert status() == Status(
        False,
        (),
        "no C compiler: CC is nocc, which is not found",
        "install gcc, or name a C compiler in CC",
        compiler="",
        key="",
    )


def test_on_is_an_error_where_there_is_none(empty_cache: Path, fresh) -> None:
    fresh.setattr(loading, "cpu_flags", lambda: ALL)
    fresh.setenv("BERTSQUAD_KERNELS", "on")
    fresh.setenv("CC", "nocc")
    with pytest.raises(UserError, match="BERTSQUAD_KERNELS=on, but no C compiler"):
        attention.find(torch.bfloat16, 64)


def test_each_process_tests_the_kernel_it_loads(
    fresh, bf16_kernel: Kernel, capsys: pytest.CaptureFixture[str]
) -> None:
    def wrong(function: object) -> None:
        raise WrongResult("heads of 64: off by 3, allowed 0.016")

    loading.outcome_of.cache_clear()
    fresh.setitem(checking.CHECKS, "attention_bf16", wrong)
    assert attention.find(torch.bfloat16, 64) is None
    assert "attention_bf16 fails its test: heads of 64: off by 3" in capsys.readouterr().err


def test_the_tests_notice_a_wrong_result() -> None:
    one = torch.ones(3)
    checking.compare("ones", one + 0.001, one, 0.01)
    for wrong in (one * 1.1, one * float("nan"), one * float("inf")):
        with pytest.raises(WrongResult, match="ones: off by"):
            checking.compare("ones", wrong, one, 0.01)


def test_status_of_a_machine_with_all(fresh, needs) -> None:
    for kernel in table.KERNELS:
        needs(kernel)
    found = status()
    assert found.available
    assert found.kernels == tuple(kernel.name for kernel in table.KERNELS)
    assert (found.reason, found.help) == ("", "")
    assert found.compiler
    assert len(found.key) == 16
