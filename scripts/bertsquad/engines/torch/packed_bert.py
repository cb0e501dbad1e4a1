"""BERT for inference alone: what bert.py computes, from weights that are packed once.

Query, key and value are one matrix product. Sums and GELU happen in place or inside the products,
attention reads query, key and value where that product left them, and the wide middle of a layer
is done in blocks of rows. A model is never written to, so that threads may share it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from bertsquad.data.batching import PackedBatch
from bertsquad.engines.torch import attention, normalization
from bertsquad.engines.torch.attention import Attend, Attention
from bertsquad.engines.torch.linears import Linear, form_of
from bertsquad.engines.torch.normalization import AddNorm, Norm
from bertsquad.model import folder as model_folder
from bertsquad.model.bert import GELU_FORMS, MATMUL_TYPES, BertConfig, Sequences

# Of the intermediate layer computed at a time, which stays in the cache between the product, GELU
# and the next product: 512 rows of BERT-Large's in FP32, 1,024 in BF16.
BLOCK_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Layer:
    query_key_value: Linear  # H -> 3 H
    attention_output: Linear
    attention_norm: Norm
    intermediate: Linear
    output: Linear
    output_norm: Norm


@dataclass(frozen=True, slots=True)
class PackedBert:
    """The encoder and the answer head, in the types of `bert.py`'s "fp32" or "bf16"."""

    config: BertConfig
    words: Tensor  # float32[vocab_size, H]
    positions: Tensor  # float32[max_position_embeddings, H]
    segments: Tensor  # float32[type_vocab_size, H]
    norm: Norm
    layers: list[Layer]
    head: Tensor  # float32[2, H]
    head_bias: Tensor  # float32[2]
    block: int  # rows of the intermediate layer computed at a time
    attention: Attention
    add_norm: AddNorm

    @property
    def kernels(self) -> str:
        """What computes attention, and the residual sum with LayerNorm, as results record it."""
        return f"attention: {self.attention.name}, LayerNorm: {self.add_norm.name}"

    def packed(self, batch: PackedBatch) -> Tensor:
        """Start and end logits, float32[T, 2], of a batch without padding."""
        arrays = (batch.input_ids, batch.positions, batch.segments)
        sequences = Sequences.packed(batch.lengths.tolist())
        input_ids, positions, segments = map(torch.from_numpy, arrays)
        return self.logits(input_ids, positions, segments, sequences)

    def padded(self, input_ids: Tensor, input_mask: Tensor, segment_ids: Tensor) -> Tensor:
        """Start and end logits, float32[B, S, 2], of a padded batch: int64[B, S] each.

        The usual way: the linear layers and all S x S scores are computed for padding, too. Where
        `input_mask` is 1 the logits are those of `packed`; elsewhere they mean nothing.
        """
        count, length = input_ids.shape
        sequences = Sequences.padded(count, length, input_mask)
        positions = torch.arange(length).repeat(count)
        logits = self.logits(input_ids.flatten(), positions, segment_ids.flatten(), sequences)
        return logits.view(count, length, 2)

    @torch.inference_mode()
    def logits(
        self, input_ids: Tensor, positions: Tensor, segments: Tensor, sequences: Sequences
    ) -> Tensor:
        """float32[T, 2] from int64[T] each."""
        hidden = F.embedding(input_ids, self.words)
        hidden += F.embedding(positions, self.positions)
        hidden += F.embedding(segments, self.segments)
        hidden = operand = self.norm(hidden)
        attend = self.attention.within(sequences, self.config.num_attention_heads)
        for layer in self.layers:
            hidden, operand = self.run(layer, hidden, operand, attend)
        return F.linear(hidden, self.head, self.head_bias)

    def run(
        self, layer: Layer, hidden: Tensor, operand: Tensor, attend: Attend
    ) -> tuple[Tensor, Tensor]:
        """One layer's float32[T, H], from the one before; overwrites `hidden`.

        `operand` is `hidden` as products take it, and so is the second tensor returned.
        """
        attended = attend(layer.query_key_value(operand))
        hidden, operand = self.add_norm(
            hidden, [attended], layer.attention_output, layer.attention_norm
        )
        form = GELU_FORMS[self.config.hidden_act]
        inner = (layer.intermediate.gelu(rows, form) for rows in operand.split(self.block))
        return self.add_norm(hidden, inner, layer.output, layer.output_norm)


def load(model_dir: str | Path, precision: str) -> PackedBert:
    """The model of a folder, packed one layer at a time: there is never a second copy of more than
    one tensor. Raises what `model_folder.StoredTensors` does."""
    weights = model_folder.StoredTensors(model_dir)
    config = weights.config

    def whole(name: str) -> Tensor:
        return weights.read([name], torch.float32)

    def norm(name: str) -> Norm:
        return Norm(whole(f"{name}.weight"), whole(f"{name}.bias"), config.layer_norm_eps)

    dtype = MATMUL_TYPES[precision]
    packed = form_of(dtype)

    def linear(*names: str) -> Linear:
        stacked = [f"{name}.weight" for name in names]
        return packed(
            weights.read(stacked, dtype, transposed=packed.transposed),
            weights.read([f"{name}.bias" for name in names], torch.float32),
        )

    def layer(name: str) -> Layer:
        parts = (f"{name}.attention.self.{part}" for part in ("query", "key", "value"))
        return Layer(
            linear(*parts),
            linear(f"{name}.attention.output.dense"),
            norm(f"{name}.attention.output.LayerNorm"),
            linear(f"{name}.intermediate.dense"),
            linear(f"{name}.output.dense"),
            norm(f"{name}.output.LayerNorm"),
        )

    return PackedBert(
        config,
        whole("bert.embeddings.word_embeddings.weight"),
        whole("bert.embeddings.position_embeddings.weight"),
        whole("bert.embeddings.token_type_embeddings.weight"),
        norm("bert.embeddings.LayerNorm"),
        [layer(f"bert.encoder.layer.{number}") for number in range(config.num_hidden_layers)],
        whole("qa_outputs.weight"),
        whole("qa_outputs.bias"),
        BLOCK_BYTES // (config.intermediate_size * dtype.itemsize),
        attention.form_of(dtype, config.hidden_size // config.num_attention_heads),
        normalization.form_of(dtype),
    )
