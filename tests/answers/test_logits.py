"""The logits file remembers which features it is for and refuses what is not a number."""

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bertsquad.answers import logits
from bertsquad.console.errors import UserError

LENGTHS = np.array([3, 2])


def example(start=(1, 2, 3, 4, 5), end=(5, 4, 3, 2, 1), starts=(0, 3, 5), sha256="ab" * 32):
    return logits.Logits(
        np.array(start, np.float32),
        np.array(end, np.float32),
        np.array(starts, np.int64),
        engine="torch",
        precision="fp32",
        features_sha256=sha256,
        kernels="attention: sdpa, LayerNorm: torch",
    )


def check(found, lengths=LENGTHS, sha256="ab" * 32):
    logits.check_features(
        "the.logits", found, features_path="the.features", features_sha256=sha256, lengths=lengths
    )


def test_what_is_written_is_read(tmp_path):
    logits.write(tmp_path / "logits.safetensors", example())
    found = logits.read(tmp_path / "logits.safetensors")
    assert found.start_logits.tolist() == [1, 2, 3, 4, 5]
    assert found.end_logits.tolist() == [5, 4, 3, 2, 1]
    assert found.starts.tolist() == [0, 3, 5]
    assert (found.engine, found.precision, found.features_sha256) == ("torch", "fp32", "ab" * 32)
    assert found.kernels == "attention: sdpa, LayerNorm: torch"
    check(found)


def test_it_is_a_safetensors_file_with_the_same_bytes_each_time(tmp_path):
    for name in ("one", "two"):
        logits.write(tmp_path / name, example())
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    arrays = load_file(tmp_path / "one")
    assert arrays["start_logits"].dtype == np.float32


@pytest.mark.parametrize(
    ("lengths", "sha256", "message"),
    [
        ([3, 2, 4], "ab" * 32, "for 2 features, but the.features has 3: 1 are missing"),
        ([3], "ab" * 32, "for 2 features, but the.features has 1: 1 are too many"),
        ([3, 2], "cd" * 32, r"for other features \(sha256 abababababab…, but the.features has cdc"),
        ([3, 1], "ab" * 32, "2 logits for feature 1, which has 1 tokens"),
    ],
)
def test_logits_of_other_features(lengths, sha256, message):
    with pytest.raises(UserError, match=f"the.logits: .*{message}.*; run compute_logits again"):
        check(example(), np.array(lengths), sha256)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_logits_that_are_not_finite(tmp_path, value):
    logits.write(tmp_path / "file", example(end=(5, 4, 3, 2, value)))
    with pytest.raises(UserError, match=f"the end logit of token 1 in feature 1 is {value}"):
        logits.read(tmp_path / "file")


def test_logits_that_do_not_fill_the_features(tmp_path):
    logits.write(tmp_path / "file", example(starts=(0, 3, 6)))
    with pytest.raises(UserError, match="5 start and 5 end logits for 6 tokens"):
        logits.read(tmp_path / "file")


def test_not_a_logits_file(tmp_path):
    save_file({"start_logits": np.zeros(3)}, tmp_path / "file")
    with pytest.raises(UserError, match="not a logits file: no 'end_logits'"):
        logits.read(tmp_path / "file")
    with pytest.raises(UserError, match="no such file"):
        logits.read(tmp_path / "nothing")
