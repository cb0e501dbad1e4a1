"""Checkpoints that are a folder as transformers writes it: one's own, or of a hub.

Nothing is said of it but where it is: sizes, epsilon, GELU and casing are its own files'.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsquad.artifacts.catalogue import Artifact
from bertsquad.artifacts.locations import FETCHED, HUB, SOURCE, hub_url, is_network
from bertsquad.checkpoint.given_folder import CONFIG, TOKENIZER, VOCABULARY, find_parts
from bertsquad.checkpoint.weight_files import INDEX, SINGLE

# Of each group a hub's model has one.
NEEDED = ((CONFIG,), (VOCABULARY, TOKENIZER), (SINGLE, INDEX))


def held(folder: Path) -> tuple[str, str] | None:
    """The hub's model and the revision whose files a folder holds, or part of them; None where
    nothing says so."""
    for name in (FETCHED, SOURCE):
        try:
            found = json.loads((folder / name).read_text(encoding="utf-8"))
            return str(found["hub"]), str(found["revision"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
    return None


@dataclass(frozen=True)
class ModelFolder:
    """One checkpoint that is a folder; `folder` or `hub` is given."""

    name: str
    folder: str | None = None  # seen from the working directory
    hub: str | None = None  # organisation/name
    revision: str = "main"
    address: str = HUB
    casing: str | None = None  # cased, uncased; None: as its files say
    strip_accents: bool | None = None
    license: str = "not given"
    citation: str = "not given"
    description: str = ""

    @property
    def path(self) -> str:
        """The folder; of a hub's model the one that it is fetched into, with its <pathvars>."""
        return self.folder if self.folder is not None else f"<resources>/hub/{self.name}"

    @property
    def is_mirrored(self) -> bool:
        """Whether it comes from a folder that mirrors a hub."""
        return self.hub is not None and not is_network(self.address)

    @property
    def inputs(self) -> list[str]:
        """The files that conversion depends on: all that are read, or the list of what was fetched.
        Raises `UserError` as `find_parts` does."""
        if self.folder is None:
            return [f"{self.path}/{FETCHED}"]
        return [str(path) for path in find_parts(self.folder).files]

    @property
    def fetched_from(self) -> list[tuple[str, str]]:
        """What decides its content, as options of fetch_model.py."""
        return [("hub", self.hub or ""), ("revision", self.revision)]

    @property
    def facts(self) -> dict[str, Any]:
        """What is known of it besides its files, for the report."""
        url = f"{self.address}/{self.hub}" if self.hub else f"file:{self.folder}"
        return {
            "url": url,
            "license": self.license,
            "citation": self.citation,
            "description": self.description,
        }

    def weights_bytes(self, path: Path) -> int | None:
        """About the bytes of its weights, which are in the folder `path`; None before they are."""
        sizes = [each.stat().st_size for each in path.glob("*.safetensors") if each.is_file()]
        return sum(sizes) or None

    def missing(self, path: Path, dropped: Path) -> list[Artifact]:
        """What must still come over the network: neither in its folder `path`, nor in the drop
        folder's folder `dropped`. Files of another model or revision do not count."""
        if self.hub is None or not is_network(self.address):
            return []
        known = held(path)
        is_ours = known is None or known == (self.hub, self.revision)
        if is_ours and (path / FETCHED).is_file():
            return []
        places = (path, dropped) if is_ours else (dropped,)
        return [
            self._artifact(group[0])
            for group in NEEDED
            if not any((place / name).is_file() for place in places for name in group)
        ]

    def _artifact(self, file: str) -> Artifact:
        url = hub_url(self.address, self.hub or "", self.revision, file)
        facts = (self.license, self.citation, self.description)
        return Artifact(f"{self.name}/{file}", (url,), None, None, None, *facts)
