"""Get one artifact, from a drop folder or from its mirrors: verified and whole, or not at all."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import requests

from bertsquad.artifacts.locations import file_path, is_network, made_here
from bertsquad.artifacts.lock import locked_sha256, record
from bertsquad.artifacts.part import PartialFile
from bertsquad.artifacts.transfer import NotThere, Refused, Transient, copy_file, fetch_http
from bertsquad.artifacts.verify import Expected, Unfit, verify
from bertsquad.console.errors import LongUserError, UserError
from bertsquad.console.progress import say
from bertsquad.console.quantities import readable_bytes

_LONGEST_BACKOFF_S = 60.0


class Missing(LongUserError):
    """No address has the file, and each is sure of it."""


@dataclass(frozen=True)
class Request:
    """One artifact to get."""

    urls: tuple[str, ...]  # mirrors, best first
    output: Path  # its name is the artifact's
    sha256: str | None = None
    size: int | None = None  # bytes
    lock: Path | None = None  # remembers the checksums of artifacts without one
    locked_as: str | None = None  # the name in the lock; by default the artifact's
    drop_folder: Path | None = None  # files a person put there are used before any address
    offline: bool = False
    retries: int = 3  # attempts after the first, per address, without any progress
    backoff_s: float = 1.0  # before the first retry; doubles each time

    @property
    def name(self) -> str:
        """The artifact's name."""
        return self.output.name

    @property
    def lock_name(self) -> str:
        """What the lock calls it."""
        return self.locked_as or self.name

    @property
    def changes(self) -> bool:
        """Made by the workflow itself: other bytes are expected, so nothing is locked."""
        return any(made_here(url) for url in self.urls)


def download(request: Request) -> None:
    """Make `request.output` the verified artifact.

    Tries, in this order: what is already there, the drop folder, each address. `UserError` when
    none has it (`Missing` where all are sure that there is none), when what they have is not what
    was expected, or when the disk is too full. Partial bytes stay beside the output and are
    continued by the next call; wrong ones are dropped.
    """
    for url in request.urls:
        if not is_network(url):
            file_path(url)
    expected = _expectation(request)
    if _already_there(request, expected):
        return
    with PartialFile(request.output) as part:
        dropped = request.drop_folder / request.name if request.drop_folder else None
        if dropped and dropped.is_file() and not _same_file(dropped, request.output):
            _take_dropped(request, expected, part, dropped)
        else:
            _take_first_good(request, expected, part)


def _expectation(request: Request) -> Expected:
    """What is known of the artifact: from the request, else from the lock file."""
    expected = Expected(request.name, request.size, request.sha256, "as configured")
    if request.sha256 or request.lock is None or request.changes:
        return expected
    locked = locked_sha256(request.lock, request.lock_name)
    hint = f"{request.lock}, from the first download; if the file rightly changed, remove its entry"
    return replace(expected, sha256=locked, known_from=hint)


def _already_there(request: Request, expected: Expected) -> bool:
    """Is the output there and good? Without a checksum only offline mode takes it on trust."""
    if not request.output.is_file() or request.changes:
        return False
    if expected.sha256 is None and not request.offline:
        return False
    try:
        digest = verify(request.output, "", expected)
    except Unfit as error:
        say(f"{request.output}: {error}; getting it again")
        return False
    _remember(request, expected, digest, request.output.stat().st_size, "a file that was there")
    PartialFile(request.output).tidy()
    say(f"{request.output}: already there, sha256 {digest}")
    return True


def _take_dropped(request: Request, expected: Expected, part: PartialFile, dropped: Path) -> None:
    """Verify and copy what a person put into the drop folder."""
    try:
        copy_file(dropped.absolute().as_uri(), part, expected)
        digest = verify(part.path, "", expected)
    except Unfit as error:
        part.restart(None)
        raise UserError(
            f"{dropped}: {error}; replace the file by the right one, or remove it"
        ) from None
    _finish(request, expected, part, digest, f"the drop folder ({dropped})")


def _take_first_good(request: Request, expected: Expected, part: PartialFile) -> None:
    """Try the addresses in order until one gives the artifact."""
    failures, refusals = [], []
    for url in request.urls:
        if request.offline and is_network(url):
            continue
        try:
            digest = attempt(url, request, expected, part)
        except (Refused, Unfit) as error:
            failures.append(f"{url}: {error}")
            refusals.append(error)
            say(f"{request.name}: {failures[-1]}")
        else:
            _finish(request, expected, part, digest, url)
            return
    if request.offline and any(is_network(url) for url in request.urls):
        raise LongUserError(_what_to_put_where(request, expected))
    advice = "check the address and the network, or put the file into the drop folder"
    if request.drop_folder:
        advice = f"check the address and the network, or put the file at {_goal(request)} yourself"
    kind = Missing if all(isinstance(each, NotThere) for each in refusals) else LongUserError
    raise kind(f"{request.output}: could not be downloaded: {'; '.join(failures)}; {advice}")


def attempt(url: str, request: Request, expected: Expected, part: PartialFile) -> str:
    """The SHA-256 of the artifact, which is then whole in `part`. `Refused` or `Unfit` otherwise.

    Wrong bytes that were put together from several transfers are fetched once more in one piece.
    """
    for last in (False, True):
        _transfer(url, request, expected, part)
        try:
            return verify(part.path, url, expected)
        except Unfit as error:
            whole = not part.continued
            part.restart(None)
            if whole or last:
                raise
            say(f"{request.name}: {error}; it was put together from several transfers: once more")
    raise AssertionError("not reached")


def _transfer(url: str, request: Request, expected: Expected, part: PartialFile) -> None:
    """Complete `part` from one address, retrying while there is hope."""
    if not is_network(url):
        copy_file(url, part, expected)
        return
    furthest, failures = part.size, 0
    with requests.Session() as session:
        while True:
            try:
                fetch_http(session, url, part, expected)
            except Transient as error:
                if part.size > furthest:
                    furthest, failures = part.size, 0
                failures += 1
                if failures > request.retries:
                    tries = f"{failures} tries" if failures > 1 else "1 try"
                    raise Refused(f"{error} ({tries})") from error
                backoff_s = min(request.backoff_s * 2 ** (failures - 1), _LONGEST_BACKOFF_S)
                wait_s = max(backoff_s, error.wait_s)
                say(f"{request.name}: {error}; trying again in {wait_s:g} s")
                time.sleep(wait_s)
            else:
                return


def _finish(
    request: Request, expected: Expected, part: PartialFile, digest: str, origin: str
) -> None:
    """Lock first, publish second: what has been published has been locked."""
    size = part.size
    _remember(request, expected, digest, size, origin)
    part.publish()
    say(f"{request.output}: {readable_bytes(size)} from {origin}, sha256 {digest}")


def _remember(request: Request, expected: Expected, digest: str, size: int, origin: str) -> None:
    """Record the checksum of an artifact that had none."""
    if expected.sha256 is None and request.lock is not None and not request.changes:
        record(request.lock, request.lock_name, sha256=digest, size=size, url=origin)


def _goal(request: Request) -> Path:
    """Where a person should put the file."""
    folder = request.drop_folder or request.output.parent
    return (folder / request.name).absolute()


def _what_to_put_where(request: Request, expected: Expected) -> str:
    """Offline: which file is missing, where it belongs and where it can be had."""
    facts = [f"from {' or '.join(filter(is_network, request.urls))}"]
    if expected.size is not None:
        facts.append(f"{expected.size:,} bytes")
    facts.append(f"sha256 {expected.sha256}" if expected.sha256 else "sha256 not known yet")
    return (
        f"{request.name}: not here, and offline mode forbids fetching it; "
        f"put it at {_goal(request)} ({', '.join(facts)}) and run again"
    )


def _same_file(one: Path, other: Path) -> bool:
    return other.exists() and one.samefile(other)
