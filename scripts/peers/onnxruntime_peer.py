"""ONNX Runtime on the graphs that convert.py makes."""

import argparse

import numpy as np
import onnxruntime

from protocol import Features, Logits, Rectangle, serve

GRAPHS = {"fp32": "onnxruntime.onnx", "int8": "onnxruntime-int8.onnx"}


class Inference:
    def __init__(self, args: argparse.Namespace, features: Features) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = args.threads
        self.session = onnxruntime.InferenceSession(
            args.model / GRAPHS[args.precision], options, providers=["CPUExecutionProvider"]
        )
        self.inputs = self.session.get_inputs()
        self.padded = args.form == "padded"
        self.batches = features.batches(args.form)
        self.features = features

    def logits(self, batch: Rectangle) -> Logits:
        named = dict(zip(("input_ids", "attention_mask", "token_type_ids"), batch, strict=True))
        feed = {
            entry.name: named[entry.name].astype(
                np.int32 if "int32" in entry.type else np.int64, copy=False
            )
            for entry in self.inputs
        }
        return tuple(self.session.run(["start_logits", "end_logits"], feed))

    def check(self) -> list[float]:
        return self.features.checked(self.padded, self.logits)

    def run(self) -> int:
        return sum(len(self.logits(batch)[0]) for batch in self.batches)


def load(args: argparse.Namespace) -> Inference:
    return Inference(args, Features.read(args.input))


if __name__ == "__main__":
    serve(load, "onnxruntime", "onnx")
