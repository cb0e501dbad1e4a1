"""Bring the bytes behind one address into a partial file: over HTTP, resuming, or from a file.

Resuming follows RFC 9110: `Range` asks for the rest, `If-Range` for the whole file should it have
changed meanwhile. A server that ignores either sends the whole file, which is then taken.
"""

import re
from collections.abc import Iterable, Iterator

import requests

from bertsquad.artifacts.locations import file_path
from bertsquad.artifacts.part import Origin, PartialFile
from bertsquad.artifacts.space import check_space
from bertsquad.artifacts.verify import Expected, Unfit, check_is_no_page, check_size
from bertsquad.console.progress import Progress

_TIMEOUT_S = (20.0, 60.0)  # to connect; between two pieces of the answer
_NETWORK_CHUNK = 64 * 1024  # small: what was received when a connection breaks is kept
_FILE_CHUNK = 4 * 1024 * 1024
_LONGEST_WAIT_S = 120.0  # whatever Retry-After asks for
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_NOT_THERE = frozenset({404, 410})
_DIGITS = re.compile("[0-9]{1,15}")
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15}|\*)")
# Real files shrink to a tenth; the most that a bomb of zeros can do is 1,032 (zlib, Technical
# Details).
_MOST_EXPANSION = 50
_EXPANDED_FREELY = 16 * 1024 * 1024  # bytes


class Transient(Exception):
    """This attempt failed; another one, later, may not. `wait_s`: what the server asked for."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class Refused(Exception):
    """This address will not give the file, however often it is asked."""


class NotThere(Refused):
    """There is no file at this address, and the server is sure of it."""


def copy_file(url: str, part: PartialFile, expected: Expected) -> None:
    """Fill the partial file from a `file:` address."""
    path = file_path(url)
    if not path.is_file():
        if path.is_dir():
            raise Refused("is a folder, expected a file")
        raise NotThere(f"no file at {path}")
    size = path.stat().st_size
    check_size(size, expected)
    part.restart(None)
    check_space(part.output, size)
    with path.open("rb") as source:
        _fill(part, iter(lambda: source.read(_FILE_CHUNK), b""), size, url, expected)


def fetch_http(session: requests.Session, url: str, part: PartialFile, expected: Expected) -> None:
    """One attempt to complete the partial file from an `http(s)` address.

    Continues what an earlier attempt left, if the server still has that version. Raises `Transient`
    or `Refused`, `Unfit` when the file is recognised as another one, and `UserError` when the disk
    is too full.
    """
    origin = part.origin()
    if origin is None or not _can_resume(part, origin, url, expected):
        origin = None
    elif origin.size == part.size:
        part.continued = True
        return  # complete: an earlier process was stopped before it could verify it
    try:
        with session.get(
            url, headers=_headers(part, origin), stream=True, timeout=_TIMEOUT_S
        ) as response:
            _receive(response, url, part, origin, expected)
    except (
        requests.exceptions.SSLError,
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidSchema,
        requests.exceptions.MissingSchema,
    ) as error:
        raise Refused(_plain_reason(error)) from error
    except requests.exceptions.TooManyRedirects as error:
        raise Refused("redirects without end") from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise Transient(f"the connection broke after {part.size:,} bytes") from error
    except requests.RequestException as error:
        raise Transient(_plain_reason(error)) from error
    except ValueError as error:  # an address or a header that no library can read
        raise Refused(f"the server's answer cannot be read: {_plain_reason(error)}") from error


def _can_resume(part: PartialFile, origin: Origin, url: str, expected: Expected) -> bool:
    """Only bytes of the same address, and of the same version as far as that can be known."""
    if part.size == 0 or origin.url != url:
        return False
    if origin.size is not None and part.size > origin.size:
        return False
    return origin.validator is not None or expected.sha256 is not None


def _headers(part: PartialFile, origin: Origin | None) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity"}  # compressed answers have no byte ranges
    if origin is not None:
        headers["Range"] = f"bytes={part.size}-"
        if origin.validator is not None:
            headers["If-Range"] = origin.validator
    return headers


def _receive(
    response: requests.Response,
    url: str,
    part: PartialFile,
    origin: Origin | None,
    expected: Expected,
) -> None:
    """Judge the answer, then write its body. `origin`: None unless a range was asked for."""
    if response.status_code == 416 and origin is not None:
        part.restart(None)
        raise Transient("the server has no such range any more: starting over")
    if response.status_code not in (200, 206):
        _refuse_status(response)
    check_is_no_page(b"", response.headers.get("Content-Type"), url, expected)
    offered = _offered(response, url)
    if offered.size is not None:
        check_size(offered.size, expected)
    elif not _tells_its_end(response) and expected.size is None and expected.sha256 is None:
        raise Refused(
            "the server does not say how long the file is, and neither size nor sha256 is known, "
            "so a part could not be told from the whole: give one of them"
        )
    if response.status_code == 200:
        part.restart(offered)
    elif _continues(response, part, origin, offered):
        part.continued = True
    else:
        part.restart(None)
        raise Transient("the file changed on the server meanwhile: starting over")
    total = offered.size if offered.size is not None else expected.size
    check_space(part.output, (total or 0) - part.size)
    _fill(part, _bounded(response, part), total, url, expected)
    if total is not None and part.size < total and not _tells_its_end(response):
        raise Transient(f"the connection ended after {part.size:,} of {total:,} bytes")


def _refuse_status(response: requests.Response) -> None:
    status = f"HTTP {response.status_code} {response.reason or ''}".strip()
    if response.status_code in _NOT_THERE:
        raise NotThere(status)
    if response.status_code not in _TRANSIENT:
        raise Refused(status)
    asked = response.headers.get("Retry-After", "")
    raise Transient(status, min(float(asked), _LONGEST_WAIT_S) if _DIGITS.fullmatch(asked) else 0.0)


def _offered(response: requests.Response, url: str) -> Origin:
    """The version of the file that the answer belongs to."""
    headers = response.headers
    if _is_encoded(response):
        # Lengths and validators are those of the compressed form, the bytes we get are not.
        return Origin(url, None, None, None)
    size = headers.get("Content-Length", "")
    if response.status_code == 206:
        match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
        size = match[3] if match else ""
    etag = headers.get("ETag")
    strong = etag if etag and not etag.startswith("W/") else None
    known = int(size) if _DIGITS.fullmatch(size) else None
    offered = Origin(url, known, strong, headers.get("Last-Modified"))
    return offered if offered.is_sound() else Origin(url, known, None, None)


def _continues(
    response: requests.Response, part: PartialFile, origin: Origin | None, offered: Origin
) -> bool:
    """Is this 206 the rest of exactly what we have?"""
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if origin is None or match is None or int(match[1]) != part.size or _is_encoded(response):
        return False
    pairs = [
        (origin.size, offered.size),
        (origin.etag, offered.etag),
        (origin.last_modified, offered.last_modified),
    ]
    return all(before is None or now is None or before == now for before, now in pairs)


def _bounded(response: requests.Response, part: PartialFile) -> Iterator[bytes]:
    """The body in pieces; `Unfit` where a compressed one grows without end."""
    taken = 0
    for chunk in response.iter_content(_NETWORK_CHUNK):
        taken += len(chunk)
        if _is_encoded(response) and taken > _EXPANDED_FREELY:
            received = response.raw.tell()  # compressed
            if taken > _MOST_EXPANSION * received:
                part.restart(None)
                raise Unfit(
                    f"found {taken:,} bytes in {received:,} compressed ones, expected at most "
                    f"{_MOST_EXPANSION} times as many"
                )
        yield chunk


def _is_encoded(response: requests.Response) -> bool:
    """Compressed although we asked for the bytes as they are; requests undoes it."""
    return response.headers.get("Content-Encoding", "identity").lower() != "identity"


def _tells_its_end(response: requests.Response) -> bool:
    """Whether the answer has a length, so that the HTTP library raises where it is cut."""
    chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
    return chunked or "Content-Length" in response.headers


def _fill(
    part: PartialFile, chunks: Iterable[bytes], total: int | None, url: str, expected: Expected
) -> None:
    with Progress(total, what=expected.name, unit="B", done=part.size) as progress:
        for chunk in chunks:
            if part.size == 0:
                check_is_no_page(chunk, None, url, expected)
            part.append(chunk)
            progress.update(len(chunk))
            if expected.size is not None and part.size > expected.size:
                part.restart(None)
                raise Unfit(f"found more than the {expected.size:,} bytes expected")


def _plain_reason(error: BaseException) -> str:
    """The innermost reason of a network error, without the objects it is wrapped in."""
    seen: set[int] = set()
    inner: BaseException = error
    while id(inner) not in seen:
        seen.add(id(inner))
        following = getattr(inner, "reason", None)
        if not isinstance(following, BaseException):
            following = next((arg for arg in inner.args if isinstance(arg, BaseException)), None)
        if following is None:
            following = inner.__cause__ or inner.__context__
        if following is None:
            break
        inner = following
    text = str(inner) or type(inner).__name__
    text = re.sub(r"<[^<>]*object at 0x[0-9a-f]+>:? ?", "", text)
    text = re.sub(r"^HTTPS?Connection(Pool)?\([^)]*\): ?", "", text)
    return " ".join(text.split()) or type(inner).__name__
