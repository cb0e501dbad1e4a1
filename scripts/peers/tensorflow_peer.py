"""TensorFlow, what the guide's software became: BERT written out in `tf.function`s, with the
weights of the model folder. Everything padded to max_seq_length, as run_squad.py does.

BF16: matrix products in bfloat16 from float32 weights that are cast where they are used; LayerNorm,
softmax and loss in float32, as in Intel's BF16 model.
"""

import argparse
import json
from pathlib import Path

import tensorflow as tf
from safetensors.numpy import load_file

from protocol import Features, Logits, Rectangle, serve

LEARNING_RATE = 1e-5
MAX_GRAD_NORM = 1.0
BETA_1, BETA_2, EPSILON, WEIGHT_DECAY = 0.9, 0.999, 1e-6, 0.01
MICRO_BATCH = 4  # sequences of a forward and backward pass
FAR_BELOW = -1e9  # added to a score or logit of padding


class Bert:
    """Start and end logits, float32[batch, length], from int64[batch, length] each."""

    def __init__(self, folder: Path, precision: str, trainable: bool) -> None:
        config = json.loads((folder / "config.json").read_text())
        self.layers = config["num_hidden_layers"]
        self.heads = config["num_attention_heads"]
        self.epsilon = config["layer_norm_eps"]
        self.type = tf.bfloat16 if precision == "bf16" else tf.float32
        # Linear weights are stored [out, in]; TensorFlow multiplies from the left.
        tensors = {
            name: array.T.copy() if is_linear(name) else array
            for name, array in load_file(folder / "model.safetensors").items()
        }
        if trainable:
            self.weights = {name: tf.Variable(array) for name, array in tensors.items()}
        else:  # constants, which the graph may fold and pack
            self.weights = {
                name: tf.cast(array, self.type if is_encoder_linear(name) else tf.float32)
                for name, array in tensors.items()
            }

    def __call__(self, ids: tf.Tensor, mask: tf.Tensor, segments: tf.Tensor) -> list[tf.Tensor]:
        length = tf.shape(ids)[1]
        name = "bert.embeddings"
        weights = self.weights
        hidden = tf.gather(weights[f"{name}.word_embeddings.weight"], ids)
        hidden += weights[f"{name}.position_embeddings.weight"][:length]
        hidden += tf.gather(weights[f"{name}.token_type_embeddings.weight"], segments)
        hidden = self.norm(hidden, f"{name}.LayerNorm")
        bias = (1.0 - tf.cast(mask, tf.float32))[:, None, None, :] * FAR_BELOW
        for number in range(self.layers):
            hidden = self.layer(hidden, bias, f"bert.encoder.layer.{number}")
        out = tf.matmul(hidden, weights["qa_outputs.weight"]) + weights["qa_outputs.bias"]
        start, end = tf.unstack(out, axis=-1)
        return [start, end]

    def layer(self, hidden: tf.Tensor, bias: tf.Tensor, name: str) -> tf.Tensor:
        low = tf.cast(hidden, self.type)
        query, key, value = (
            self.by_head(self.linear(low, f"{name}.attention.self.{part}"))
            for part in ("query", "key", "value")
        )
        scores = tf.cast(tf.matmul(query, key, transpose_b=True), tf.float32)
        scores = scores * query.shape[-1] ** -0.5 + bias
        attended = tf.matmul(tf.cast(tf.nn.softmax(scores), self.type), value)
        attended = tf.reshape(tf.transpose(attended, [0, 2, 1, 3]), tf.shape(low))
        attended = self.linear(attended, f"{name}.attention.output.dense")
        hidden = self.norm(
            tf.cast(attended, tf.float32) + hidden, f"{name}.attention.output.LayerNorm"
        )
        inner = self.linear(tf.cast(hidden, self.type), f"{name}.intermediate.dense")
        outer = self.linear(tf.nn.gelu(inner), f"{name}.output.dense")
        return self.norm(tf.cast(outer, tf.float32) + hidden, f"{name}.output.LayerNorm")

    def by_head(self, hidden: tf.Tensor) -> tf.Tensor:
        """[batch, heads, length, d] from [batch, length, hidden]."""
        batch, length = tf.shape(hidden)[0], tf.shape(hidden)[1]
        size = hidden.shape[-1] // self.heads
        return tf.transpose(tf.reshape(hidden, [batch, length, self.heads, size]), [0, 2, 1, 3])

    def linear(self, hidden: tf.Tensor, name: str) -> tf.Tensor:
        """A product of [tokens, in] and [in, out]: one large matrix is faster than a batch."""
        weight = tf.cast(self.weights[f"{name}.weight"], self.type)
        bias = tf.cast(self.weights[f"{name}.bias"], self.type)
        flat = tf.matmul(tf.reshape(hidden, [-1, hidden.shape[-1]]), weight)
        shape = tf.concat([tf.shape(hidden)[:-1], [weight.shape[1]]], axis=0)
        out = tf.reshape(tf.nn.bias_add(flat, bias), shape)
        return tf.ensure_shape(out, [None, None, weight.shape[1]])

    def norm(self, hidden: tf.Tensor, name: str) -> tf.Tensor:
        mean, variance = tf.nn.moments(hidden, axes=[-1], keepdims=True)
        return tf.nn.batch_normalization(
            hidden,
            mean,
            variance,
            self.weights[f"{name}.bias"],
            self.weights[f"{name}.weight"],
            self.epsilon,
        )


def is_linear(name: str) -> bool:
    return name.endswith("weight") and "embeddings" not in name and "LayerNorm" not in name


def is_encoder_linear(name: str) -> bool:
    """The answer head stays in float32."""
    return is_linear(name) and not name.startswith("qa_outputs")


class Inference:
    def __init__(self, args: argparse.Namespace, features: Features) -> None:
        bert = Bert(args.model, args.precision, trainable=False)
        self.features = features
        self.batches = features.batches("padded")
        self.compiled = tf.function(
            bert, input_signature=[tf.TensorSpec([None, None], tf.int64)] * 3
        )

    def logits(self, batch: Rectangle) -> Logits:
        start, end = self.compiled(*map(tf.constant, batch))
        return start.numpy(), end.numpy()

    def check(self) -> list[float]:
        return self.features.checked(True, self.logits)

    def run(self) -> int:
        return sum(len(self.logits(batch)[0]) for batch in self.batches)


class Training:
    """A step: forward and backward in micro-batches with all gradients, clipping, Google's Adam."""

    def __init__(self, args: argparse.Namespace, features: Features) -> None:
        self.features = features
        self.bert = Bert(args.model, args.precision, trainable=True)
        self.variables = list(self.bert.weights.values())
        self.gradients = [tf.Variable(tf.zeros_like(v)) for v in self.variables]
        self.first = [tf.Variable(tf.zeros_like(v)) for v in self.variables]
        self.second = [tf.Variable(tf.zeros_like(v)) for v in self.variables]
        self.share = 1.0 / (2 * len(features.input_ids))
        self.pieces = []
        for numbers in features.by_count(MICRO_BATCH):
            answers = (features.start_positions[numbers], features.end_positions[numbers])
            arrays = features.rectangle(numbers, features.max_seq_length)
            self.pieces.append(tuple(map(tf.constant, (*arrays, *answers))))
        self.add_gradients = tf.function(self._add_gradients)
        self.update = tf.function(self._update)

    def _add_gradients(
        self, ids: tf.Tensor, mask: tf.Tensor, segments: tf.Tensor, start: tf.Tensor, end: tf.Tensor
    ) -> tf.Tensor:
        with tf.GradientTape() as tape:
            padding = (1.0 - tf.cast(mask, tf.float32)) * FAR_BELOW
            logits = self.bert(ids, mask, segments)
            losses = [
                tf.nn.sparse_softmax_cross_entropy_with_logits(position, part + padding)
                for position, part in zip((start, end), logits, strict=True)
            ]
            loss = (tf.reduce_sum(losses[0]) + tf.reduce_sum(losses[1])) * self.share
        for total, gradient in zip(
            self.gradients, tape.gradient(loss, self.variables), strict=True
        ):
            if isinstance(gradient, tf.IndexedSlices):
                total.scatter_add(gradient)
            else:
                total.assign_add(gradient)
        return loss

    def _update(self) -> None:
        clipped, _ = tf.clip_by_global_norm([g.read_value() for g in self.gradients], MAX_GRAD_NORM)
        for variable, gradient, total, m, v in zip(
            self.variables, clipped, self.gradients, self.first, self.second, strict=True
        ):
            m.assign(BETA_1 * m + (1 - BETA_1) * gradient)
            v.assign(BETA_2 * v + (1 - BETA_2) * tf.square(gradient))
            change = m / (tf.sqrt(v) + EPSILON) + WEIGHT_DECAY * variable
            variable.assign_sub(LEARNING_RATE * change)
            total.assign(tf.zeros_like(total))

    def check(self) -> list[float]:
        loss = sum(float(self.add_gradients(*piece)) for piece in self.pieces)
        norm = float(tf.linalg.global_norm([g.read_value() for g in self.gradients]))
        for total in self.gradients:
            total.assign(tf.zeros_like(total))
        return [loss, norm]

    def run(self) -> int:
        for piece in self.pieces:
            self.add_gradients(*piece)
        self.update()
        return len(self.features.input_ids)


def load(args: argparse.Namespace) -> Inference | Training:
    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    kind = Training if args.variant == "training" else Inference
    return kind(args, Features.read(args.input))


if __name__ == "__main__":
    serve(load, "tensorflow-cpu")
