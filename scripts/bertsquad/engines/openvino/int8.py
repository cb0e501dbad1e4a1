"""INT8 for OpenVINO by NNCF: SmoothQuant, ranges from calibration features, bias correction."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

# NNCF reports its use to its makers unless this is set before it is imported.
os.environ["NNCF_CI"] = "1"

import nncf
import openvino as ov
from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, OverflowFix

from bertsquad.data.batching import PackedBatch
from bertsquad.engines.openvino.graph import INPUTS, build
from bertsquad.engines.weights import read_weights

METHOD = "post-training quantization by NNCF, with SmoothQuant and fast bias correction"
SETTINGS = {
    "model_type": nncf.ModelType.TRANSFORMER.value,
    # "enable": weights in 7 bits, so that the sum of two products fits into the 16 bits that
    # processors without VNNI have for it. "disable": in 8 bits, right only with VNNI.
    "overflow_fix": OverflowFix.ENABLE.value,
}


def quantize(model_dir: Path, output_dir: Path, calibration: Sequence[PackedBatch]) -> None:
    """Write model.xml and model.bin."""
    quantized = nncf.quantize(
        build(read_weights(model_dir)),
        nncf.Dataset(calibration, inputs_of),
        subset_size=len(calibration),
        model_type=nncf.ModelType(SETTINGS["model_type"]),
        fast_bias_correction=True,
        advanced_parameters=AdvancedQuantizationParameters(
            overflow_fix=OverflowFix(SETTINGS["overflow_fix"])
        ),
    )
    try:
        ov.save_model(quantized, output_dir / "model.xml", compress_to_fp16=False)
    except RuntimeError as error:
        raise_why(output_dir, error)
        raise


def raise_why(output_dir: Path, error: RuntimeError) -> None:
    """OSError for a file that OpenVINO could not write: it says only that a stream failed.

    A few bytes more to the same files, which are of no use any more, tell why.
    """
    if "iostream" not in str(error):
        return
    for path in sorted(output_dir.iterdir()):
        with path.open("ab", buffering=0) as file:
            try:
                file.write(bytes(1 << 16))
            except OSError as reason:
                raise OSError(reason.errno, reason.strerror, str(path)) from error


def inputs_of(batch: PackedBatch) -> dict[str, np.ndarray]:
    """One feature at its real length, int64[1, S] each."""
    rows = (batch.input_ids, np.ones_like(batch.input_ids), batch.segments)
    return {name: row[None] for name, row in zip(INPUTS, rows, strict=True)}
