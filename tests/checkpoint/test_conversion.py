"""Checkpoints of three origins become folders that transformers loads."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForNextSentencePrediction,
    BertForPreTraining,
    BertForQuestionAnswering,
    BertModel,
)

from bertsquad.checkpoint import bundle, conversion
from bertsquad.checkpoint.conversion import convert
from bertsquad.console.errors import UserError
from bertsquad.model.config import encoder_shapes

FILES = ["config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def convert_folder(source: Path, output: Path, **options: Any) -> conversion.Conversion:
    """Convert one of the checkpoints that TensorFlow wrote, or a copy of it."""
    prefix = next(source.glob("*.index"))
    options = {"origin": "google"} | options
    return convert(prefix, source / "bert_config.json", source / "vocab.txt", output, **options)


@pytest.fixture
def google(tf_checkpoints: Path, tmp_path: Path) -> Path:
    """A copy of Google's checkpoint, to change."""
    return shutil.copytree(tf_checkpoints / "google", tmp_path / "google")


def rewrite(folder: Path, change: Callable[[dict[str, np.ndarray]], None]) -> None:
    """Change the tensors of a checkpoint."""
    prefix = folder / "bert_model.ckpt"
    tensors = bundle.read(prefix)
    change(tensors)
    bundle.write(prefix, tensors)


def expected_of(folder: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """What TensorFlow computed, and the input it computed it from."""
    expected = json.loads((folder / "expected.json").read_text())
    inputs = {
        "input_ids": torch.tensor([expected["input_ids"]]),
        "token_type_ids": torch.tensor([expected["segments"]]),
    }
    return expected, inputs


@pytest.mark.parametrize("name", ["google", "sharded"])
def test_google_s_checkpoint_computes_what_tensorflow_computes(
    name: str, tf_checkpoints: Path, tmp_path: Path
) -> None:
    done = convert_folder(tf_checkpoints / name, tmp_path)
    assert done.architecture == "BertForNextSentencePrediction"
    assert done.dropped == 6  # the five tensors of cls/predictions, and global_step
    expected, inputs = expected_of(tf_checkpoints / name)
    model = BertForNextSentencePrediction.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        hidden = model.bert(**inputs).last_hidden_state[0]
        relationship = model(**inputs).logits[0]
    np.testing.assert_allclose(hidden, expected["sequence_output"], atol=2e-5)
    np.testing.assert_allclose(relationship, expected["seq_relationship"], atol=2e-5)


def test_intel_s_fine_tuned_checkpoint_computes_what_tensorflow_computes(
    tf_checkpoints: Path, tmp_path: Path
) -> None:
    done = convert_folder(tf_checkpoints / "intel", tmp_path, origin="intel")
    assert done.architecture == "BertForQuestionAnswering"
    assert (done.layer_norm_eps, done.hidden_act) == (1e-3, "gelu")
    expected, inputs = expected_of(tf_checkpoints / "intel")
    model = BertForQuestionAnswering.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        outputs = model(**inputs)
    logits = torch.stack([outputs.start_logits[0], outputs.end_logits[0]], dim=-1)
    np.testing.assert_allclose(logits, expected["logits"], atol=2e-5)


@pytest.mark.parametrize("override", [{"layer_norm_eps": 1e-12}, {"gelu": "tanh"}])
def test_the_origin_s_epsilon_and_gelu_are_needed_for_that(
    override: dict[str, Any], tf_checkpoints: Path, tmp_path: Path
) -> None:
    convert_folder(tf_checkpoints / "intel", tmp_path, origin="intel", **override)
    expected, inputs = expected_of(tf_checkpoints / "intel")
    model = BertModel.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        hidden = model(**inputs).last_hidden_state[0]
    assert np.abs(hidden.numpy() - np.array(expected["sequence_output"])).max() > 2e-4


def google_name(name: str) -> tuple[str, bool]:
    """Google's name for a tensor of transformers, and whether it is transposed: written down
    apart from the library, in the other direction."""
    heads = {
        "qa_outputs.weight": "cls/squad/output_weights",
        "qa_outputs.bias": "cls/squad/output_bias",
        "cls.seq_relationship.weight": "cls/seq_relationship/output_weights",
        "cls.seq_relationship.bias": "cls/seq_relationship/output_bias",
    }
    if name in heads:
        return heads[name], False
    path = name.replace("encoder.layer.", "encoder.layer_").replace(".", "/")
    if "LayerNorm" in path:
        return path.replace("/weight", "/gamma").replace("/bias", "/beta"), False
    if "embeddings" in path:
        return path.removesuffix("/weight"), False
    return path.replace("/weight", "/kernel"), path.endswith("/weight")


@pytest.mark.parametrize("kind", [BertForQuestionAnswering, BertForPreTraining])
def test_a_model_of_transformers_under_google_s_names_comes_back_equal(
    kind: type, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=30,
        hidden_size=12,
        num_hidden_layers=3,
        num_attention_heads=3,
        intermediate_size=20,
        max_position_embeddings=10,
        hidden_act="gelu_pytorch_tanh",
    )
    model = kind(config).eval()
    kept = {k: v for k, v in model.state_dict().items() if not k.startswith("cls.predictions")}
    tensors = {}
    for name, values in kept.items():
        given, transposed = google_name(name)
        tensors[given] = (values.T if transposed else values).numpy()
    bundle.write(tmp_path / "bert_model.ckpt", tensors)
    (tmp_path / "bert_config.json").write_text(json.dumps(config.to_dict()))
    write_vocabulary(tmp_path / "vocab.txt", 30)
    convert_folder(tmp_path, tmp_path / "out")
    read = load_file(tmp_path / "out/model.safetensors")
    assert read.keys() == kept.keys()
    for name, values in kept.items():
        np.testing.assert_array_equal(read[name], values.numpy(), strict=True)
    if kind is BertForQuestionAnswering:
        inputs = {"input_ids": torch.tensor([[2, 9, 8, 3, 7, 3]])}
        with torch.no_grad():
            ours = BertForQuestionAnswering.from_pretrained(tmp_path / "out").eval()(**inputs)
            theirs = model(**inputs)
        torch.testing.assert_close(ours.start_logits, theirs.start_logits)
        torch.testing.assert_close(ours.end_logits, theirs.end_logits)


def write_vocabulary(path: Path, size: int) -> None:
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"{a}{b}" for a in LETTERS for b in LETTERS)]
    path.write_text("\n".join(tokens[:size]) + "\n")


def test_a_real_encoder_of_hugging_face(minilm_dir: Path, tmp_path: Path) -> None:
    done = convert(
        minilm_dir / "model.safetensors",
        minilm_dir / "config.json",
        minilm_dir / "vocab.txt",
        tmp_path,
        origin="huggingface",
        casing="uncased",
    )
    assert done.architecture == "BertModel"
    assert done.parameters == 22_713_216
    assert (done.hidden_act, done.layer_norm_eps) == ("gelu", 1e-12)
    inputs = {"input_ids": torch.tensor([[101, 7592, 2088, 102]])}
    with torch.no_grad():
        ours = BertModel.from_pretrained(tmp_path).eval()(**inputs)
        theirs = BertModel.from_pretrained(minilm_dir).eval()(**inputs)
    # Not bit for bit: the library maps its files, and kernels choose their path by alignment.
    torch.testing.assert_close(ours.last_hidden_state, theirs.last_hidden_state)
    torch.testing.assert_close(ours.pooler_output, theirs.pooler_output)
    assert (tmp_path / "vocab.txt").read_bytes() == (minilm_dir / "vocab.txt").read_bytes()


def test_a_converted_folder_converts_to_itself(tf_checkpoints: Path, tmp_path: Path) -> None:
    convert_folder(tf_checkpoints / "intel", tmp_path / "one", origin="intel")
    one = tmp_path / "one"
    convert(
        one / "model.safetensors",
        one / "config.json",
        one / "vocab.txt",
        tmp_path / "two",
        origin="huggingface",
    )
    for name in FILES:
        assert (one / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_old_names_buffers_and_other_precisions_of_hugging_face(
    tf_checkpoints: Path, tmp_path: Path
) -> None:
    source = tf_checkpoints / "google"
    convert_folder(source, tmp_path)
    new = load_file(tmp_path / "model.safetensors")
    old = {"bert.embeddings.position_ids": np.arange(16)[None], "cls.predictions.bias": np.ones(30)}
    for name, values in new.items():
        if "LayerNorm" in name:
            name = name.replace("weight", "gamma").replace("bias", "beta")
        old[name] = values.astype("f2")
    save_file(old, tmp_path / "old.safetensors")
    convert(
        tmp_path / "old.safetensors",
        source / "bert_config.json",
        source / "vocab.txt",
        tmp_path / "again",
        origin="huggingface",
    )
    again = load_file(tmp_path / "again/model.safetensors")
    assert again.keys() == new.keys()
    for name, values in new.items():
        expected = values.astype("f2").astype("f4")
        np.testing.assert_array_equal(again[name], expected, strict=True)


@pytest.mark.parametrize(("name", "tokens"), [("google", ["A", "B"]), ("intel", ["a", "b"])])
def test_transformers_tokenizes_as_the_vocabulary_is_cased(
    name: str, tokens: list[str], tf_checkpoints: Path, tmp_path: Path
) -> None:
    convert_folder(tf_checkpoints / name, tmp_path, origin=name)
    assert AutoTokenizer.from_pretrained(tmp_path).tokenize("A B") == tokens


def test_the_configuration_is_transformers_own(google: Path, tmp_path: Path) -> None:
    convert_folder(google, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES
    config = BertConfig.from_pretrained(tmp_path / "out")
    assert config.architectures == ["BertForNextSentencePrediction"]
    assert config.hidden_act == "gelu_pytorch_tanh"
    assert config.layer_norm_eps == 1e-12
    assert config.pad_token_id == 0
    assert config.dtype == torch.float32


def test_a_checkpoint_may_lack_pooler_and_heads(google: Path, tmp_path: Path) -> None:
    def strip(tensors: dict[str, np.ndarray]) -> None:
        for name in list(tensors):
            if name.startswith(("cls/", "bert/pooler/")):
                del tensors[name]

    rewrite(google, strip)
    assert convert_folder(google, tmp_path / "out").architecture == "BertModel"


QUERY = "bert/encoder/layer_1/attention/self/query/kernel"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop(QUERY),
         "tensors 1 missing: bert.encoder.layer.1.attention.self.query.weight."),
        (lambda t: [t.pop(n) for n in list(t) if "layer_0" in n],
         "tensors 16 missing: bert.encoder.layer.0.attention.output.LayerNorm.bias, "
         "bert.encoder.layer.0.attention.output.LayerNorm.weight, "
         "bert.encoder.layer.0.attention.output.dense.bias and 13 more."),
        (lambda t: t.pop("cls/seq_relationship/output_bias"),
         "tensors 1 missing: cls.seq_relationship.bias."),
        (lambda t: t.update({"bert/encoder/layer_2/output/dense/bias": np.zeros(8, "f4")}),
         "tensors 1 unknown: bert/encoder/layer_2/output/dense/bias."),
        (lambda t: t.update({"bert/encoder/layer_0/intermediate/dense/kernel": np.zeros((16, 8))}),
         "bert/encoder/layer_0/intermediate/dense/kernel is [16, 8], expected [8, 16]"),
        (lambda t: t.update({QUERY: np.zeros((8, 8), "i8")}),
         f"tensor {QUERY} holds int64 values; expected floating point"),
        (lambda t: t.update({"a/.ATTRIBUTES/VARIABLE_VALUE": t.pop(QUERY)}),
         "object-based TensorFlow 2 checkpoint"),
    ],
)  # fmt: skip
def test_a_tensor_that_does_not_fit_is_named(
    change: Callable[[dict[str, np.ndarray]], None], message: str, google: Path, tmp_path: Path
) -> None:
    rewrite(google, change)
    with pytest.raises(UserError) as error:
        convert_folder(google, tmp_path / "out")
    assert str(google / "bert_model.ckpt") in str(error.value)
    assert message in str(error.value)
    assert not list((tmp_path / "out").glob("*"))


def test_intel_s_names_are_recognised(tf_checkpoints: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Intel's names: is the origin intel\?"):
        convert_folder(tf_checkpoints / "intel", tmp_path, origin="google")


def test_two_tensors_for_one_place_are_refused(google: Path, tmp_path: Path) -> None:
    name = "bert/embeddings/layer_normalization_3/gamma"
    rewrite(google, lambda tensors: tensors.update({name: np.zeros(8, "f4")}))
    with pytest.raises(UserError, match=r"are both bert\.embeddings\.LayerNorm\.weight"):
        convert_folder(google, tmp_path / "out", origin="intel")


def test_a_vocabulary_of_the_wrong_size(google: Path, tmp_path: Path) -> None:
    with (google / "vocab.txt").open("a") as vocabulary:
        vocabulary.write("surplus\n")
    with pytest.raises(UserError, match=r"vocab\.txt: 31 tokens; expected at most 30, the check"):
        convert_folder(google, tmp_path / "out")


def test_rows_without_a_token_are_kept_and_counted(google: Path, tmp_path: Path) -> None:
    lines = (google / "vocab.txt").read_text().splitlines()
    (google / "vocab.txt").write_text("\n".join(lines[:28]) + "\n")
    done = convert_folder(google, tmp_path / "out")
    assert done.notes == [
        f"{google / 'vocab.txt'}: 2 of the embedding's 30 rows have no token; they are kept"
    ]
    with safe_open(tmp_path / "out/model.safetensors", framework="numpy") as stored:
        rows = stored.get_slice("bert.embeddings.word_embeddings.weight").get_shape()[0]
    assert rows == 30


OTHERS = {
    "bert/embeddings/word_embeddings/lamb_m": (30, 8),
    "bert/encoder/layer_0/output/dense/kernel/Adafactor_vc": (8,),
    "loss_scale": (),
    "output_weights": (3, 8),
    "output_bias": (3,),
}


def test_what_bert_does_not_need_is_left_out_and_named(google: Path, tmp_path: Path) -> None:
    convert_folder(google, tmp_path / "before")
    rewrite(google, lambda t: t.update({n: np.ones(s, "f4") for n, s in OTHERS.items()}))
    done = convert_folder(google, tmp_path / "after")
    assert sorted(done.left_out) == sorted(OTHERS)
    before, after = (tmp_path / f"{name}/model.safetensors" for name in ("before", "after"))
    assert before.read_bytes() == after.read_bytes()


def test_names_may_have_a_prefix_of_parallel_training(google: Path, tmp_path: Path) -> None:
    convert_folder(google, tmp_path / "before")

    def prefix(tensors: dict[str, np.ndarray]) -> None:
        for name in list(tensors):
            tensors[f"module/{name}"] = tensors.pop(name)

    rewrite(google, prefix)
    convert_folder(google, tmp_path / "after")
    before, after = (tmp_path / f"{name}/model.safetensors" for name in ("before", "after"))
    assert before.read_bytes() == after.read_bytes()


def test_one_segment_type_is_refused(google: Path, tmp_path: Path) -> None:
    config = json.loads((google / "bert_config.json").read_text()) | {"type_vocab_size": 1}
    (google / "bert_config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=r"type_vocab_size is 1; .* needs two segments"):
        convert_folder(google, tmp_path / "out")


@pytest.mark.parametrize(
    ("beside", "given", "written"),
    [
        (None, {}, {"do_lower_case": False, "guessed_from_vocabulary": True}),
        (None, {"casing": "uncased"}, {"do_lower_case": True}),
        ({"do_lower_case": True}, {}, {"do_lower_case": True}),
        ({"do_lower_case": True}, {"casing": "cased"}, {"do_lower_case": False}),
        (
            {"do_lower_case": True, "strip_accents": False},
            {},
            {"do_lower_case": True, "strip_accents": False},
        ),
        (
            {"do_lower_case": False},
            {"strip_accents": True},
            {"do_lower_case": False, "strip_accents": True},
        ),
    ],
)
def test_casing_is_what_is_said_first(
    beside: Any, given: dict[str, Any], written: dict[str, Any], google: Path, tmp_path: Path
) -> None:
    if beside is not None:
        (google / "tokenizer_config.json").write_text(json.dumps(beside))
    convert_folder(google, tmp_path / "out", **given)
    found = json.loads((tmp_path / "out/tokenizer_config.json").read_text())
    del found["model_max_length"], found["tokenizer_class"]
    assert found == written


def test_damage_found_while_writing_leaves_the_old_folder_as_it_was(
    google: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    convert_folder(google, output)
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    shard = google / "bert_model.ckpt.data-00000-of-00001"
    values = bytearray(shard.read_bytes())
    entry = bundle.Bundle(google / "bert_model.ckpt").entries[QUERY]
    values[entry.offset] ^= 1
    shard.write_bytes(values)
    with pytest.raises(UserError, match=f"tensor {QUERY} is damaged"):
        convert_folder(google, output, gelu="erf")
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before


def test_an_interrupted_conversion_leaves_no_configuration_to_load(
    google: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out"
    convert_folder(google, output)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(conversion, "write_text", killed)
        with pytest.raises(KeyboardInterrupt):
            convert_folder(google, output)
    assert not (output / "config.json").exists()
    convert_folder(google, output)
    assert sorted(path.name for path in output.iterdir()) == FILES


def test_memory_stays_far_below_the_checkpoint_s_size(tmp_path: Path) -> None:
    """100 MB; the bound asked for is 1.2 times the size, what is reached depends on the largest
    tensor alone."""
    if not Path("/proc/self/status").exists():
        pytest.skip("needs /proc to measure memory")
    config = {
        "vocab_size": 100,
        "hidden_size": 512,
        "num_hidden_layers": 8,
        "num_attention_heads": 8,
        "intermediate_size": 2048,
        "max_position_embeddings": 16,
        "type_vocab_size": 2,
    }
    (tmp_path / "bert_config.json").write_text(json.dumps(config))
    write_vocabulary(tmp_path / "vocab.txt", 100)
    tensors = {}
    for name, shape in encoder_shapes(config).items():
        given, transposed = google_name(name)
        tensors[given] = np.ones(shape[:: -1 if transposed else 1], "f4")
    bundle.write(tmp_path / "bert_model.ckpt", tensors)
    size = (tmp_path / "bert_model.ckpt.data-00000-of-00001").stat().st_size
    assert size > 100e6
    program = """
import sys
from bertsquad.checkpoint.conversion import convert

def peak_bytes():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

baseline = peak_bytes()
folder = sys.argv[1]
convert(f"{folder}/bert_model.ckpt", f"{folder}/bert_config.json", f"{folder}/vocab.txt",
        f"{folder}/out", origin="google")
print(peak_bytes() - baseline)
"""
    scripts = Path(conversion.__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path],
        env={"PYTHONPATH": str(scripts)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 0.3 * size
