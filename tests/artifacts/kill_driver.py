"""Kill a piece of work by SIGKILL at many of the lines it runs; each time, try again and compare.

    python tests/artifacts/kill_driver.py download FOLDER EVERY

SIGKILL leaves no chance to tidy up, so what a second try meets is what is on disk at that line.
A process of its own: it forks once for every kill, which a process with threads must not do.
Prints JSON: the number of kills, and how many second tries had bytes to continue.
"""

import json
import os
import random
import signal
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]

from bertsquad.artifacts.archive import extract_member  # noqa: E402
from bertsquad.artifacts.download import Request, download  # noqa: E402
from file_server import FileServer  # noqa: E402
from kill_at_line import counted_lines  # noqa: E402

WATCHED = str(ROOT / "scripts/bertsquad")
CONTENT = random.Random(0).randbytes(300_000)


def main() -> None:
    what, folder, every = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    output = folder / "out/output.zip"
    lock = folder / "lock.json"
    work = {"download": prepare_download, "unzip": prepare_unzip}[what](folder, output, lock)
    expected = (folder / "expected").read_bytes()
    lines = in_child(lambda: counting(work, None))
    kills = resumed = 0
    for line in range(1, lines + 1, every):
        for path in [lock, *output.parent.iterdir()]:
            path.unlink(missing_ok=True)
        assert in_child(lambda line=line: counting(work, line)) is None, f"not killed at {line}"
        kills += 1
        assert not output.exists() or output.read_bytes() == expected, f"half a file at {line}"
        part = output.with_name(f".{output.name}.part")
        resumed += part.exists() and part.stat().st_size > 0
        assert in_child(lambda: work() or 0) == 0, f"the second try failed after {line}"
        assert output.read_bytes() == expected, f"other bytes after {line}"
        left = [path.name for path in output.parent.iterdir() if path.name != output.name]
        assert all(name.endswith(".part.json.part") for name in left), f"{left} left after {line}"
    print(json.dumps({"kills": kills, "resumed": resumed}))


def prepare_download(folder: Path, output: Path, lock: Path) -> Callable[[], None]:
    """An unpinned zip over HTTP: part, sidecar, lock and output are all written."""
    archive(folder / "expected")
    server = FileServer()
    server.serve("/a", (folder / "expected").read_bytes())
    in_background(server.server.serve_forever)
    os.environ["NO_PROXY"] = "127.0.0.1"
    output.parent.mkdir()
    return lambda: download(Request((f"{server.url}/a",), output, lock=lock))


def prepare_unzip(folder: Path, output: Path, _lock: Path) -> Callable[[], None]:
    (folder / "expected").write_bytes(CONTENT)
    archive(folder / "a.zip")
    output.parent.mkdir()
    return lambda: extract_member(folder / "a.zip", "weights", output) and None


def archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("weights", CONTENT)


def in_background(work: Callable[[], object]) -> None:
    """Run in a child that ends with this process."""
    parent = os.getpid()
    if os.fork() == 0:
        import threading
        import time

        threading.Thread(target=work, daemon=True).start()
        while os.getppid() == parent:
            time.sleep(0.05)
        os._exit(0)


def in_child(work: Callable[[], int]) -> int | None:
    """What `work()` returns in a fork of this process; None when SIGKILL ended it."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            os.write(writer, str(work()).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return None
    return int(answer or -1)


def counting(work: Callable[[], object], fatal: int | None) -> int:
    """Run `work()`, count the lines of our library it runs, die before the `fatal`-th."""
    with counted_lines(WATCHED, fatal) as lines:
        work()
    return lines[0]


if __name__ == "__main__":
    main()
