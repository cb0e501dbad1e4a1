"""INT8 models, made from a fine-tuned one, with a record of how: calibration.json beside them."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from bertsquad.console.errors import UserError
from bertsquad.data.batching import PackedBatch
from bertsquad.data.features import Features
from bertsquad.engines import PRECISIONS, about
from bertsquad.files import own_folder, publish_folder_file, sha256, write_json
from bertsquad.model.fit import check_fit

_RECORD = "calibration.json"


class Quantizer(Protocol):
    """What bertsquad.engines.<engine>.int8 has."""

    METHOD: str  # for the record
    SETTINGS: dict[str, Any]

    def quantize(
        self, model_dir: Path, output_dir: Path, calibration: Sequence[PackedBatch]
    ) -> None:
        """Write about.py's INT8_FILES. `calibration`: one feature each; none where it is not
        calibrated."""
        ...


def make(
    engine: str,
    model_dir: Path,
    output_dir: Path,
    *,
    features_path: Path | None,
    count: int,
    seed: int,
) -> dict[str, Any]:
    """Write an engine's INT8 model and the record of how it was made, and return the record.

    It is calibrated, where the method asks for that, on `count` of the features, drawn by `seed`.
    Raises UserError for an engine without int8, and where features are missing or not the model's.
    """
    by, known = _quantizer(engine), about(engine)
    record: dict[str, Any] = {
        "engine": engine,
        "method": by.METHOD,
        "settings": by.SETTINGS,
        "versions": {name: metadata.version(name) for name in known.PACKAGES},
        "model_sha256": sha256(model_dir / "model.safetensors"),
        "features": [],
    }
    calibration: list[PackedBatch] = []
    if known.INT8_CALIBRATED:
        if features_path is None:
            raise UserError(f"int8 for {engine} is calibrated on features: give --features")
        features = Features.open(features_path)
        check_fit(model_dir, features, features_path)
        chosen = spread_features(features.lengths, count, seed)
        record |= {"features_sha256": sha256(features_path), "seed": seed}
        record["features"] = chosen.tolist()
        calibration = [features.packed([number]) for number in chosen]
    with own_folder(output_dir) as part:
        by.quantize(model_dir, part, calibration)
        record["files_sha256"] = {name: sha256(part / name) for name in known.INT8_FILES}
        for name in known.INT8_FILES:
            (part / name).chmod(0o644)  # onnx writes for its owner alone, and others serve it
            publish_folder_file(part / name, output_dir / name)
    write_json(output_dir / _RECORD, record)
    return record


def _quantizer(engine: str) -> Quantizer:
    """What quantizes for this engine, imported (which takes seconds)."""
    able = [name for name, precisions in PRECISIONS.items() if "int8" in precisions]
    if engine not in able:
        raise UserError(f"engine is {engine!r}; expected one that has int8: {', '.join(able)}")
    module: Quantizer = importlib.import_module(f"bertsquad.engines.{engine}.int8")
    return module


def spread_features(lengths: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Numbers of `count` features, int64, ascending; all of them where there are no more.

    One is drawn from each of `count` equal parts of the features sorted by length, so that short
    and long ones are there as they are in the whole.
    """
    order = np.argsort(lengths, kind="stable")
    edges = np.linspace(0, len(order), min(count, len(order)) + 1).astype(np.int64)
    drawn = np.random.default_rng(seed).integers(edges[:-1], edges[1:])
    return np.sort(order[drawn])
