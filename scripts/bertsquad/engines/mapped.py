"""Files of weights as mapped memory, which an engine packs into arrays of its own."""

from __future__ import annotations

import mmap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_RELEASE_EVERY_S = 0.05


def map_file(path: Path) -> mmap.mmap:
    """The file, mapped and not read. Private and writable, as engines ask of memory that they
    share; nothing is written to it."""
    with path.open("rb") as opened:
        return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY)


@contextmanager
def released(mapped: mmap.mmap) -> Iterator[None]:
    """Give the file's pages back while an engine packs them.

    They stay in the system's cache and come back where they are read again; kept, a process would
    hold its weights twice.
    """
    done = threading.Event()

    def release() -> None:
        while not done.wait(_RELEASE_EVERY_S):
            mapped.madvise(mmap.MADV_DONTNEED)

    thread = threading.Thread(target=release, name="release weights")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        mapped.madvise(mmap.MADV_DONTNEED)
