"""Fill rocrate-validator's cache with the contexts of tests/data: then it needs no network.

Run by the Python of .venv-validators: seed_contexts.py CACHE URL FILE [URL FILE ...]
"""

import io
import sys
from pathlib import Path

import requests
from requests_cache import CachedSession
from urllib3.response import HTTPResponse

JSON_LD = {"Content-Type": "application/ld+json"}


def seed(cache: str, pages: list[tuple[str, Path]]) -> None:
    """Keep each file as what its address answered, for ever."""
    session = CachedSession(cache_name=cache, backend="sqlite", expire_after=-1)
    for url, path in pages:
        body = path.read_bytes()
        answer = requests.Response()
        answer.status_code, answer.reason, answer.url = 200, "OK", url
        answer.headers.update(JSON_LD)
        answer.request = session.prepare_request(requests.Request("GET", url))
        answer.raw = HTTPResponse(
            io.BytesIO(body), JSON_LD, 200, preload_content=False, request_url=url
        )
        answer._content = body
        session.cache.save_response(answer)


if __name__ == "__main__":
    names = sys.argv[2:]
    seed(sys.argv[1], list(zip(names[::2], map(Path, names[1::2]), strict=True)))
