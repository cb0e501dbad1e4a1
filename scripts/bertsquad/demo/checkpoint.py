"""An untrained BERT as Google publishes trained ones: a zip with a TensorFlow checkpoint inside."""

import json
import math
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from bertsquad.checkpoint import bundle
from bertsquad.files import written_whole

FOLDER = "demo_uncased_L-2_H-128_A-2"
LAYERS = 2
HIDDEN_SIZE = 128
INTERMEDIATE_SIZE = 512
POSITIONS = 512
# Google's 0.02 suits a width of 768 and a million steps of pretraining. The demo reaches 42 F1 with
# it and 90 F1 with 0.08, about 1 / sqrt(width): attention starts to learn earlier.
STANDARD_DEVIATION = 0.08
# Sines instead of noise: neighbouring positions start similar, so attention to neighbours is
# learned sooner. Wavelengths are 6 to 1,250 tokens; Vaswani et al. (2017), with longer texts, go up
# to 63,000.
POSITION_SCALE = 0.12  # root mean square of a position's vector
POSITION_BASE = 200.0
# The earliest date of a zip member: the same archive at any time.
FIXED_DATE = (1980, 1, 1, 0, 0, 0)


def write_checkpoint(path: str | os.PathLike[str], vocabulary: list[str], seed: int) -> None:
    """Write the zip: bert_config.json, vocab.txt and the checkpoint in the folder `FOLDER`.

    The same vocabulary and seed give the same bytes: members have a fixed date and are stored, not
    deflated, because zlib's output differs between its versions.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        config = json.dumps(bert_config(len(vocabulary)), indent=2, sort_keys=True) + "\n"
        (folder / "bert_config.json").write_text(config, encoding="utf-8")
        (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
        bundle.write(folder / "bert_model.ckpt", initial_tensors(len(vocabulary), seed))
        with written_whole(path) as part, zipfile.ZipFile(part, "w") as archive:
            archive.writestr(member(f"{FOLDER}/", mode=0o40755), b"")
            for file in sorted(folder.iterdir()):
                archive.writestr(member(f"{FOLDER}/{file.name}", mode=0o100644), file.read_bytes())


def member(name: str, mode: int) -> zipfile.ZipInfo:
    """The entry of a file or folder in the zip, with its Unix permissions."""
    info = zipfile.ZipInfo(name, FIXED_DATE)
    info.create_system = 3  # Unix on any system, because `mode` is Unix's
    info.external_attr = mode << 16
    return info


def bert_config(vocabulary_size: int) -> dict[str, Any]:
    """The keys of Google's bert_config.json."""
    return {
        "attention_probs_dropout_prob": 0.1,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": HIDDEN_SIZE,
        "initializer_range": STANDARD_DEVIATION,
        "intermediate_size": INTERMEDIATE_SIZE,
        "max_position_embeddings": POSITIONS,
        "num_attention_heads": HIDDEN_SIZE // 64,
        "num_hidden_layers": LAYERS,
        "type_vocab_size": 2,
        "vocab_size": vocabulary_size,
    }


def initial_tensors(vocabulary_size: int, seed: int) -> dict[str, np.ndarray]:
    """Float32 tensors named and shaped as in Google's checkpoints, dense kernels [in, out].

    Weights are drawn from a normal distribution truncated at two standard deviations (modeling.py,
    create_initializer), except the position embeddings; LayerNorm gamma is 1; biases are 0.
    """
    rng = np.random.default_rng(seed)
    tensors = {}
    for name, shape in sorted(shapes(vocabulary_size).items()):
        leaf = name.rpartition("/")[2]
        if leaf == "position_embeddings":
            tensors[name] = sinusoids(*shape)
        elif leaf == "gamma":
            tensors[name] = np.ones(shape, np.float32)
        elif leaf in ("beta", "bias", "output_bias"):
            tensors[name] = np.zeros(shape, np.float32)
        else:
            tensors[name] = truncated_normal(rng, shape)
    return tensors


def shapes(vocabulary_size: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all tensors."""
    hidden = HIDDEN_SIZE
    dense = {
        "bert/pooler/dense": (hidden, hidden),
        "cls/predictions/transform/dense": (hidden, hidden),
    }
    norms = ["bert/embeddings/LayerNorm", "cls/predictions/transform/LayerNorm"]
    for layer in range(LAYERS):
        scope = f"bert/encoder/layer_{layer}"
        for projection in ("self/query", "self/key", "self/value", "output/dense"):
            dense[f"{scope}/attention/{projection}"] = (hidden, hidden)
        dense[f"{scope}/intermediate/dense"] = (hidden, INTERMEDIATE_SIZE)
        dense[f"{scope}/output/dense"] = (INTERMEDIATE_SIZE, hidden)
        norms += [f"{scope}/attention/output/LayerNorm", f"{scope}/output/LayerNorm"]
    return {
        "bert/embeddings/word_embeddings": (vocabulary_size, hidden),
        "bert/embeddings/token_type_embeddings": (2, hidden),
        "bert/embeddings/position_embeddings": (POSITIONS, hidden),
        "cls/predictions/output_bias": (vocabulary_size,),
        "cls/seq_relationship/output_weights": (2, hidden),
        "cls/seq_relationship/output_bias": (2,),
        **{f"{scope}/kernel": shape for scope, shape in dense.items()},
        **{f"{scope}/bias": (shape[1],) for scope, shape in dense.items()},
        **{f"{scope}/{leaf}": (hidden,) for scope in norms for leaf in ("gamma", "beta")},
    }


def truncated_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Float32 values of a normal distribution; those beyond two deviations are drawn again."""
    values = rng.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = rng.standard_normal(np.count_nonzero(outside))
    return (values * STANDARD_DEVIATION).astype(np.float32)


def sinusoids(positions: int, width: int) -> np.ndarray:
    """[positions, width], float32: sines in the first half, cosines in the second.

    Python's `math` computes them: NumPy's sine may differ in the last bit between processors.
    """
    half = width // 2
    scale = POSITION_SCALE * math.sqrt(2)
    angles = [
        [position / POSITION_BASE ** (column / half) for column in range(half)]
        for position in range(positions)
    ]
    rows = [[*map(math.sin, row), *map(math.cos, row)] for row in angles]
    return (np.array(rows) * scale).astype(np.float32)
