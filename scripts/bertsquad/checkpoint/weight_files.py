"""Which files hold the weights of a folder of transformers': one, or several that an index names.

Format of the index: transformers, `save_pretrained`: model.safetensors.index.json, whose
`weight_map` says for each tensor which file beside the index holds it.
"""

import os
import re
from pathlib import Path

from bertsquad.console.errors import UserError
from bertsquad.files import read_json

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
_INDEX_SUFFIX = ".index.json"
# A name beside the index. With a folder in it, the index could point at any file of the machine;
# file systems have names of 255 bytes at most.
_SHARD = re.compile(r"[\w .()+@=,-]{1,200}\.safetensors", re.ASCII)
_PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json")


def find_weights(path: str | os.PathLike[str]) -> Path:
    """The weights that `path` means: itself, or where it is a folder the one file in it, else its
    index, as transformers looks for them. `UserError` for a folder that has neither."""
    path = Path(path)
    if not path.is_dir():
        return path
    for name in (SINGLE, INDEX):
        if (path / name).is_file():
            return path / name
    pickled = next((name for name in _PICKLED if (path / name).exists()), None)
    found = f"; {pickled} is pickled, and loading it can run code" if pickled else ""
    advice = "; let transformers save it once more, as safetensors" if pickled else ""
    raise UserError(
        f"{path}: neither {SINGLE} nor {INDEX} in it{found}; expected one of the two{advice}"
    )


def is_index(path: str | os.PathLike[str]) -> bool:
    """Whether this file's name is that of an index."""
    return os.fspath(path).endswith(_INDEX_SUFFIX)


def shard_of_tensors(index: str | os.PathLike[str]) -> dict[str, Path]:
    """The file of each tensor, as an index says; files need not be there. `UserError` for an index
    that cannot be read or names a file that is not beside it."""
    index = Path(index)
    content = read_json(index)
    mapped = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(mapped, dict) or not mapped:
        raise UserError(f"{index}: no weight_map; expected the file's name for each tensor")
    for tensor, name in mapped.items():
        if not isinstance(name, str) or not _SHARD.fullmatch(name):
            raise UserError(
                f"{index}: tensor {tensor} is in {name!r}; expected the name of a .safetensors "
                "file beside the index"
            )
    return {tensor: index.with_name(name) for tensor, name in mapped.items()}


def files_of(weights: str | os.PathLike[str]) -> list[Path]:
    """All files that weights consist of: a safetensors file, or an index and the files it names."""
    path = find_weights(weights)
    if not is_index(path):
        return [path]
    return [path, *sorted(set(shard_of_tensors(path).values()))]
