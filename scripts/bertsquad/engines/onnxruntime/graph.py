"""BERT for question answering as an ONNX graph, straight from a model folder.

The operations are the ones that ONNX Runtime's optimizer would fuse an exported graph into
(attention, residual sum with LayerNorm), which its own releases fuse or not by the exporter's
patterns; written out, the graph is the same in every release. The tensors are not in the graph: it
points at their places in model.safetensors, which ONNX Runtime maps.
"""

from __future__ import annotations

from typing import Any

from onnx import ModelProto, NodeProto, TensorProto, helper

from bertsquad.engines.weights import Weights

INPUTS = ("input_ids", "attention_mask", "token_type_ids")  # int64[B, S] each, as in transformers
OUTPUTS = ("start_logits", "end_logits")  # float32[B, S] each

_MICROSOFT = "com.microsoft"
# The first opset with GELU; an IR version that ONNX Runtime has read since the same time.
OPSET, IR_VERSION = 20, 9
GELU = {"gelu": "none", "gelu_pytorch_tanh": "tanh"}


def build(weights: Weights) -> ModelProto:
    """The graph, for any B and S; where `attention_mask` is 0 its logits mean nothing."""
    return Graph(weights).model()


class Graph:
    """Collects the nodes of one model and the tensors that they name.

    Between attentions all tokens lie end to end, [B * S, H]: a linear layer is one Gemm.
    """

    def __init__(self, weights: Weights) -> None:
        self.config = weights.config
        self.weights = weights
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, TensorProto] = {}

    def model(self) -> ModelProto:
        width = self.config["hidden_size"]
        self.node("Shape", ["input_ids"], "shape")
        rectangle = self.node("Concat", ["shape", self.integers("width", [width])], "bsh", axis=0)
        mask = self.node("Cast", ["attention_mask"], "mask", to=TensorProto.INT32)
        hidden = self.embeddings()
        for number in range(self.config["num_hidden_layers"]):
            hidden = self.layer(hidden, rectangle, mask, f"bert.encoder.layer.{number}")
        both = self.linear(hidden, "qa_outputs")
        sides = [f"qa_outputs/{name}" for name in OUTPUTS]
        self.nodes.append(helper.make_node("Split", [both], sides, "split", axis=1, num_outputs=2))
        for side, name in zip(sides, OUTPUTS, strict=True):
            self.node("Reshape", [side, "shape"], name)
        graph = helper.make_graph(
            self.nodes,
            "bert",
            [helper.make_tensor_value_info(n, TensorProto.INT64, ["B", "S"]) for n in INPUTS],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["B", "S"]) for n in OUTPUTS],
            list(self.constants.values()),
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(_MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)

    def embeddings(self) -> str:
        """[B * S, H]"""
        name = "bert.embeddings"
        words = self.tensor(f"{name}.word_embeddings.weight")
        types = self.tensor(f"{name}.token_type_embeddings.weight")
        positions = self.tensor(f"{name}.position_embeddings.weight")
        zero, one, two = (self.integers(f"number {n}", [n]) for n in range(3))
        embedded = self.node(
            "Add",
            [
                self.node("Gather", [words, "input_ids"], f"{name}/words"),
                self.node("Gather", [types, "token_type_ids"], f"{name}/types"),
            ],
            f"{name}/words and types",
        )
        length = self.node("Slice", ["shape", one, two], f"{name}/length")
        positions = self.node("Slice", [positions, zero, length, zero], f"{name}/positions")
        embedded = self.node("Add", [embedded, positions], f"{name}/sum")
        flat = self.node("Reshape", [embedded, self.flat()], f"{name}/flat")
        return self.node(
            "LayerNormalization",
            [flat, *self.pair(f"{name}.LayerNorm")],
            f"{name}/output",
            axis=-1,
            epsilon=self.config["layer_norm_eps"],
        )

    def layer(self, hidden: str, rectangle: str, mask: str, name: str) -> str:
        """[B * S, H] from [B * S, H]."""
        query, key, value = (
            self.node(
                "Reshape",
                [self.linear(hidden, f"{name}.attention.self.{part}"), rectangle],
                f"{name}/{part}",
            )
            for part in ("query", "key", "value")
        )
        attended = self.node(
            "MultiHeadAttention",
            [query, key, value, "", mask],
            f"{name}/attended",
            domain=_MICROSOFT,
            num_heads=self.config["num_attention_heads"],
        )
        attended = self.node("Reshape", [attended, self.flat()], f"{name}/attended flat")
        attended = self.add_and_norm(attended, hidden, f"{name}.attention.output")
        inner = self.node(
            "Gelu",
            [self.linear(attended, f"{name}.intermediate.dense")],
            f"{name}/inner",
            approximate=GELU[self.config["hidden_act"]],
        )
        return self.add_and_norm(inner, attended, f"{name}.output")

    def add_and_norm(self, hidden: str, residual: str, name: str) -> str:
        return self.node(
            "SkipLayerNormalization",
            [self.linear(hidden, f"{name}.dense"), residual, *self.pair(f"{name}.LayerNorm")],
            f"{name}/output",
            domain=_MICROSOFT,
            epsilon=self.config["layer_norm_eps"],
        )

    def linear(self, hidden: str, name: str) -> str:
        return self.node("Gemm", [hidden, *self.pair(name)], f"{name}/output", transB=1)

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node; the name of its one output."""
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def pair(self, name: str) -> list[str]:
        return [self.tensor(f"{name}.weight"), self.tensor(f"{name}.bias")]

    def tensor(self, name: str) -> str:
        """The name of a tensor whose values stay in the safetensors file."""
        shape = self.weights.shapes[name]
        pointer = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape)
        pointer.data_location = TensorProto.EXTERNAL
        place = {
            "location": self.weights.path.name,
            "offset": self.weights.offsets[name],
            "length": self.weights.array(name).nbytes,
        }
        for key, value in place.items():
            pointer.external_data.add(key=key, value=str(value))
        self.constants[name] = pointer
        return name

    def flat(self) -> str:
        return self.integers("flat", [-1, self.config["hidden_size"]])

    def integers(self, name: str, values: list[int]) -> str:
        self.constants[name] = helper.make_tensor(name, TensorProto.INT64, [len(values)], values)
        return name
