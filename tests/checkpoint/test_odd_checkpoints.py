"""Checkpoints that lack something, hold too much or are damaged; conversions that are cut short."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

from bertsquad.checkpoint import bundle, conversion
from bertsquad.console.errors import UserError
from bertsquad.model.config import encoder_shapes
from converted import FILES, convert_folder, google_name, rewrite, write_vocabulary


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
