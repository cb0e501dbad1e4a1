"""A model's folder from a hub that serves files by organisation, name and revision."""

from dataclasses import dataclass
from pathlib import Path

from bertsquad.artifacts.download import Missing, Request, download
from bertsquad.artifacts.locations import FETCHED, SOURCE, hub_url, is_network
from bertsquad.artifacts.model_folders import NEEDED, held
from bertsquad.checkpoint.given_folder import CONFIG, TOKENIZER, TOKENIZER_CONFIG, VOCABULARY
from bertsquad.checkpoint.weight_files import INDEX, SINGLE, shard_of_tensors
from bertsquad.console.errors import LongUserError, UserError
from bertsquad.files import read_json, sha256, write_json


@dataclass(frozen=True)
class HubModel:
    """One revision of a model on a hub, and how to get it."""

    hub: str  # organisation/name
    revision: str
    address: str  # of the hub: https://..., or file:///folder of a mirror
    lock: Path | None = None
    drop_folder: Path | None = None  # its files, by their own names
    offline: bool = False
    retries: int = 3
    backoff_s: float = 1.0

    def url(self, name: str) -> str:
        """The address of a file."""
        return hub_url(self.address, self.hub, self.revision, name)

    def request(self, name: str, folder: Path) -> Request:
        return Request(
            urls=(self.url(name),),
            output=folder / name,
            lock=self.lock,
            locked_as=f"{self.hub}@{self.revision}/{name}",
            drop_folder=self.drop_folder,
            offline=self.offline,
            retries=self.retries,
            backoff_s=self.backoff_s,
        )


def fetch(model: HubModel, folder: Path) -> list[Path]:
    """Bring the files that conversion reads into `folder`; the last one written is FETCHED.

    config.json; vocab.txt, or tokenizer.json where there is none; tokenizer_config.json where there
    is one, and where that does not say the casing a tokenizer.json that may; model.safetensors, or
    the index and the files that it names. What a killed call has fetched stays and is continued.
    `UserError` as `download` raises, and for a model without weights in safetensors or without a
    vocabulary. Offline what is there counts as the model's, but not where FETCHED or SOURCE says
    that it is another's, and the drop folder does not have all: that is a `UserError`, too.
    """
    if model.offline and is_network(model.address):
        _refuse_another(model, folder)
    folder.mkdir(parents=True, exist_ok=True)
    source = {"hub": model.hub, "revision": model.revision, "address": model.address}
    write_json(folder / SOURCE, source)
    (folder / FETCHED).unlink(missing_ok=True)
    config = _get_config(model, folder)
    vocabulary = _get_first(model, (VOCABULARY, TOKENIZER), folder, "vocabulary")
    settings = _get_if_there(model, TOKENIZER_CONFIG, folder)
    beside = [settings] if settings else []
    if vocabulary.name == VOCABULARY and not _says_casing(settings):
        other = _get_if_there(model, TOKENIZER, folder)
        beside += [other] if other else []
    weights = _get_first(model, (SINGLE, INDEX), folder, "weights in safetensors")
    shards = []
    if weights.name == INDEX:
        names = sorted({path.name for path in shard_of_tensors(weights).values()})
        shards = [_get(model, name, folder) for name in names]
    files = [config, vocabulary, *beside, weights, *shards]
    facts = {path.name: {"sha256": sha256(path), "bytes": path.stat().st_size} for path in files}
    for path in folder.iterdir():  # what an earlier revision had: the folder holds this one alone
        if path.is_file() and path not in files and not path.name.startswith("."):
            path.unlink()
    write_json(folder / FETCHED, source | {"files": facts})
    return files


def _says_casing(settings: Path | None) -> bool:
    """Whether this tokenizer_config.json says how texts are read (data.casing)."""
    found = read_json(settings) if settings else None
    return isinstance(found, dict) and isinstance(found.get("do_lower_case"), bool)


def _refuse_another(model: HubModel, folder: Path) -> None:
    """`UserError` where the folder holds another model, or another revision; what it holds goes
    where the drop folder has all that takes its place."""
    known = held(folder)
    if known is None or known == (model.hub, model.revision):
        return
    drop = model.drop_folder
    if drop and all(any((drop / name).is_file() for name in group) for group in NEEDED):
        for path in folder.iterdir():
            if path.is_file():
                path.unlink()
        return
    where = drop or "another folder, named by --drop-folder"
    raise UserError(
        f"{folder}: holds {known[0]} at {known[1]}, and offline nothing else can be fetched; put "
        f"the files of {model.hub} at {model.revision} into {where}, or go online"
    )


def _get_config(model: HubModel, folder: Path) -> Path:
    try:
        return _get(model, CONFIG, folder)
    except UserError as error:
        if "HTTP 401" in str(error) or "HTTP 403" in str(error):
            raise LongUserError(
                f"{model.hub}: {model.address} refuses it: the name is misspelt, or the model is "
                f"private or gated; get its files by hand and use them as a folder ({error})"
            ) from None
        raise


def _get(model: HubModel, name: str, folder: Path) -> Path:
    download(model.request(name, folder))
    return folder / name


def _get_if_there(model: HubModel, name: str, folder: Path) -> Path | None:
    """The file, or None where the hub has none; offline, where nobody put it anywhere."""
    if model.offline and is_network(model.address):
        dropped = model.drop_folder / name if model.drop_folder else None
        if not (folder / name).is_file() and not (dropped and dropped.is_file()):
            return None
    try:
        return _get(model, name, folder)
    except Missing:
        return None


def _get_first(model: HubModel, names: tuple[str, ...], folder: Path, what: str) -> Path:
    """The first of these files that there is."""
    for name in names:
        found = _get_if_there(model, name, folder)
        if found:
            return found
    if model.offline and is_network(model.address):
        raise LongUserError(
            f"{model.hub}: offline, and its {what} are not here; put {' or '.join(names)} into "
            f"{(model.drop_folder or folder).absolute()} (from {model.url(names[0])})"
        )
    raise UserError(
        f"{model.hub}, revision {model.revision}: no {' and no '.join(names)} at {model.address}; "
        f"expected a model with its {what}"
    )
