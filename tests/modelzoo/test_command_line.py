"""Command lines are parsed as the launcher's argparse does, and written back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.console.errors import UserError
from bertsquad.modelzoo.command_line import CommandLine, parse, words_of
from bertsquad.modelzoo.options import ARGUMENTS, OPTIONS, normalised
from modelzoo.guide import INFERENCE, TRAINING, words

CALL = ["python3", "/m/benchmarks/launch_benchmark.py"]


def options_of(*more: str) -> dict:
    return dict(parse([*CALL, *more]).options)


def test_the_guides_inference_has_numactl_before_it():
    line = parse(words(INFERENCE))
    assert line.prefix == ("numactl", "--localalloc", "--physcpubind=0-27")
    assert line.python == "python3"
    assert line.options["num_intra_threads"] == 28
    assert line.options["benchmark_only"] is True
    assert line.arguments == ()


def test_the_guides_training_names_two_arguments_with_a_dash():
    line = parse(words(TRAINING))
    assert line.values()["warmup_steps"] == "0"
    assert line.values()["optimized_softmax"] == "True"
    assert len(line.values()) == 17


def test_an_option_takes_its_value_in_one_word_or_two():
    assert options_of("--batch-size=4") == options_of("--batch-size", "4") == {"batch_size": 4}
    assert options_of("-b", "4") == {"batch_size": 4}


def test_an_option_may_be_cut_short_as_argparse_allows():
    assert options_of("--batch=4") == {"batch_size": 4}
    with pytest.raises(UserError, match="several options"):
        options_of("--num=4")


def test_an_unknown_option_becomes_a_model_argument_wherever_it_stands():
    line = parse([*CALL, "--output_dir=./large", "--mode=training"])
    assert line.arguments == ("--output_dir=./large",)
    assert line.values() == {"output_dir": "./large"}


def test_variables_before_the_command_belong_to_it():
    line = parse(["KMP_BLOCKTIME=0", "PYTHONPATH=/m/benchmarks", *CALL])
    assert line.environment == {"KMP_BLOCKTIME": "0", "PYTHONPATH": "/m/benchmarks"}


def test_volumes_add_up():
    assert options_of("--volume=a:b", "--volume", "c:d")["volume"] == ["a:b", "c:d"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--batch-size=many"], "expected a whole number"),
        (["--batch-size"], "expected a value"),
        (["--verbose=yes"], "takes no value"),
    ],
)
def test_what_argparse_refuses(more, message):
    with pytest.raises(UserError, match=message):
        parse([*CALL, *more])


def test_another_command_is_not_the_launcher():
    with pytest.raises(UserError, match=r"not a call of launch_benchmark\.py"):
        parse(["python3", "run_squad.py"])


NAMES = st.sampled_from(ARGUMENTS)
VALUES = st.text("abcXYZ019./-_", max_size=12)


@given(NAMES, VALUES, st.lists(VALUES, max_size=3))
def test_of_two_equals_signs_the_text_between_them_is_kept(name, value, more):
    word = "=".join([name, value, *more])
    assert CommandLine("l.py", arguments=(word,)).values() == {name: value}


@given(NAMES, st.integers(0, 3), st.booleans())
def test_dashes_and_underscores_are_the_same(name, leading, dashed):
    spelled = "-" * leading + (name.replace("_", "-") if dashed else name)
    assert normalised(spelled) == name
    assert CommandLine("l.py", arguments=(f"{spelled}=x",)).values() == {name: "x"}


@given(NAMES, VALUES, VALUES)
def test_of_two_arguments_the_last_counts(name, first, second):
    line = CommandLine("l.py", arguments=(f"{name}={first}", f"{name.replace('_', '-')}={second}"))
    assert line.values() == {name: second}


VALUE_OF = {
    "whole": st.integers(-1, 99),
    "text": st.text("abc/._-", min_size=1, max_size=8),
    "flag": st.just(True),
    "list": st.lists(st.text("abc:/", min_size=1, max_size=5), min_size=1, max_size=3),
}
GIVEN = st.fixed_dictionaries({}, optional={each.key: VALUE_OF[each.kind] for each in OPTIONS})
EXTRA = st.lists(st.builds("{}={}".format, NAMES, VALUES), max_size=4)


@given(GIVEN, EXTRA, st.sampled_from(["", " ", "="]))
def test_what_is_written_is_read_again(options, arguments, form):
    line = CommandLine(CALL[1], options=options, arguments=tuple(arguments))
    order = [
        each.names[0] + ("" if each.kind == "flag" else form or "=") for each in reversed(OPTIONS)
    ]
    assert parse(words_of(line, order)) == line
    assert parse(words_of(line)) == line
