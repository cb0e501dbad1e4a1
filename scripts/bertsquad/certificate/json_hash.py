"""One number for a JSON value."""

import hashlib
import json
from typing import Any


def json_sha256(value: Any) -> str:
    """The SHA-256 of a JSON value: sorted keys, no spaces."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
