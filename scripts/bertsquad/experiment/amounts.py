"""How much there is to compute: a model's shape, and the tokens of a run's questions.

Exact where the files are there already; before that from sizes that are known, or from a file's
size. Read without NumPy, since `snakemake -n` asks.
"""

from __future__ import annotations

import json
import math
import struct
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bertsquad.artifacts.catalogue import known_size
from bertsquad.experiment.files import Experiment
from bertsquad.own_json import OTHER_SHAPE, object_or_empty

# Hidden size, layers, inner size, of the checkpoints in config/artifacts.yaml.
_SHAPES = {
    "wwm_cased_bert_large": (1024, 24, 4096),
    "wwm_uncased_bert_large": (1024, 24, 4096),
    "intel_bert_large_squad": (1024, 24, 4096),
    "minilm": (384, 6, 1536),
    "synthetic": (128, 2, 512),
}
# Questions and mean length of a feature, of the files in config/artifacts.yaml.
_KNOWN = {
    "train-v1.1.json": (87_599, 172),
    "dev-v1.1.json": (10_570, 178),
    "demo-train.json": (19_571, 64),
    "demo-dev.json": (510, 66),
}
_BYTES_A_QUESTION = 400  # of a file in SQuAD's format: 346 of train-v1.1.json, 459 of dev-v1.1.json
_MEAN_LENGTH = 175  # SQuAD's, before windows are cut
_SPREAD = 1.15  # mean of the squared lengths over the square of the mean, of SQuAD's


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a BERT decides how much it computes."""

    hidden: int
    layers: int
    inner: int

    def flops(self, tokens: float, squared: float) -> float:
        """Operations of a forward pass, as bertsquad.benchmark.flops counts them."""
        weights = 4 * self.hidden * self.hidden + 2 * self.hidden * self.inner
        layer = 2 * weights * tokens + 4 * self.hidden * squared
        return self.layers * layer + 4 * self.hidden * tokens

    @property
    def weight_bytes(self) -> int:
        """Of FP32 weights without the embeddings."""
        return 4 * self.layers * (4 * self.hidden * self.hidden + 2 * self.hidden * self.inner)


@dataclass(frozen=True, slots=True)
class Amount:
    """Features of questions; `squared` is the sum of the squares of their lengths."""

    questions: float
    features: float
    tokens: float
    squared: float

    def of(self, features: float) -> Amount:
        """So many features like these."""
        part = features / self.features if self.features else 0.0
        return Amount(self.questions * part, features, self.tokens * part, self.squared * part)

    def padded(self, length: int) -> Amount:
        """The same features, each filled up."""
        return Amount(
            self.questions, self.features, self.features * length, self.features * length**2
        )


BERT_LARGE = Shape(1024, 24, 4096)


@dataclass(frozen=True)
class Amounts:
    """Of an experiment's runs; None where nothing tells."""

    experiment: Experiment

    def shape(self, run: str) -> Shape | None:
        checkpoint = self.experiment.checkpoint_of(run)
        places = [Path(self.experiment.checkpoint_folder(run))]
        if folder := self.experiment.catalogue.folders.get(checkpoint):
            places.append(Path(self.experiment.place(folder.path)))
        for place in places:
            if (shape := _shape_in(place / "config.json")) is not None:
                return shape
        known = _SHAPES.get(checkpoint)
        return None if known is None else Shape(*known)

    def questions(self, run: str, split: str) -> Amount | None:
        """Those that a run is trained or scored on, at their real lengths."""
        features = Path(self.experiment.features_file(run, split))
        if (exact := _amount_in(features)) is not None:
            return exact
        settings = self.experiment.config["runs"][run]
        found = self._count(run, split)
        return found and windows(
            *found, max_length=settings["max_seq_length"], stride=settings["doc_stride"]
        )

    def _count(self, run: str, split: str) -> tuple[int, int] | None:
        """How many questions, and the mean length of a passage with one."""
        dataset = self.experiment.catalogue.dataset(self.experiment.dataset_of(run))
        name = dataset.train if split == "train" else dataset.dev
        if name is None:
            return None
        if dataset.selection:  # 1 word piece takes about 5 characters; a question 15 word pieces
            mean = min(_MEAN_LENGTH, dataset.selection.longest_context // 5 + 15)
            return getattr(dataset.selection, f"{split}_questions"), mean
        if name in _KNOWN:
            return _KNOWN[name]
        size = _size_of(Path(self.experiment.download(name)))
        size = known_size(self.experiment.catalogue.artifact(name)) if size is None else size
        if size is None:
            urls = self.experiment.catalogue.artifact(name).urls
            size = next(filter(None, map(_size_of_address, urls)), None)
        return None if size is None else (max(1, size // _BYTES_A_QUESTION), _MEAN_LENGTH)


def windows(questions: int, mean: int, *, max_length: int, stride: int) -> Amount:
    """Questions cut into windows of at most `max_length` tokens, every `stride`, as if all had the
    mean length; a spread like SQuAD's cuts a little more."""
    if mean <= max_length:
        each, length = 1.02, float(mean)
    else:
        each, length = 1.0 + math.ceil((mean - max_length) / stride), float(max_length)
    features = questions * each
    tokens = features * length
    return Amount(questions, features, tokens, tokens * length * _SPREAD)


def _shape_in(config: Path) -> Shape | None:
    try:
        found = object_or_empty(config)
        names = ("hidden_size", "num_hidden_layers", "intermediate_size")
        return Shape(*(int(found[name]) for name in names))
    except OTHER_SHAPE:
        return None


def _size_of(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _size_of_address(url: str) -> int | None:
    return _size_of(Path(url.removeprefix("file:"))) if url.startswith("file:") else None


def _amount_in(features: Path) -> Amount | None:
    """Exactly what a features file holds (its format: bertsquad.data.features); None without one.

    Only four of its arrays are read.
    """
    try:
        modified = features.stat().st_mtime_ns
        return _read_amount(features, modified)
    except (OSError, MemoryError, struct.error, *OTHER_SHAPE):
        return None


@cache
def _read_amount(features: Path, modified: int) -> Amount:
    """`modified` belongs to what is kept: another file of the name is read anew."""
    with features.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        start = 8 + length

        def values(name: str, kind: str) -> array[int]:
            begin, end = header[name]["data_offsets"]
            file.seek(start + begin)
            found = array(kind)
            found.frombytes(file.read(end - begin))
            return found

        windows_of = values("doc_length", "i")
        question = values("feature_question", "i")
        starts = values("question_starts", "q")
    lengths = [
        3 + window + starts[number + 1] - starts[number]
        for window, number in zip(windows_of, question, strict=True)
    ]
    return Amount(
        len(starts) - 1, len(lengths), sum(lengths), sum(length * length for length in lengths)
    )


def facts_of(settings: Mapping[str, object], *names: str) -> list[float]:
    """Numbers of a mapping; 0 where one is not given."""
    return [float(str(settings.get(name) or 0)) for name in names]
