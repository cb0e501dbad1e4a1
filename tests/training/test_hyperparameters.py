"""hyperparameters.py: ranges, and the value that a text stands for."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.training.hyperparameters import Hyperparameters, Range, hyperparameters

BY_NAME = {each.name: each for each in hyperparameters()}


def test_the_recipe_of_google_for_bert_large():
    assert dataclasses.asdict(Hyperparameters()) == {
        "precision": "fp32",
        "epochs": 2,
        "batch_size": 24,
        "learning_rate": 3e-5,
        "warmup_proportion": 0.1,
        "weight_decay": 0.01,
        "max_grad_norm": 1.0,
        "hidden_dropout": None,
        "attention_dropout": None,
        "head_init": "normal",
        "count_steps_by": "examples",
        "micro_batch_tokens": 2048,
        "seed": 0,
        "ranks": 1,
        "rank_data": "split",
        "rank_gradients": "averaged",
        "rank_learning_rate": "plain",
    }


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"at_least": 1, "at_most": 65536}, "1 to 65536"),
        ({"above": 0, "at_most": 1}, "0 < x ≤ 1"),
        ({"at_least": 0, "below": 1}, "0 ≤ x < 1"),
        ({"above": 0, "below": 1}, "0 < x < 1"),
        ({"at_least": 16}, "≥ 16"),
        ({"above": 0}, "> 0"),
    ],
)
def test_a_range_in_words(limits, words):
    assert str(Range(**limits)) == words


@given(st.floats())
def test_a_range_holds_its_limits_and_nothing_that_is_not_finite(number):
    assert (number in Range(at_least=0, below=1)) is (0 <= number < 1)
    assert (number in Range(above=0)) is (0 < number < float("inf"))


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("epochs", "2", 2.0),
        ("learning_rate", "3.0e-5", 3e-5),
        ("batch_size", "24", 24),
        ("hidden_dropout", "0", 0.0),
        ("head_init", "nsp", "nsp"),
    ],
)
def test_the_value_of_a_text(name, text, value):
    found = BY_NAME[name].read(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("epochs", "-1", "-1: expected number of passes, ≥ 0"),
        ("epochs", "nan", "nan: expected number of passes, ≥ 0"),
        ("batch_size", "1.5", "1.5: expected whole number of examples, 1 to 65536"),
        ("hidden_dropout", "1", "1: expected number, 0 ≤ x < 1"),
        ("precision", "fp8", "fp8: expected fp32 or bf16"),
        ("precision", "1", "1: expected fp32 or bf16"),
    ],
)
def test_a_text_that_stands_for_no_value(name, text, message):
    with pytest.raises(ValueError, match="expected") as error:
        BY_NAME[name].read(text)
    assert str(error.value) == message


def test_every_default_is_allowed():
    for each in BY_NAME.values():
        assert each.optional if each.default is None else each.read(str(each.default)) is not None
