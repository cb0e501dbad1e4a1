"""The catalogue: what can be downloaded, and the checkpoints and datasets made of it.

The Snakefile reads it, so it imports nothing heavy.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from bertsquad.artifacts.locations import file_path, is_network, made_here
from bertsquad.console.errors import UserError
from bertsquad.console.quantities import readable_bytes
from bertsquad.console.suggestions import did_you_mean
from bertsquad.schema import check

if TYPE_CHECKING:
    from bertsquad.artifacts.model_folders import ModelFolder

# Of files that rules read or make.
NO_BRACES = "expected a name without braces, which Snakemake reads as wildcards; rename it"
_SECTIONS = ("artifacts", "checkpoints", "datasets")
Entry = TypeVar("Entry")

# An archive stays as downloaded, unpacked (weights hardly compress) and converted.
_STORED_PER_ARCHIVE = 3


@dataclass(frozen=True)
class Artifact:
    """One file to download."""

    name: str  # also the file's name
    urls: tuple[str, ...]  # mirrors, best first
    size: int | None  # exact bytes
    approximate_size: int | None  # bytes, for planning only
    sha256: str | None  # 64 lower-case hex digits
    license: str
    citation: str
    description: str

    @property
    def is_archive(self) -> bool:
        """Is it a zip whose members are unpacked?"""
        return self.name.endswith(".zip")

    @property
    def made_here(self) -> tuple[Path, ...]:
        """The files of the workflow's own that it is a copy of: inputs of its download."""
        return tuple(file_path(url) for url in self.urls if made_here(url))


@dataclass(frozen=True)
class Source:
    """A file: an artifact, or members of an artifact that is a zip archive."""

    artifact: str
    member: str | None  # the member, or the prefix of a TensorFlow checkpoint; None: no archive
    members: tuple[str, ...]  # what to unpack; empty: the artifact itself


@dataclass(frozen=True)
class Checkpoint:
    """One pretrained model."""

    name: str
    origin: str  # google, intel, huggingface
    weights: Source
    config: Source
    vocab: Source
    layer_norm_eps: float | None  # None: from its config.json
    gelu: str | None  # erf, tanh; None: from its config.json
    description: str
    casing: str | None = None  # cased, uncased; None: as its files say or suggest
    strip_accents: bool | None = None  # None: where texts are lower-cased

    @property
    def artifacts(self) -> tuple[str, ...]:
        """What must be downloaded for it, each once."""
        sources = (self.weights, self.config, self.vocab)
        return tuple(dict.fromkeys(source.artifact for source in sources))


@dataclass(frozen=True)
class Selection:
    """What is kept of a dataset."""

    train_questions: int
    dev_questions: int
    longest_context: int  # in characters

    def options(self, split: str) -> list[tuple[str, int]]:
        """The options of select_questions.py for the `train` or `dev` split."""
        return [
            ("questions", getattr(self, f"{split}_questions")),
            ("longest_context", self.longest_context),
        ]


@dataclass(frozen=True)
class DatasetEntry:
    """One question set: names of artifacts."""

    name: str
    train: str | None  # None: nothing can be trained on it
    dev: str
    evaluator: str | None  # the official scoring script
    description: str
    selection: Selection | None = None  # None: all questions
    version_2_with_negative: bool = False  # a question may have no answer

    @property
    def artifacts(self) -> tuple[str, ...]:
        """What must be downloaded for it."""
        return tuple(name for name in (self.train, self.dev, self.evaluator) if name)


@dataclass(frozen=True)
class Plan:
    """What a run still has to bring over the network."""

    missing: tuple[Artifact, ...]

    @property
    def known_bytes(self) -> int:
        """Bytes of the missing artifacts whose size is known, exactly or about."""
        return sum(known_size(artifact) or 0 for artifact in self.missing)

    @property
    def is_exact(self) -> bool:
        """Is `known_bytes` exact for all it counts?"""
        return all(artifact.size is not None for artifact in self.missing if known_size(artifact))

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names of the missing artifacts of which no size is known."""
        return tuple(artifact.name for artifact in self.missing if known_size(artifact) is None)

    @property
    def stored_bytes(self) -> int:
        """About how much disk they take in the end, unpacked and converted."""
        return sum(
            (known_size(artifact) or 0) * (_STORED_PER_ARCHIVE if artifact.is_archive else 1)
            for artifact in self.missing
        )

    def describe(self) -> str:
        """One line for the user, e.g. `3 files to download and store, 35.1 MB: ...`."""
        if not self.missing:
            return "nothing to download"
        count = len(self.missing)
        about = "" if self.is_exact else "about "
        total = f", {about}{readable_bytes(self.known_bytes)}" if self.known_bytes else ""
        unknown = f" and {len(self.unknown)} of unknown size" if self.unknown else ""
        each = ", ".join(self._each(artifact) for artifact in self.missing)
        if self.stored_bytes > self.known_bytes:
            stored = readable_bytes(self.stored_bytes)
            unknown += f" (about {stored} on disk once unpacked and converted)"
        files = "file" if count == 1 else "files"
        return f"{count} {files} to download and store{total}{unknown}: {each}"

    def to_bring(self, drop_folder: Path) -> str:
        """Offline: what to put into the drop folder, a line for each file."""
        each = "".join(
            f"\n- {artifact.name} from {artifact.urls[0]}"
            + (f" (sha256 {artifact.sha256})" if artifact.sha256 else "")
            for artifact in self.missing
        )
        return (
            f"offline, and {len(self.missing)} of the files needed are not here; "
            f"put into {drop_folder.absolute()}:{each}"
        )

    @staticmethod
    def _each(artifact: Artifact) -> str:
        size = known_size(artifact)
        if size is None:
            return f"{artifact.name} (size unknown)"
        return f"{artifact.name} ({'' if artifact.size else 'about '}{readable_bytes(size)})"


@dataclass(frozen=True)
class Catalogue:
    """Everything `config/artifacts.yaml` names, with a config's changes merged in."""

    artifacts: dict[str, Artifact]
    checkpoints: dict[str, Checkpoint]
    datasets: dict[str, DatasetEntry]
    folders: dict[str, "ModelFolder"] = field(default_factory=dict)  # checkpoints, too

    @property
    def checkpoint_names(self) -> list[str]:
        """Of checkpoints of either kind."""
        return [*self.checkpoints, *self.folders]

    def artifact(self, name: str) -> Artifact:
        """The artifact of this name; `UserError` with near names when there is none."""
        return known(name, self.artifacts, "artifact")

    def checkpoint(self, name: str) -> Checkpoint:
        """The checkpoint of this name; `UserError` with near names when there is none."""
        return known(name, self.checkpoints, "checkpoint")

    def dataset(self, name: str) -> DatasetEntry:
        """The dataset of this name; `UserError` with near names when there is none."""
        return known(name, self.datasets, "dataset")

    def bytes_to_download(
        self, names: Iterable[str], downloads: Path, drop_folder: Path | None = None
    ) -> Plan:
        """What of these artifacts must come over the network, each counted once.

        Neither what lies in `downloads` or `drop_folder` already, nor what has a `file:` address.
        """
        places = [downloads, *([drop_folder] if drop_folder else [])]
        return Plan(
            tuple(
                artifact
                for artifact in map(self.artifact, dict.fromkeys(names))
                if all(map(is_network, artifact.urls))
                and not any((place / artifact.name).is_file() for place in places)
            )
        )


def load_catalogue(
    path: str | Path, overrides: Mapping[str, Any] | None = None, *, source: str = "config"
) -> Catalogue:
    """The catalogue in `path` with `overrides` (the same three sections) merged in by name.

    Mappings are merged key by key, anything else replaces what was there. Checked against
    `schemas/artifacts.schema.yaml` beside `path`. `source` names where the overrides come from.
    Raises `UserError`, which names the key, for what the schema forbids and for references to
    artifacts that are not there.
    """
    path = Path(path)
    schema = _read_yaml(path.parent / "schemas/artifacts.schema.yaml")
    data = _read_yaml(path)
    check(data, schema, str(path))
    if overrides:
        for section in overrides:
            if section not in _SECTIONS:
                hint = did_you_mean(str(section), _SECTIONS)
                raise UserError(f"{source}: artifacts.{section}: unknown key; {hint}")
        _refuse_shipped_names(data["checkpoints"], overrides.get("checkpoints") or {}, source)
        data, path = merged(data, overrides), Path(source)
        check(data, schema, source)
    catalogue = _to_catalogue(data)
    _check_references(catalogue, str(path))
    return catalogue


def _to_catalogue(data: dict[str, Any]) -> Catalogue:
    """The catalogue from what the schema admits."""
    from bertsquad.artifacts.model_folders import ModelFolder

    entries = data["checkpoints"]
    folders = {name for name, entry in entries.items() if "folder" in entry or "hub" in entry}
    return Catalogue(
        {name: _to_artifact(name, entry) for name, entry in data["artifacts"].items()},
        {name: _to_checkpoint(name, entries[name]) for name in entries if name not in folders},
        {name: _to_dataset(name, entry) for name, entry in data["datasets"].items()},
        {name: ModelFolder(name, **entries[name]) for name in entries if name in folders},
    )


def _read_yaml(path: Path) -> Any:
    """The content of a YAML file; `UserError` when it is missing or malformed."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML: {error}") from None


def _refuse_shipped_names(
    shipped: Mapping[str, Any], changes: Mapping[str, Any], source: str
) -> None:
    """`UserError` for a folder or a hub's model by the name of a shipped checkpoint, whose keys
    would be mixed with its own."""
    for name, entry in changes.items():
        if name in shipped and isinstance(entry, Mapping) and {"folder", "hub"} & entry.keys():
            raise UserError(
                f"{source}: {name} is the name of a checkpoint of artifacts.yaml; give the folder "
                "or hub's model another one, by the key name"
            )


def merged(base: Any, changes: Any) -> Any:
    """`base` with `changes` laid over it: mappings key by key at all depths, the rest replaced."""
    if not isinstance(base, Mapping) or not isinstance(changes, Mapping):
        return changes
    return {
        key: merged(base.get(key), changes[key]) if key in changes else base[key]
        for key in [*base, *(key for key in changes if key not in base)]
    }


def _to_artifact(name: str, entry: dict[str, Any]) -> Artifact:
    """An artifact from its entry, as the schema admits it."""
    optional = dict.fromkeys(("size", "approximate_size", "sha256"))
    optional |= dict.fromkeys(("license", "citation"), "not given") | {"description": ""}
    return Artifact(name, **optional | entry | {"urls": tuple(entry["urls"])})


def _to_checkpoint(name: str, entry: dict[str, Any]) -> Checkpoint:
    """A checkpoint from its entry, as the schema admits it."""
    sources = {part: _to_source(entry[part]) for part in ("weights", "config", "vocab")}
    optional = {"layer_norm_eps": None, "gelu": None, "description": ""}
    return Checkpoint(name, **optional | entry | sources)


def _to_dataset(name: str, entry: dict[str, Any]) -> DatasetEntry:
    """A dataset from its entry, as the schema admits it."""
    selection = entry.get("selection")
    given = {"train": None, "evaluator": None, "description": ""} | entry
    return DatasetEntry(name, **given | {"selection": selection and Selection(**selection)})


def _to_source(entry: dict[str, Any]) -> Source:
    """Where a file comes from, from its entry."""
    member = entry.get("member")
    members = entry.get("files") or ([member] if member else [])
    return Source(entry["artifact"], member, tuple(members))


def _check_references(catalogue: Catalogue, source: str) -> None:
    """`UserError` for artifacts that are named but not there, addresses that mean nothing, and
    members of what is no archive."""
    for artifact in catalogue.artifacts.values():
        for url in artifact.urls:
            try:
                if not is_network(url):
                    file_path(url)
                if made_here(url) and {"{", "}"} & set(str(file_path(url))):
                    raise UserError(f"found {url!r}, {NO_BRACES}")
            except UserError as error:
                raise UserError(f"{source}: artifacts.{artifact.name}.urls: {error}") from None
    for checkpoint in catalogue.checkpoints.values():
        for part in ("weights", "config", "vocab"):
            place = f"{source}: checkpoints.{checkpoint.name}.{part}"
            _check_source(getattr(checkpoint, part), catalogue, place)
    for dataset in catalogue.datasets.values():
        for part in ("train", "dev", "evaluator"):
            name = getattr(dataset, part)
            if name is not None:
                place = f"{source}: datasets.{dataset.name}.{part}"
                known(name, catalogue.artifacts, "artifact", place)


def _check_source(file: Source, catalogue: Catalogue, place: str) -> None:
    """`UserError` when the file of a checkpoint is not an artifact or a member of one."""
    known(file.artifact, catalogue.artifacts, "artifact", place)
    is_archive = catalogue.artifacts[file.artifact].is_archive
    if is_archive and not file.members:
        raise UserError(f"{place}: {file.artifact} is an archive: name the member that is meant")
    if file.members and not is_archive:
        raise UserError(
            f"{place}: {file.artifact} is no .zip archive and has no member {file.members[0]!r}"
        )
    for member in file.members:
        if not member.isprintable() or {"", ".", ".."} & set(member.split("/")):
            raise UserError(
                f"{place}: found the member {member!r}, expected a path inside the archive: "
                "folders and a file, joined by '/', without '..'"
            )
        if {"{", "}"} & set(member):
            raise UserError(f"{place}: found the member {member!r}, {NO_BRACES}")
        if file.member is not None and not member.startswith(file.member):
            raise UserError(
                f"{place}: {member!r} does not start with the checkpoint's prefix {file.member!r}"
            )


def known(name: str, entries: Mapping[str, Entry], kind: str, place: str = "") -> Entry:
    """The entry of this name, or a `UserError` with near names."""
    if name not in entries:
        hint = did_you_mean(str(name), entries)
        raise UserError(f"{place}{': ' if place else ''}unknown {kind} {name!r}; {hint}")
    return entries[name]


def known_size(artifact: Artifact) -> int | None:
    """The exact size, else about how much, else None."""
    return artifact.size if artifact.size is not None else artifact.approximate_size
