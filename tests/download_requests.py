"""What the tests of downloads ask for, and what they find beside it."""

import hashlib
from pathlib import Path

from bertsquad.artifacts.download import Request

CONTENT = bytes(range(256)) * 1200  # 307,200 bytes: several network chunks
SHA256 = hashlib.sha256(CONTENT).hexdigest()
OTHER = b"other bytes " * 1000
NOWHERE = "http://127.0.0.1:1/a.bin"


def request(output: Path, *urls: str, **known: object) -> Request:
    known = {"sha256": SHA256, "backoff_s": 0.001, "drop_folder": output.parent / "drop"} | known
    return Request(urls=urls, output=output, **known)


def leftovers(folder: Path) -> list[str]:
    """Hidden files beside the outputs, except the lock's guard."""
    return sorted(p.name for p in folder.iterdir() if p.name[0] == "." and "guard" not in p.name)
