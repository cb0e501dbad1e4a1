"""Parts of logits as files, and what they make together."""

import numpy as np
import pytest

from bertsquad.answers import logit_shards, logits
from bertsquad.answers.logit_shards import Shard, join
from bertsquad.answers.logits import Logits
from bertsquad.console.errors import UserError


def part(number, indices, lengths, shards=2, **texts):
    """Logits that are their feature's number, and its tenth at the end."""
    values = np.repeat(np.array(indices, np.float32), lengths)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    named = {"engine": "torch", "precision": "fp32", "features_sha256": "f00d", "kernels": "plain"}
    made = Logits(values, values / 10, starts, **(named | texts))
    return Shard(made, np.array(indices, np.int64), number, shards)


def written(folder, *parts):
    paths = []
    for place, each in enumerate(parts):
        paths.append(folder / f"part{place}")
        logit_shards.write(paths[-1], each)
    return paths


def test_parts_are_joined_in_file_order(tmp_path):
    paths = written(tmp_path, part(2, [1, 3], [2, 1]), part(1, [0, 2], [1, 3]))
    joined = join(paths)
    assert joined.starts.tolist() == [0, 1, 3, 6, 7]
    assert joined.start_logits.tolist() == [0, 1, 1, 2, 2, 2, 3]
    assert joined.end_logits.tolist() == (joined.start_logits / np.float32(10)).tolist()
    assert (joined.engine, joined.precision, joined.kernels) == ("torch", "fp32", "plain")


def test_an_empty_part_is_one_too(tmp_path):
    joined = join(written(tmp_path, part(1, [0, 1], [2, 1]), part(2, [], [])))
    assert joined.start_logits.tolist() == [0, 0, 1]


def test_kernels_of_different_machines_are_all_named(tmp_path):
    paths = written(tmp_path, part(1, [0], [1]), part(2, [1], [1], kernels="compiled"))
    assert join(paths).kernels == "plain | compiled"


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([part(1, [0], [1])], "joined with it are the shards 1 of 2; expected each of 1 to 2 once"),
        ([part(1, [0], [1]), part(1, [1], [1])], "the shards 1 of 2, 1 of 2; expected each"),
        ([part(1, [0], [1]), part(2, [1], [1], shards=3)], "1 of 2, 2 of 3; expected each"),
        ([part(1, [0], [1]), part(2, [2], [1])], "together the shards have not every feature once"),
        ([part(1, [0], [1]), part(2, [0], [1])], "together the shards have not every feature once"),
        (
            [part(1, [0], [1]), part(2, [1], [1], features_sha256="beef")],
            "part1: features_sha256 is beef, and f00d in ",
        ),
        (
            [part(1, [0], [1]), part(2, [1], [1], precision="bf16")],
            "part1: precision is bf16, and fp32 in ",
        ),
    ],
    ids=["missing", "twice", "other count", "a gap", "overlap", "features", "precision"],
)
def test_parts_that_do_not_belong_together_are_refused(tmp_path, parts, said):
    with pytest.raises(UserError, match=said):
        join(written(tmp_path, *parts))


def test_a_logits_file_is_no_part(tmp_path):
    whole = part(1, [0], [1]).logits
    logits.write(tmp_path / "logits", whole)
    with pytest.raises(UserError, match="logits: not a shard of logits: 'indices'"):
        join([tmp_path / "logits"])


def test_a_damaged_part_is_refused(tmp_path):
    [path] = written(tmp_path, part(1, [0], [1], shards=1))
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(UserError, match="part0"):
        join([path])
