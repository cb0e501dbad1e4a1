"""BERT with a question-answering head, as it is trained: in plain PyTorch, on packed batches.

The encoder of BERT (Devlin et al. 2019): post-LayerNorm, learned positions. Parameters are named as
in `transformers`' BertForQuestionAnswering, so the state dict is the content of model.safetensors.
Model folders are read and written by `bertsquad.model_folder`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from bertsquad.data.batching import PackedBatch
from bertsquad.model.operations.attention import attention, form_of
from bertsquad.model.operations.dropout import Masks, dropout
from bertsquad.model.operations.embedding import embedding
from bertsquad.model.operations.linear import Projection, linear
from bertsquad.model.operations.normalization import add_norm

# What config.json may name as `hidden_act`, and the form of GELU it means. Google's graph is the
# tanh form; PyTorch checkpoints are mostly trained with the exact one.
GELU_FORMS = {"gelu": "none", "gelu_new": "tanh", "gelu_pytorch_tanh": "tanh"}

# In which type the matrix products of the encoder run. Everything else is always float32.
MATMUL_TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True, slots=True)
class BertConfig:
    """What config.json says about the shape of the model, under its names there."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    hidden_act: str = "gelu"  # a key of GELU_FORMS
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02  # standard deviation of a new head's weights
    layer_norm_eps: float = 1e-12  # Google's; Intel's graphs use 1e-3


class BertForQuestionAnswering(nn.Module):
    """The encoder and the two rows of `qa_outputs`: start and end logit of every token.

    `precision` (a key of MATMUL_TYPES) may be set at any time. With "bf16" the products of the
    encoder's linear layers and of attention take bfloat16 inputs; residual sums, LayerNorm, softmax
    and the head stay in float32. The weights stay float32; in training mode copies in bfloat16
    follow them. What serves a model is `engines.packed_bert`.
    """

    def __init__(self, config: BertConfig, precision: str = "fp32") -> None:
        super().__init__()
        self.config = config
        self.precision = precision
        # Keep only the inputs of layers for the backward pass, which computes the rest again, and
        # no copies of weights: the same gradients, bit for bit, in less memory and more time.
        self.activation_checkpointing = False
        self.bert = Bert(config)
        self.qa_outputs = Unfilled(config.hidden_size, 2)

    @property
    def training_kernels(self) -> str:
        """What computes attention in training, as its log records it."""
        size = self.config.hidden_size // self.config.num_attention_heads
        return f"attention: {form_of(MATMUL_TYPES[self.precision], size)}"

    def forward(
        self, batch: PackedBatch, dropout_words: Sequence[int] = (), micro_batches: int = 1
    ) -> tuple[Tensor, Tensor]:
        """Start and end logits, float32[T] each, of a packed batch.

        In training mode there is dropout; `dropout_words` decide what it drops. Copies of weights
        that training makes are kept where the same weights serve several `micro_batches`.
        """
        keep_copies = micro_batches > 1 and not self.activation_checkpointing
        hidden = self.bert(
            torch.from_numpy(batch.input_ids),
            torch.from_numpy(batch.positions),
            torch.from_numpy(batch.segments),
            Sequences.packed(batch.lengths.tolist()),
            MATMUL_TYPES[self.precision],
            Training(dropout_words, self.activation_checkpointing, keep_copies)
            if self.training
            else None,
        )
        logits = self.qa_outputs(hidden)
        return logits[:, 0], logits[:, 1]


@dataclass(frozen=True, slots=True)
class Sequences:
    """Which tokens attend to each other: runs of sequences of equal length, end to end."""

    runs: list[tuple[int, int]]  # (how many sequences, tokens of each)
    mask: Tensor | None = None  # bool[B, 1, 1, S], False at padding, for one padded run

    @classmethod
    def packed(cls, lengths: list[int]) -> Sequences:
        """Neighbours of equal length share a run, so that attention takes them in one call."""
        return cls([(len(list(run)), length) for length, run in groupby(lengths)])

    @classmethod
    def padded(cls, count: int, length: int, input_mask: Tensor) -> Sequences:
        return cls([(count, length)], input_mask.bool()[:, None, None, :])


@dataclass(frozen=True, slots=True)
class Training:
    """What only a forward pass of training needs to know."""

    dropout_words: Sequence[int]
    checkpointing: bool  # of activations
    keep_copies: bool  # of weights, in the form that products take

    def layer(self, place: int) -> LayerTraining:
        return LayerTraining(self.masks(place), self.keep_copies)

    def masks(self, place: int) -> Masks:
        """Those of one place in the model: 0 the embeddings, 1 the first layer, ...

        Of their own, so that a layer that is computed again drops the same values again.
        """
        return Masks([*self.dropout_words, place])


class LayerTraining(NamedTuple):
    """What a layer's parts need to know of it."""

    masks: Masks
    keep_copies: bool


class Bert(nn.Module):
    """The encoder without the pooler, which question answering does not use."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config)

    def forward(
        self,
        input_ids: Tensor,
        positions: Tensor,
        segments: Tensor,
        sequences: Sequences,
        dtype: torch.dtype,
        training: Training | None,
    ) -> Tensor:
        """float32[T, H] from int64[T] each."""
        hidden = self.embeddings(input_ids, positions, segments, training)
        encoded: Tensor = self.encoder(hidden, sequences, dtype, training)
        return encoded


class Embeddings(nn.Module):
    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        hidden = config.hidden_size
        self.word_embeddings = unfilled_embedding(config.vocab_size, hidden)
        self.position_embeddings = unfilled_embedding(config.max_position_embeddings, hidden)
        self.token_type_embeddings = unfilled_embedding(config.type_vocab_size, hidden)
        self.LayerNorm = nn.LayerNorm(hidden, eps=config.layer_norm_eps)
        self.dropout = config.hidden_dropout_prob

    def forward(
        self, input_ids: Tensor, positions: Tensor, segments: Tensor, training: Training | None
    ) -> Tensor:
        rows = embedding(self.word_embeddings.weight, input_ids)
        rows = rows + self.position_embeddings(positions)
        embedded: Tensor = self.LayerNorm(rows + self.token_type_embeddings(segments))
        if training is None:
            return embedded
        mask = training.masks(0).draw(embedded.shape, self.dropout)
        return dropout(embedded, mask, self.dropout)


class Encoder(nn.Module):
    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList(
            Layer(config, place) for place in range(1, config.num_hidden_layers + 1)
        )

    def forward(
        self, hidden: Tensor, sequences: Sequences, dtype: torch.dtype, training: Training | None
    ) -> Tensor:
        checkpointing = training is not None and training.checkpointing
        for layer in self.layer:
            compute = partial(checkpointed, layer) if checkpointing else layer
            hidden = compute(hidden, sequences, dtype, training)
        return hidden


def checkpointed(layer: nn.Module, hidden: Tensor, *others: object) -> Tensor:
    """Run the layer with activation checkpointing: only its input is kept, and the backward pass
    computes the rest again."""
    # Dropout has seeds of its own, so there is no state of PyTorch's to restore.
    output: Tensor = checkpoint(
        layer, hidden, *others, use_reentrant=False, preserve_rng_state=False
    )
    return output


class Layer(nn.Module):
    def __init__(self, config: BertConfig, place: int) -> None:
        super().__init__()
        self.place = place
        self.attention = Attention(config)
        self.intermediate = Intermediate(config)
        self.output = Output(config, config.intermediate_size)

    def forward(
        self, hidden: Tensor, sequences: Sequences, dtype: torch.dtype, training: Training | None
    ) -> Tensor:
        of_layer = training and training.layer(self.place)
        attended = self.attention(hidden, sequences, dtype, of_layer)
        expanded = self.intermediate(attended.to(dtype), of_layer)
        output: Tensor = self.output(expanded, attended, of_layer)
        return output


class Attention(nn.Module):
    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.self = SelfAttention(config)
        self.output = Output(config, config.hidden_size)

    def forward(
        self,
        hidden: Tensor,
        sequences: Sequences,
        dtype: torch.dtype,
        training: LayerTraining | None,
    ) -> Tensor:
        attended = self.self(hidden.to(dtype), sequences, training)
        output: Tensor = self.output(attended, hidden, training)
        return output


class SelfAttention(nn.Module):
    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.heads = config.num_attention_heads
        self.query = Linear(config.hidden_size, config.hidden_size)
        self.key = Linear(config.hidden_size, config.hidden_size)
        self.value = Linear(config.hidden_size, config.hidden_size)
        self.projection = Projection(self.query, self.key, self.value)
        self.dropout = config.attention_probs_dropout_prob

    def forward(
        self, hidden: Tensor, sequences: Sequences, training: LayerTraining | None
    ) -> Tensor:
        """[T, H] from [T, H], in the type of `hidden`."""
        if training is not None:
            projected = self.projection(hidden, training.keep_copies)
            return attention(projected, sequences.runs, self.heads, self.dropout, training.masks)
        sizes = [count * length for count, length in sequences.runs]
        query, key, value = (
            torch.split(linear(hidden), sizes) for linear in (self.query, self.key, self.value)
        )
        attended = [
            F.scaled_dot_product_attention(
                self.by_head(of_query, *shape),
                self.by_head(of_key, *shape),
                self.by_head(of_value, *shape),
                attn_mask=sequences.mask,
            )
            for shape, of_query, of_key, of_value in zip(
                sequences.runs, query, key, value, strict=True
            )
        ]
        return torch.cat([run.transpose(1, 2).reshape(-1, hidden.shape[1]) for run in attended])

    def by_head(self, run: Tensor, count: int, length: int) -> Tensor:
        """[count, heads, length, H / heads] from [count * length, H]."""
        return run.view(count, length, self.heads, -1).transpose(1, 2)


class Intermediate(nn.Module):
    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = Linear(config.hidden_size, config.intermediate_size)
        self.gelu_form = GELU_FORMS[config.hidden_act]
        self.projection = Projection(self.dense, gelu=self.gelu_form)

    def forward(self, hidden: Tensor, training: LayerTraining | None) -> Tensor:
        if training is not None:
            return self.projection(hidden, training.keep_copies)
        return F.gelu(self.dense(hidden), approximate=self.gelu_form)


class Output(nn.Module):
    """Linear, dropout, residual sum and LayerNorm: how both halves of a layer end."""

    def __init__(self, config: BertConfig, input_size: int) -> None:
        super().__init__()
        self.dense = Linear(input_size, config.hidden_size)
        self.projection = Projection(self.dense)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = config.hidden_dropout_prob

    def forward(self, hidden: Tensor, residual: Tensor, training: LayerTraining | None) -> Tensor:
        """float32[T, H]; the sum is float32 because `residual` is."""
        if training is None:
            normed: Tensor = self.LayerNorm(self.dense(hidden) + residual)
            return normed
        mask = training.masks.draw(residual.shape, self.dropout)
        projected = self.projection(hidden, training.keep_copies)
        return add_norm(projected, residual, self.LayerNorm, mask, self.dropout)


class Unfilled(nn.Linear):
    """A linear layer whose parameters come from a file, so no random numbers are drawn for them:
    for parameters without memory PyTorch would import its compiler for that, which takes 2 s."""

    def reset_parameters(self) -> None:
        pass


def unfilled_embedding(rows: int, width: int) -> nn.Embedding:
    return nn.Embedding(rows, width, _weight=torch.empty(rows, width))


class Linear(Unfilled):
    """A linear layer that computes in the type of its input, whatever type its weights have."""

    def forward(self, hidden: Tensor) -> Tensor:
        return linear(hidden, self.weight.to(hidden.dtype), self.bias.to(hidden.dtype))
