"""A server on this machine, reached past any proxy."""

from collections.abc import Iterator

import pytest

from file_server import FileServer, running


@pytest.fixture(scope="module")
def server() -> Iterator[FileServer]:
    with running() as server:
        yield server


@pytest.fixture
def direct_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
