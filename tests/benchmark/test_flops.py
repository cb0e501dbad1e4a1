"""flops.py: operations of BERT-Large, against those counted by hand."""

import numpy as np
import pytest

from bertsquad.benchmark.flops import ceiling_gflops, useful_flops
from bertsquad.benchmark.random_bert import BERT_LARGE
from bertsquad.benchmark.squad_lengths import read_lengths

SMALL = {"hidden_size": 2, "intermediate_size": 3, "num_hidden_layers": 5}


def test_every_product_of_a_small_model():
    # One layer, 7 tokens: 4 products [7, 2] x [2, 2], [7, 2] x [2, 3] and back; attention's two
    # [7, 2] x [2, 7] and [7, 7] x [7, 2]; the head's [7, 2] x [2, 2] once.
    layer = 4 * (2 * 7 * 2 * 2) + 2 * (2 * 7 * 2 * 3) + 2 * (2 * 7 * 2 * 7)
    assert useful_flops(SMALL, [7]) == 5 * layer + 2 * 7 * 2 * 2


def test_a_full_window_of_bert_large_takes_246_gflop():
    assert useful_flops(BERT_LARGE, [384]) / 1e9 == pytest.approx(246, abs=0.5)


def test_at_real_lengths_a_feature_of_bert_large_takes_less_than_half_of_that():
    lengths = read_lengths()
    assert useful_flops(BERT_LARGE, lengths) / len(lengths) / 1e9 == pytest.approx(111.4, abs=0.1)


def test_operations_of_several_features_add_up():
    one_by_one = sum(useful_flops(SMALL, [length]) for length in (3, 4, 5))
    assert useful_flops(SMALL, np.array([3, 4, 5], np.int32)) == one_by_one


def test_what_is_emulated_has_no_ceiling():
    found = {
        "fp32": {"native": True, "gflops": 140.0},
        "bf16": {"native": False, "gflops": 15.0},
    }
    assert ceiling_gflops(found["fp32"]) == 140.0
    assert ceiling_gflops(found["bf16"]) is None
