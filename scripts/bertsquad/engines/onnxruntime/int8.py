"""INT8 for ONNX Runtime by its own dynamic quantization: weights now, activations as they come."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from onnx import TensorProto
from onnx.external_data_helper import load_external_data_for_model
from onnxruntime.quantization import QuantType, quantize_dynamic

from bertsquad.data.batching import PackedBatch
from bertsquad.engines.onnxruntime.graph import build
from bertsquad.engines.weights import read_weights

METHOD = "dynamic quantization by ONNX Runtime; it needs no calibration data"
SETTINGS = {
    "per_channel": True,
    # Weights in 7 bits, so that the sum of two products fits into the 16 bits that processors
    # without VNNI have for it.
    "reduce_range": True,
}


def quantize(model_dir: Path, output_dir: Path, calibration: Sequence[PackedBatch]) -> None:
    """Write model.onnx, and beside it the tensors, which ONNX Runtime then maps: inside it they
    would be in memory twice, as read and as packed for the processor."""
    model = build(read_weights(model_dir))
    load_external_data_for_model(model, str(model_dir))
    quantize_dynamic(
        model,
        output_dir / "model.onnx",
        weight_type=QuantType.QInt8,
        use_external_data_format=True,
        # ONNX infers no types behind ONNX Runtime's own operations.
        extra_options={"DefaultTensorType": TensorProto.FLOAT},
        **SETTINGS,
    )
