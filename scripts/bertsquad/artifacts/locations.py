"""Where an artifact comes from: `http(s)://` and the two kinds of `file:` addresses.

`file:///data/x.zip` is a file of the user's. `file:results/x.zip` has no leading slash: it is
relative to the working directory and names a file that the workflow itself makes, which may change
from run to run. RFC 8089 knows only the first; the second is ours.
"""

from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit

from bertsquad.console.errors import UserError

HUB = "https://huggingface.co"
SOURCE = (
    ".source.json"  # beside them, written first: a workflow removes the other before it fetches
)
FETCHED = "fetched.json"  # beside a hub's files, written last: what was fetched, from where


def is_network(url: str) -> bool:
    """True for an address that needs the network. `UserError` for what is no address."""
    return _parts(url).scheme in ("http", "https")


def file_path(url: str) -> Path:
    """The path a `file:` address means (relative ones stay relative). `UserError` for others."""
    parts = _parts(url)
    if parts.scheme != "file":
        raise UserError(f"{url}: not an address of the kind http://, https:// or file:")
    if parts.netloc not in ("", "localhost"):
        raise UserError(
            f"{url}: means a machine named {parts.netloc!r}; write file:///absolute/path, or "
            "file:relative/path without slashes after the colon"
        )
    if parts.query or parts.fragment or not parts.path:
        raise UserError(f"{url}: not a file: address; write ? as %3F and # as %23 in file names")
    return Path(unquote(parts.path))


def made_here(url: str) -> bool:
    """True for a relative `file:` address: a file the workflow makes."""
    return _parts(url).scheme == "file" and not file_path(url).is_absolute()


def hub_url(address: str, hub: str, revision: str, name: str) -> str:
    """The address of a file of the model `hub`, organisation/name, at a hub's `address`: as
    Hugging Face's, `<address>/<organisation>/<name>/resolve/<revision>/<file>`."""
    return f"{address.rstrip('/')}/{quote(hub)}/resolve/{quote(revision, safe='')}/{quote(name)}"


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # urlsplit reads it late
        return parts
    except ValueError as error:
        raise UserError(f"{url}: not an address that can be read: {error}") from None
