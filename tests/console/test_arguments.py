"""Types of options: what they take, and what they say of the rest."""

import argparse
from pathlib import Path

import pytest

from bertsquad.console.arguments import (
    add_engine_options,
    add_measured_threads,
    command_parser,
    natural,
    positive,
    thread_count,
)


def test_a_commands_help_is_its_docstring_as_it_is(capsys):
    parser = command_parser("One line.\n\nExample:\n    a b", usage="%(prog)s X")
    with pytest.raises(SystemExit):
        parser.parse_args(["--help"])
    assert "X\n\nOne line.\n\nExample:\n    a b\n" in capsys.readouterr().out


def test_options_go_by_their_full_names(capsys):
    parser = command_parser("")
    parser.add_argument("--seed")
    with pytest.raises(SystemExit):
        parser.parse_args(["--see=1"])
    assert "unrecognized arguments: --see=1" in capsys.readouterr().err


def test_whole_numbers_in_range_are_taken():
    assert (positive("1"), positive("24"), natural("0")) == (1, 24, 0)


def test_threads_are_a_number_or_all():
    assert (thread_count("2"), thread_count("all")) == (2, "all")


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (positive, "0", "0 is not 1 or more"),
        (natural, "-1", "-1 is not 0 or more"),
        (thread_count, "0", "0 is not 1 or more"),
    ],
)
def test_others_are_named_with_what_was_expected(kind, text, message):
    with pytest.raises(argparse.ArgumentTypeError, match=message):
        kind(text)


def test_a_command_that_measures_takes_a_number_or_all_up_to_what_a_scheduler_gave():
    parser = argparse.ArgumentParser()
    add_measured_threads(parser)
    assert vars(parser.parse_args(["--threads=2"])) == {"threads": 2, "at_most": None}
    given = ["--threads=all", "--at-most=4"]
    assert vars(parser.parse_args(given)) == {"threads": "all", "at_most": 4}


def test_a_command_that_runs_a_model_names_the_engines_it_is_given():
    parser = argparse.ArgumentParser()
    add_engine_options(parser, ("torch", "toy"))
    assert "what runs the model: torch, toy" in parser.format_help()
    given = ["--engine=toy", "--precision=fp32", "--model=m"]
    assert vars(parser.parse_args(given)) == {
        **{"engine": "toy", "precision": "fp32", "model": Path("m"), "quantized": None}
    }
