"""Make the checkpoints in tests/data/tf_checkpoints with TensorFlow itself, in an environment of
its own.

Example:
    python3 -m venv /tmp/tf && /tmp/tf/bin/pip install "tensorflow-cpu==2.21.*" google-crc32c
    PYTHONPATH=scripts /tmp/tf/bin/python tests/data/make_tf_checkpoints.py

Beside every checkpoint lies expected.json: what TensorFlow reads from it (dtype, shape and SHA-256
of the values' bytes), and for the BERTs what TensorFlow computes with it. Ends with a check that
TensorFlow reads what bertsquad.checkpoint.bundle writes, and that both write the same bytes.
"""

import hashlib
import json
import os
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

from bertsquad.checkpoint import bundle

HERE = Path(__file__).resolve().parent
v1 = tf.compat.v1
CONFIG = {
    "attention_probs_dropout_prob": 0.1,
    "directionality": "bidi",
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 8,
    "initializer_range": 0.02,
    "intermediate_size": 16,
    "max_position_embeddings": 16,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "type_vocab_size": 2,
    "vocab_size": 30,
}
SPECIAL = ["[PAD]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
INPUT_IDS = [3, 9, 12, 4, 21, 7, 29, 15, 4]
SEGMENTS = [0, 0, 0, 0, 1, 1, 1, 1, 1]


def main() -> None:
    root = HERE / "tf_checkpoints"
    shutil.rmtree(root, ignore_errors=True)
    for name in ("google", "sharded", "intel", "dtypes", "partitioned", "many_names"):
        (root / name).mkdir(parents=True)
    make_google(root / "google")
    make_google(root / "sharded", devices=3)
    make_intel(root / "intel")
    make_dtypes(root / "dtypes")
    make_partitioned(root / "partitioned")
    make_many_names(root / "many_names")
    check_that_tensorflow_reads_ours()
    print(f"{root}: {sum(p.stat().st_size for p in root.rglob('*') if p.is_file()):,} bytes")


def make_google(folder: Path, devices: int = 1) -> None:
    """A pretrained BERT with Google's names and heads; with `devices` > 1, in that many shards."""
    values = bert_values("LayerNorm") | {
        "cls/predictions/output_bias": (30,),
        "cls/predictions/transform/dense/kernel": (8, 8),
        "cls/predictions/transform/dense/bias": (8,),
        "cls/predictions/transform/LayerNorm/gamma": (8,),
        "cls/predictions/transform/LayerNorm/beta": (8,),
        "cls/seq_relationship/output_weights": (2, 8),
        "cls/seq_relationship/output_bias": (2,),
    }
    tensors = {name: random_values(name, shape) for name, shape in values.items()}
    tensors["global_step"] = np.int64(1_000_000)
    save(folder / "bert_model.ckpt", tensors, devices=devices)
    layer_norms = {
        scope: batch_norm_with_google_epsilon(tensors, f"{scope}/LayerNorm") for scope in scopes()
    }
    sequence = sequence_output(tensors, layer_norms, gelu=gelu_of_google)
    pooled = tf.tanh(dense(tensors, "bert/pooler/dense", sequence[:1]))
    relationship = pooled @ tensors["cls/seq_relationship/output_weights"].T
    relationship += tensors["cls/seq_relationship/output_bias"]
    write_bert(folder, tensors, sequence, seq_relationship=relationship[0], cased=True)


def make_intel(folder: Path) -> None:
    """A BERT fine-tuned on SQuAD with the names of Intel's Model Zoo and optimizer slots."""
    numbers = {scope: f"_{n}" if n else "" for n, scope in enumerate(scopes())}
    shapes = bert_values("layer_normalization", numbers) | {
        "cls/squad/output_weights": (2, 8),
        "cls/squad/output_bias": (2,),
    }
    tensors = {name: random_values(name, shape) for name, shape in shapes.items()}
    for name, shape in shapes.items():
        if not name.startswith("bert/pooler/"):  # SQuAD's loss does not reach the pooler
            for slot in ("adam_m", "adam_v"):
                tensors[f"{name}/{slot}"] = random_values(f"{name}/{slot}", shape)
    tensors["global_step"] = np.int64(3649)
    save(folder / "model.ckpt-3649", tensors)
    layer_norms = {
        scope: keras_layer_norm(tensors, f"{scope}/layer_normalization{number}")
        for scope, number in numbers.items()
    }
    sequence = sequence_output(tensors, layer_norms, gelu=tf.nn.gelu)
    logits = sequence @ tensors["cls/squad/output_weights"].T + tensors["cls/squad/output_bias"]
    write_bert(folder, tensors, sequence, logits=logits, cased=False)


def make_dtypes(folder: Path) -> None:
    """One tensor of every type that is read, a scalar, an empty one and, not read, a string."""
    tensors = {
        dtype.name: tf.cast(tf.constant([[0, 1, 2], [3, 100, 5]]), dtype)
        for dtype in (
            tf.float64, tf.float32, tf.float16, tf.int64, tf.int32, tf.int16, tf.int8,
            tf.uint64, tf.uint32, tf.uint16, tf.uint8, tf.bool,
        )
    }  # fmt: skip
    tensors["bfloat16"] = tf.cast(tf.constant([[1.5, -2.25, 3e38], [1e-38, 0.1, 0]]), tf.bfloat16)
    tensors["scalar"] = tf.constant(2.5)
    tensors["empty"] = tf.zeros((0, 3))
    tensors["text"] = tf.constant(["not", "read"])
    save_v2(folder / "model.ckpt", tensors)
    numeric = {
        name: tf.cast(tensor, tf.float32).numpy() if name == "bfloat16" else tensor.numpy()
        for name, tensor in tensors.items()
        if name != "text"
    }
    write_expected(folder, numeric)


def make_partitioned(folder: Path) -> None:
    """A variable in two parts, which is refused, beside a whole one."""
    with v1.Graph().as_default(), v1.Session() as session:
        v1.get_variable(
            "parted", initializer=tf.range(12.0), partitioner=v1.fixed_size_partitioner(2)
        )
        v1.get_variable("whole", initializer=tf.range(3.0), use_resource=True)
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(
            session, str(folder / "model.ckpt"), write_meta_graph=False, write_state=False
        )


def make_many_names(folder: Path) -> None:
    """An index of several blocks (TensorFlow's have 262,144 bytes), zipped because it is large."""
    tensors = {f"{n:04d}/{'long/' * 100}": np.float32(n) for n in range(800)}
    tensors |= {f"bert/encoder/layer_{n}/kernel": np.full((2, 1), n, "f4") for n in range(800)}
    with tempfile.TemporaryDirectory() as temporary:
        save_v2(Path(temporary) / "model.ckpt", tensors)
        with zipfile.ZipFile(folder / "checkpoint.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(Path(temporary).iterdir()):
                member = zipfile.ZipInfo(path.name, (2020, 1, 1, 0, 0, 0))
                archive.writestr(member, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)


def scopes() -> list[str]:
    """The scopes that hold a norm, in the order of their creation."""
    layers = [f"bert/encoder/layer_{n}" for n in range(CONFIG["num_hidden_layers"])]
    nested = [(f"{layer}/attention/output", f"{layer}/output") for layer in layers]
    return ["bert/embeddings", *(scope for pair in nested for scope in pair)]


def bert_values(norm: str, numbers: dict[str, str] | None = None) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a BERT of this CONFIG, its norms named `norm` and a number."""
    width, inner = CONFIG["hidden_size"], CONFIG["intermediate_size"]
    shapes = {
        "bert/embeddings/word_embeddings": (CONFIG["vocab_size"], width),
        "bert/embeddings/token_type_embeddings": (CONFIG["type_vocab_size"], width),
        "bert/embeddings/position_embeddings": (CONFIG["max_position_embeddings"], width),
    }
    kernels = {"bert/pooler/dense": (width, width)}
    for number in range(CONFIG["num_hidden_layers"]):
        layer = f"bert/encoder/layer_{number}"
        for name in ("query", "key", "value"):
            kernels[f"{layer}/attention/self/{name}"] = (width, width)
        kernels[f"{layer}/attention/output/dense"] = (width, width)
        kernels[f"{layer}/intermediate/dense"] = (width, inner)
        kernels[f"{layer}/output/dense"] = (inner, width)
    for name, shape in kernels.items():
        shapes |= {f"{name}/kernel": shape, f"{name}/bias": shape[1:]}
    for scope in scopes():
        name = f"{scope}/{norm}{(numbers or {}).get(scope, '')}"
        shapes |= {f"{name}/gamma": (width,), f"{name}/beta": (width,)}
    return shapes


def random_values(name: str, shape: tuple[int, ...]) -> np.ndarray:
    generator = np.random.default_rng(zlib.crc32(name.encode()))
    return generator.normal(scale=0.5, size=shape).astype("f4")


def save(prefix: Path, tensors: dict[str, np.ndarray], devices: int = 1) -> None:
    """Save variables by TensorFlow 1's Saver, as Google's and Intel's code does."""
    config = v1.ConfigProto(device_count={"CPU": devices})
    with v1.Graph().as_default(), v1.Session(config=config) as session:
        for number, (name, value) in enumerate(tensors.items()):
            with tf.device(f"/cpu:{number % devices}"):
                v1.get_variable(name, initializer=value)
        session.run(v1.global_variables_initializer())
        saver = v1.train.Saver(sharded=devices > 1)
        saver.save(session, str(prefix), write_meta_graph=False, write_state=False)


def save_v2(prefix: Path, tensors: dict[str, tf.Tensor | np.ndarray]) -> None:
    names = sorted(tensors)
    values = [tf.constant(tensors[name]) for name in names]
    tf.raw_ops.SaveV2(
        prefix=str(prefix), tensor_names=names, shape_and_slices=[""] * len(names), tensors=values
    )


def sequence_output(tensors, layer_norms, *, gelu) -> tf.Tensor:  # [tokens, hidden_size]
    """BERT's forward pass on INPUT_IDS and SEGMENTS, with TensorFlow's own operations."""
    heads, width = CONFIG["num_attention_heads"], CONFIG["hidden_size"]
    states = tf.gather(tensors["bert/embeddings/word_embeddings"], INPUT_IDS)
    states += tf.gather(tensors["bert/embeddings/token_type_embeddings"], SEGMENTS)
    states += tensors["bert/embeddings/position_embeddings"][: len(INPUT_IDS)]
    states = layer_norms["bert/embeddings"](states)
    for number in range(CONFIG["num_hidden_layers"]):
        layer = f"bert/encoder/layer_{number}"
        query, key, value = (
            tf.transpose(
                tf.reshape(
                    dense(tensors, f"{layer}/attention/self/{name}", states),
                    [len(INPUT_IDS), heads, width // heads],
                ),
                [1, 0, 2],
            )
            for name in ("query", "key", "value")
        )
        scores = tf.matmul(query, key, transpose_b=True) / np.sqrt(width / heads).astype("f4")
        context = tf.reshape(tf.transpose(tf.nn.softmax(scores) @ value, [1, 0, 2]), states.shape)
        attended = dense(tensors, f"{layer}/attention/output/dense", context)
        states = layer_norms[f"{layer}/attention/output"](attended + states)
        inner = gelu(dense(tensors, f"{layer}/intermediate/dense", states))
        states = layer_norms[f"{layer}/output"](
            dense(tensors, f"{layer}/output/dense", inner) + states
        )
    return states


def dense(tensors, scope: str, values) -> tf.Tensor:
    return tf.matmul(values, tensors[f"{scope}/kernel"]) + tensors[f"{scope}/bias"]


def batch_norm_with_google_epsilon(tensors, scope: str):
    """What tf.contrib.layers.layer_norm computes."""

    def layer_norm(values):
        mean, variance = tf.nn.moments(values, [-1], keepdims=True)
        gamma, beta = tensors[f"{scope}/gamma"], tensors[f"{scope}/beta"]
        return tf.nn.batch_normalization(values, mean, variance, beta, gamma, 1e-12)

    return layer_norm


def keras_layer_norm(tensors, scope: str):
    """Keras's layer with its default epsilon, as Intel's code uses it."""
    layer = tf.keras.layers.LayerNormalization()
    layer.build((None, CONFIG["hidden_size"]))
    layer.set_weights([tensors[f"{scope}/gamma"], tensors[f"{scope}/beta"]])
    return layer


def gelu_of_google(values) -> tf.Tensor:
    return tf.nn.gelu(values, approximate=True)


def write_bert(folder: Path, tensors, sequence, *, cased: bool, **outputs) -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if cased else "abcdefghijklmnopqrstuvwxyz"
    tokens = SPECIAL + list(letters)[: CONFIG["vocab_size"] - len(SPECIAL)]
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n")
    (folder / "bert_config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    computed = {"sequence_output": sequence, **outputs}
    write_expected(
        folder,
        tensors,
        input_ids=INPUT_IDS,
        segments=SEGMENTS,
        **{name: np.asarray(value).tolist() for name, value in computed.items()},
    )


def write_expected(folder: Path, tensors: dict[str, np.ndarray], **more) -> None:
    prefix = str(next(folder.glob("*.index"))).removesuffix(".index")
    reader = tf.train.load_checkpoint(prefix)
    described = {}
    for name in sorted(tensors):
        read = np.asarray(reader.get_tensor(name))
        if name == "bfloat16":
            read = read.astype("f4")
        assert read.tobytes() == tensors[name].tobytes(), name
        digest = hashlib.sha256(read.tobytes()).hexdigest()
        described[name] = [read.dtype.name, list(read.shape), digest]
    lines = ",\n".join(f"  {json.dumps(n)}: {json.dumps(d)}" for n, d in described.items())
    rest = "".join(f',\n"{key}": {json.dumps(value)}' for key, value in more.items())
    (folder / "expected.json").write_text(f'{{"tensors": {{\n{lines}\n}}{rest}}}\n')


def check_that_tensorflow_reads_ours() -> None:
    generator = np.random.default_rng(0)
    tensors = {f"scope_{n}/{'long/' * 100}{n % 7}": np.float32(n) for n in range(1200)}
    tensors |= {f"b/{n}": generator.normal(size=(n, 3)).astype("f4") for n in range(20)}
    tensors |= {"half": np.ones((2, 2), "f2"), "step": np.int64(-5), "truth": np.array([True])}
    with tempfile.TemporaryDirectory() as temporary:
        ours, theirs = Path(temporary) / "ours", Path(temporary) / "theirs"
        bundle.write(ours, tensors)
        reader = tf.train.load_checkpoint(str(ours))
        assert reader.get_variable_to_shape_map().keys() == tensors.keys()
        for name, value in tensors.items():
            read = reader.get_tensor(name)
            assert read.dtype == value.dtype, name
            np.testing.assert_array_equal(read, value)
        save_v2(theirs, tensors)
        for suffix in (".index", ".data-00000-of-00001"):
            assert Path(f"{ours}{suffix}").read_bytes() == Path(f"{theirs}{suffix}").read_bytes()
    print("TensorFlow reads what bundle.write writes, and writes the same bytes")


if __name__ == "__main__":
    main()
