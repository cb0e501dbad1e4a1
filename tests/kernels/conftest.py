"""Kernels of this session, in a cache of its own; tests that need a kernel say what is missing."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bertsquad.kernels import loading, table
from bertsquad.kernels.building import Unavailable
from bertsquad.kernels.table import Kernel


@pytest.fixture(scope="session", autouse=True)
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty cache that all tests of the session share, so that each kernel is compiled once."""
    folder = tmp_path_factory.mktemp("kernels")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BERTSQUAD_KERNELS_CACHE", str(folder))
        patch.delenv(loading.SWITCH, raising=False)
        yield folder


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A process that has not tried to load any kernel, before the test and after it."""
    loading.outcome_of.cache_clear()
    loading.tell.cache_clear()
    yield monkeypatch
    loading.outcome_of.cache_clear()
    loading.tell.cache_clear()


@pytest.fixture(scope="session")
def needs() -> Callable[[Kernel], None]:
    """Skip a test, loudly, where the kernel cannot run: as SKIPPED with the kernel and the reason.

    A machine that has the instructions and a compiler must run it, and fails here if it cannot.
    """

    def need(kernel: Kernel) -> None:
        missing = [name for name in kernel.instructions if name not in loading.cpu_flags()]
        if missing:
            pytest.skip(f"{kernel.name}: this processor lacks {', '.join(missing)}")
        try:
            loading.load(kernel)
        except Unavailable as error:
            if "no C compiler" not in str(error):
                raise
            pytest.skip(f"{kernel.name}: {error}")

    return need


@pytest.fixture
def bf16_kernel(needs: Callable[[Kernel], None]) -> Kernel:
    needs(table.ATTENTION_BF16)
    return table.ATTENTION_BF16


@pytest.fixture
def empty_cache(tmp_path: Path, fresh: pytest.MonkeyPatch) -> Path:
    """A cache that holds nothing and is not there yet."""
    folder = tmp_path / "cache"
    fresh.setenv("BERTSQUAD_KERNELS_CACHE", str(folder))
    assert os.environ["BERTSQUAD_KERNELS_CACHE"] == str(folder)
    return folder
