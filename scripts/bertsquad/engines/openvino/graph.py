"""BERT for question answering as an OpenVINO graph, straight from a model folder.

The operations are those that OpenVINO's CPU plugin runs in one kernel each or fuses: its own
attention and GELU, LayerNorm as MVN, scale and shift. Built here and not read from ONNX, the
constants are the mapped weights file itself: nothing is copied, converted or written.
"""

from __future__ import annotations

import numpy as np
import openvino as ov
from openvino import opset14 as ops

from bertsquad.engines.weights import Weights

INPUTS = ("input_ids", "attention_mask", "token_type_ids")  # int64[B, S] each, as in transformers
OUTPUTS = ("start_logits", "end_logits")  # float32[B, S] each

GELU = {"gelu": "ERF", "gelu_pytorch_tanh": "TANH"}


def build(weights: Weights) -> ov.Model:
    """The graph, for any B and S; where `attention_mask` is 0 its logits mean nothing."""
    return Graph(weights).model()


class Graph:
    """Makes the nodes of one model, each from the tensors of its name."""

    def __init__(self, weights: Weights) -> None:
        self.config = weights.config
        self.weights = weights

    def model(self) -> ov.Model:
        # A longer sequence is refused at the door: within the graph its error would leave the
        # stream that met it broken for the requests to come (OpenVINO 2026.4).
        shape = [-1, ov.Dimension(0, self.config["max_position_embeddings"])]
        inputs = [ops.parameter(shape, ov.Type.i64, name=name) for name in INPUTS]
        for node in inputs:
            node.output(0).set_names({node.get_friendly_name()})
        input_ids, attention_mask, token_type_ids = inputs
        hidden = self.embeddings(input_ids, token_type_ids)
        mask = additive_mask(attention_mask)
        for number in range(self.config["num_hidden_layers"]):
            hidden = self.layer(hidden, mask, f"bert.encoder.layer.{number}")
        both = ops.split(self.linear(hidden, "qa_outputs"), ops.constant(2), 2)
        logits = [ops.squeeze(both.output(side), ops.constant([2])) for side in range(2)]
        for node, name in zip(logits, OUTPUTS, strict=True):
            node.output(0).set_names({name})
        return ov.Model([ops.result(node) for node in logits], inputs, "bert")

    def embeddings(self, input_ids: ov.Node, token_type_ids: ov.Node) -> ov.Node:
        """[B, S, H]"""
        name, first = "bert.embeddings", ops.constant(0)
        words = ops.gather(self.tensor(f"{name}.word_embeddings.weight"), input_ids, first)
        types = ops.gather(
            self.tensor(f"{name}.token_type_embeddings.weight"), token_type_ids, first
        )
        length = ops.gather(ops.shape_of(input_ids), ops.constant([1]), first)
        positions = ops.slice(
            self.tensor(f"{name}.position_embeddings.weight"),
            ops.constant([0]),
            length,
            ops.constant([1]),
            ops.constant([0]),
        )
        embedded = ops.add(ops.add(words, types), ops.unsqueeze(positions, first))
        return self.layer_norm(embedded, f"{name}.LayerNorm")

    def layer(self, hidden: ov.Node, mask: ov.Node, name: str) -> ov.Node:
        """[B, S, H] from [B, S, H]."""
        attended = self.linear(
            self.attention(hidden, mask, f"{name}.attention.self"), f"{name}.attention.output.dense"
        )
        attended = self.layer_norm(ops.add(attended, hidden), f"{name}.attention.output.LayerNorm")
        inner = ops.gelu(
            self.linear(attended, f"{name}.intermediate.dense"), GELU[self.config["hidden_act"]]
        )
        output = self.linear(inner, f"{name}.output.dense")
        return self.layer_norm(ops.add(output, attended), f"{name}.output.LayerNorm")

    def attention(self, hidden: ov.Node, mask: ov.Node, name: str) -> ov.Node:
        heads, width = self.config["num_attention_heads"], self.config["hidden_size"]
        by_head = ops.constant([0, 0, heads, width // heads])  # 0: as it is
        swapped = ops.constant([0, 2, 1, 3])
        query, key, value = (
            ops.transpose(
                ops.reshape(self.linear(hidden, f"{name}.{part}"), by_head, True), swapped
            )
            for part in ("query", "key", "value")
        )
        attended = ops.scaled_dot_product_attention(query, key, value, mask)
        return ops.reshape(ops.transpose(attended, swapped), ops.constant([0, 0, width]), True)

    def linear(self, hidden: ov.Node, name: str) -> ov.Node:
        product = ops.matmul(hidden, self.tensor(f"{name}.weight"), False, True)
        return ops.add(product, self.row(f"{name}.bias"))

    def layer_norm(self, hidden: ov.Node, name: str) -> ov.Node:
        normal = ops.mvn(
            hidden, ops.constant([-1]), True, self.config["layer_norm_eps"], "inside_sqrt"
        )
        return ops.add(ops.multiply(normal, self.row(f"{name}.weight")), self.row(f"{name}.bias"))

    def tensor(self, name: str) -> ov.Node:
        return ops.constant(self.weights.array(name), shared_memory=True)

    def row(self, name: str) -> ov.Node:
        """A vector that lies along the last of three axes."""
        return ops.constant(self.weights.array(name).reshape(1, 1, -1), shared_memory=True)


def additive_mask(attention_mask: ov.Node) -> ov.Node:
    """[B, 1, 1, S]: 0 where the mask is 1, the lowest float where it is 0."""
    absent = ops.subtract(ops.constant(np.float32(1)), ops.convert(attention_mask, "f32"))
    lowest = ops.constant(np.float32(np.finfo(np.float32).min))
    return ops.multiply(ops.unsqueeze(absent, ops.constant([1, 2])), lowest)
