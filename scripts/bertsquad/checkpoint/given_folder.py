"""What a model's folder holds, as transformers' `save_pretrained` writes it."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from bertsquad.checkpoint.weight_files import files_of
from bertsquad.console.errors import UserError

CONFIG, VOCABULARY, TOKENIZER = "config.json", "vocab.txt", "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
_HUB = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)  # what may be a hub's organisation/name


@dataclass(frozen=True, slots=True)
class Parts:
    """The files of a model's folder that conversion reads."""

    config: Path
    vocabulary: Path  # vocab.txt, else tokenizer.json
    weights: tuple[Path, ...]  # one safetensors file, or an index and the files that it names
    beside: tuple[Path, ...]  # what else says how texts are read

    @property
    def files(self) -> list[Path]:
        """All of them."""
        return [self.config, self.vocabulary, *self.weights, *self.beside]


def find_parts(folder: str | os.PathLike[str]) -> Parts:
    """The parts of a model's folder; `UserError` that names what is missing."""
    folder = Path(folder)
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "no such folder"
        hub = not folder.exists() and _HUB.fullmatch(str(folder))
        advice = (
            f"; a hub's model: bertsquad fetch-model --hub {folder} --output DIR" if hub else ""
        )
        raise UserError(
            f"{folder}: {found}; expected a model's folder with {CONFIG}, {VOCABULARY} or "
            f"{TOKENIZER}, and weights in safetensors{advice}"
        )
    config = folder / CONFIG
    if not config.is_file():
        hint = ""
        if (folder / "bert_config.json").is_file():
            hint = " (bert_config.json beside TensorFlow weights: use convert_checkpoint.py)"
        raise UserError(f"{folder}: no {CONFIG} in it{hint}; expected what save_pretrained writes")
    named = [folder / name for name in (VOCABULARY, TOKENIZER) if (folder / name).is_file()]
    if not named:
        raise UserError(
            f"{folder}: neither {VOCABULARY} nor {TOKENIZER} in it; save the tokenizer there too "
            "(tokenizer.save_pretrained)"
        )
    weights = files_of(folder)
    missing = next((path for path in weights if not path.is_file()), None)
    if missing:
        raise UserError(f"{missing}: no such file; {weights[0]} says that it holds weights")
    other = folder / TOKENIZER_CONFIG
    beside = [*named[1:], *([other] if other.is_file() else [])]
    return Parts(config, named[0], tuple(weights), tuple(beside))
