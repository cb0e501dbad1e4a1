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
from bertsquad.engines.torch.linears import Linear, form_of
from bertsquad.model import folder as model_folder
from bertsquad.model.bert import GELU_FORMS, MATMUL_TYPES, BertConfig, Sequences
from bertsquad.model.matmul import bf16_native

# Rows of the intermediate layer computed at a time: 8 MiB of BERT-Large's, which stay in the cache
# between the product, GELU and the next product.
BLOCK = 512


@dataclass(frozen=True, slots=True)
class Norm:
    """LayerNorm over the last dimension, in float32."""

    weight: Tensor  # float32[H]
    bias: Tensor  # float32[H]
    eps: float

    def __call__(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)


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
        hidden = self.norm(hidden)
        for layer in self.layers:
            hidden = self.run(layer, hidden, sequences)
        return F.linear(hidden, self.head, self.head_bias)

    def run(self, layer: Layer, hidden: Tensor, sequences: Sequences) -> Tensor:
        """float32[T, H], one layer's, from the one before; overwrites `hidden`."""
        attended = self.attend(layer.query_key_value(hidden), sequences)
        layer.attention_output.add_to(hidden, attended)
        hidden = layer.attention_norm(hidden)
        form = GELU_FORMS[self.config.hidden_act]
        for rows in hidden.split(BLOCK):
            layer.output.add_to(rows, layer.intermediate.gelu(rows, form))
        return layer.output_norm(hidden)

    def attend(self, projected: Tensor, sequences: Sequences) -> Tensor:
        """[T, H] from query, key and value side by side, [T, 3 H], in their type."""
        shape = (3, self.config.num_attention_heads, -1)
        start, parts = 0, []
        for count, length in sequences.runs:
            run = projected[start : start + count * length].view(count, length, *shape)
            query, key, value = run.permute(2, 0, 3, 1, 4)  # [count, heads, length, d] each
            attended = attention(query, key, value, sequences.mask)
            parts.append(attended.transpose(1, 2).reshape(count * length, -1))
            start += count * length
        return parts[0] if len(parts) == 1 else torch.cat(parts)


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """softmax(q k' / sqrt(d)) v, the softmax in float32, for [count, heads, length, d] each."""
    if query.dtype == torch.float32 or bf16_native():
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    query, key, value = query.float(), key.float(), value.float()
    scores = (query @ key.transpose(-1, -2)).mul_(query.shape[-1] ** -0.5)
    if mask is not None:
        scores.masked_fill_(~mask, float("-inf"))
    shares = scores.softmax(-1).to(torch.bfloat16)
    return (shares.float() @ value).to(torch.bfloat16)


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
        attention = f"{name}.attention.self"
        return Layer(
            linear(f"{attention}.query", f"{attention}.key", f"{attention}.value"),
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
    )
