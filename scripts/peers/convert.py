"""The graphs for ONNX Runtime and OpenVINO, made once, beside the model's weights.

Example:
    python scripts/peers/convert.py --model results/bench/models/layers-4 --features features.npz \\
        --graphs model.onnx onnxruntime.onnx openvino-int8.xml
"""

import argparse
import json
import os
from pathlib import Path

import numpy as np

from protocol import Features

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
OUTPUTS = ("start_logits", "end_logits")
CALIBRATION = 16  # features


def trace(folder: Path, features: Path, part: Path) -> None:
    """The graph as `transformers` traces it, batch and length free."""
    import torch
    from transformers import BertForQuestionAnswering

    class Traced(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            # ONNX Runtime's optimiser knows the products written out, not PyTorch's fused call.
            self.model = BertForQuestionAnswering.from_pretrained(
                folder, attn_implementation="eager", dtype=torch.float32
            ).eval()

        def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            out = self.model(**dict(zip(INPUTS, inputs, strict=True)))
            return out.start_logits, out.end_logits

    example = torch.ones(2, 16, dtype=torch.int64)
    torch.onnx.export(
        Traced(),
        (example, example, example),
        part,
        input_names=INPUTS,
        output_names=OUTPUTS,
        dynamic_axes={name: {0: "batch", 1: "length"} for name in INPUTS + OUTPUTS},
        opset_version=17,
        dynamo=False,
    )


def fuse(folder: Path, features: Path, part: Path) -> None:
    """Attention, SkipLayerNormalization and Gelu as single nodes, by ONNX Runtime's optimiser."""
    from onnxruntime.transformers import optimizer

    config = json.loads((folder / "config.json").read_text())
    model = optimizer.optimize_model(
        str(folder / "model.onnx"),
        model_type="bert",
        num_heads=config["num_attention_heads"],
        hidden_size=config["hidden_size"],
    )
    found = model.get_fused_operator_statistics()
    if not found.get("Attention"):
        raise SystemExit(f"ONNX Runtime's optimiser fused no attention: {found}")
    model.save_model_to_file(str(part))


def quantize_dynamic(folder: Path, features: Path, part: Path) -> None:
    """Weights in INT8 by output channel, activations quantised as they come."""
    import onnx
    from onnxruntime import quantization

    quantization.quantize_dynamic(
        folder / "onnxruntime.onnx",
        part,
        per_channel=True,
        weight_type=quantization.QuantType.QInt8,
        # Shape inference stops at the fused nodes.
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )


def to_openvino(folder: Path, features: Path, part: Path) -> None:
    import openvino as ov

    ov.save_model(ov.convert_model(folder / "model.onnx"), part, compress_to_fp16=False)


def quantize_statically(folder: Path, features: Path, part: Path) -> None:
    """NNCF's quantisation after training, calibrated on real features at their real lengths."""
    import nncf
    import openvino as ov

    given = Features.read(features)
    numbers = [np.array([n]) for n in range(min(CALIBRATION, len(given.input_ids)))]
    samples = [given.rectangle(n, int(given.lengths[n[0]])) for n in numbers]
    model = nncf.quantize(
        ov.convert_model(folder / "model.onnx"),
        nncf.Dataset(samples, lambda sample: dict(zip(INPUTS, sample, strict=True))),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(samples),
    )
    ov.save_model(model, part, compress_to_fp16=False)


GRAPHS = {
    "model.onnx": trace,
    "onnxruntime.onnx": fuse,
    "onnxruntime-int8.onnx": quantize_dynamic,
    "openvino.xml": to_openvino,
    "openvino-int8.xml": quantize_statically,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--features", type=Path, required=True, help="features to calibrate with")
    parser.add_argument("--graphs", nargs="+", choices=GRAPHS, required=True)
    args = parser.parse_args()
    for name in args.graphs:
        path = args.model / name
        if not path.exists():
            part = path.with_name(f"part-{name}")
            GRAPHS[name](args.model, args.features, part)
            if path.suffix == ".xml":  # the weights are beside it
                os.replace(part.with_suffix(".bin"), path.with_suffix(".bin"))
            os.replace(part, path)


if __name__ == "__main__":
    main()
