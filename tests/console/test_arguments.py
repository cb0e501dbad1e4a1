"""Types of options: what they take, and what they say of the rest."""

import argparse
from pathlib import Path

import pytest

from bertsquad.console.arguments import (
    add_engine_options,
    add_measured_threads,
    command_parser,
    finite_number,
    natural,
    positive,
    positive_number,
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
    (line,) = capsys.readouterr().err.splitlines()
    assert "no option --see; did you mean --seed? known: --help, --seed; " in line


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "error: missing: --seed; as in: score.py --seed 1 --more; "),
        (["--sede", "1"], "error: no option --sede; did you mean --seed? known: "),
        (["--seed=1", "-x"], "error: no option -x; known: --engine, --help, --seed; "),
        (["--seed=1", "--engine", "toch"], "invalid choice: 'toch'; did you mean torch? known: "),
        (["--seed", "one"], "--seed: 'one' is not a number; expected a whole number from 0; "),
        (["--seed", "1", "more"], "unrecognized arguments: more; "),
    ],
)
def test_a_mistake_is_one_line_with_what_was_meant(capsys, given, said):
    parser = command_parser(
        "One.\n\nExample:\n    score.py --seed 1 \\\n        --more\n    b\n", prog="score.py"
    )
    parser.add_argument("--seed", required=True, type=natural)
    parser.add_argument("--engine", choices=["torch", "openvino"])
    with pytest.raises(SystemExit) as left:
        parser.parse_args(given)
    assert left.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("score.py: error: ")
    assert said in line
    assert line.endswith("; score.py --help says more")


def test_what_stands_behind_two_hyphens_is_no_option(capsys):
    parser = command_parser("")
    parser.add_argument("--processes", type=positive)
    parser.add_argument("command", nargs="+")
    with pytest.raises(SystemExit):
        parser.parse_args(["--processes", "0", "--", "x.py", "--seed"])
    assert "0 is not 1 or more" in capsys.readouterr().err


DOC = """Score.

Examples:
    python scripts/make_plan.py --plan x
    echo run | python scripts/take_turns.py
    scripts/docker_shell.py -c "python scripts/ask.py"
    python scripts/distribute.py -- scripts/finetune.py
"""
CALLED = """Score.

Examples:
    bertsquad make-plan --plan x
    echo run | bertsquad take-turns
    bertsquad docker-shell -c "python scripts/ask.py"
    bertsquad distribute -- scripts/finetune.py
"""


def test_examples_call_what_was_called(monkeypatch):
    monkeypatch.setattr("sys.argv", ["scripts/score.py"])
    assert command_parser(DOC).description == DOC
    monkeypatch.setattr("sys.argv", ["bertsquad score"])
    assert command_parser(DOC).description == CALLED


def test_whole_numbers_in_range_are_taken():
    assert (positive("1"), positive("24"), natural("0")) == (1, 24, 0)


def test_threads_are_a_number_or_all():
    assert (thread_count("2"), thread_count("all")) == (2, "all")


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (positive, "0", "0 is not 1 or more"),
        (natural, "-1", "-1 is not 0 or more"),
        (thread_count, "0", "0 is not 1 or more, or all"),
        (thread_count, "alle", "'alle' is not a number; expected a whole number from 1, or all"),
        (natural, "1.5", "'1.5' is not a number; expected a whole number from 0"),
        (positive_number, "x", "'x' is not a number"),
        (finite_number, "nan", "nan is not a finite number"),
        (finite_number, "inf", "inf is not a finite number"),
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
