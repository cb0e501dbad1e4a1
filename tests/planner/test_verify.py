"""Cells measured again: what may be measured here, the ratio and its interval, the verdict."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bertsquad.planner.cells import CellFile, read
from bertsquad.planner.services import Services
from bertsquad.planner.verify import (
    CONSISTENT,
    INCONSISTENT,
    NOT_MEASURED,
    UNSURE,
    Here,
    Ratio,
    Repeat,
    another_processor,
    drawn,
    in_words,
    judged,
    notes,
    overall,
    ratio_of,
    verified,
    why_not,
)
from made_cells import CPU, cell, cells_data, cells_file


@pytest.fixture
def theirs(tmp_path) -> CellFile:
    return read(cells_file(tmp_path / "cells.json"))


def file_of(tmp_path: Path, *cells: dict, **machine) -> CellFile:
    return read(cells_file(tmp_path / "their.json", cells=list(cells), **machine))


def here(**changes) -> Here:
    """A machine like theirs, on which all can be measured."""
    data = cells_data()
    found = Here(
        machine=data["machine"],
        runs=data["runs"],
        missing=lambda engine: [],
        native=lambda precision: True,
        quantized=lambda run, engine: True,
    )
    return replace(found, **changes)


def other_run(**changes) -> dict:
    run = cells_data()["runs"]["demo"]
    return {"demo": run | changes}


def services(factor: float = 1.0, seed: int = 1, count: int = 400) -> Services:
    """As made_cells measures them: 10 ms + 0.1 ms a word piece, 2 % to and fro."""
    random = np.random.default_rng(seed)
    lengths = random.choice([100, 200, 300], count)
    noise = np.exp(0.02 * random.standard_normal(count))
    return Services(lengths, factor * (0.010 + 0.0001 * lengths) * noise)


def repeat(factor: float = 1.0, seed: int = 1, validity: str = "valid", why: str = "") -> Repeat:
    return Repeat(services(factor, seed), validity, why, "2026-01-02T03:04:05+00:00")


def repeats(*factors: float) -> list[Repeat]:
    return [repeat(factor, seed) for seed, factor in enumerate(factors)]


# What may be measured


def test_a_like_machine_can_measure_it(theirs):
    assert why_not(theirs.cells[0], theirs, here()) == ""
    assert notes(theirs.cells[0], theirs, here()) == []
    assert another_processor(theirs, here()) == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"runs": {"mine": {}}}, "no run demo here, only mine: take the configuration that"),
        (
            {"runs": other_run(model={"num_hidden_layers": 24, "hidden_size": 128})},
            "another model here (model num_hidden_layers 24, there 12): its time says nothing",
        ),
        (
            {"runs": other_run(checkpoint="large")},
            "another model here (checkpoint large, there tiny): its time says nothing of theirs",
        ),
        (
            {"runs": other_run(dataset="mine", questions={"sha256": "f" * 64})},
            "other questions here (mine, there made-up): requests of other lengths take other",
        ),
        (
            {"missing": lambda engine: ["openvino", "nncf"]},
            "openvino and nncf not installed here: install it to measure the cell",
        ),
        (
            {"native": lambda precision: False},
            "this processor has no fp32 and would emulate it: only one that has it can tell",
        ),
        (
            {"machine": cells_data(cores=1)["machine"]},
            "its layout takes 2 cores, here are 1: a machine with as many can tell",
        ),
    ],
)
def test_what_cannot_be_measured_here_has_a_line_that_says_what_it_means(theirs, changes, said):
    assert why_not(theirs.cells[0], theirs, here(**changes)).startswith(said)


@pytest.mark.parametrize(
    ("theirs_cell", "changes", "said"),
    [
        (cell("unheard"), {}, "this version has no unheard fp32: nothing here can run it"),
        (
            cell("openvino", "int8"),
            {"quantized": lambda run, engine: False},
            "no INT8 model of demo for openvino here: add int8 to engines.openvino",
        ),
        (
            cell("torch", "bf16", native=False),
            {},
            "bf16 was emulated there and is not here: two different works",
        ),
    ],
)
def test_cells_of_other_engines(tmp_path, theirs_cell, changes, said):
    found = file_of(tmp_path, theirs_cell)
    assert why_not(found.cells[0], found, here(**changes)).startswith(said)


def test_what_differs_and_may_be_measured_is_noted(tmp_path):
    found = file_of(
        tmp_path,
        cell(validity="disturbed", disturbed_by="busy 1.2 CPUs", passed=False),
        cores=4,
    )
    ours = here(runs=other_run(weights_sha256="1" * 64))
    assert [each.partition(":")[0] for each in notes(found.cells[0], found, ours)] == [
        "4 cores there, 2 here",
        "other weights here",
        "theirs was disturbed (busy 1.2 CPUs)",
        "it fails their limit of F1",
    ]


def test_another_processor_gives_a_ratio_and_no_verdict(tmp_path):
    found = file_of(tmp_path, cell(), cpu="Other Processor 1")
    (row,) = verified(found, here(), lambda cell: repeats(0.5, 0.5, 0.5), seed=1)
    assert row["ratio"]["value"] == pytest.approx(2, rel=0.02)
    assert row["verdict"] == UNSURE
    assert row["why"] == (
        f"another processor: Other Processor 1 there, {CPU} here: the ratio compares machines and "
        "neither confirms nor refutes the file"
    )


# The ratio


def test_the_ratio_is_that_of_mean_services_at_the_questions_lengths(theirs):
    questions = theirs.questions("demo")
    found = ratio_of(services(1.0, 7), [services(1.25, n) for n in range(3)], questions)
    assert found.value == pytest.approx(0.8, rel=0.01)
    assert found.low is not None
    assert found.low < 0.8 < found.high


def test_other_lengths_in_the_samples_do_not_move_the_ratio(theirs):
    short = Services(np.full(300, 100), np.full(300, 0.020))
    mixed = Services(np.array([100, 300] * 150), np.array([0.020, 0.040] * 150))
    at_100 = replace(theirs.questions("demo"), lengths=np.array([100]), counts=np.array([5]))
    assert ratio_of(short, [mixed, mixed], at_100).value == pytest.approx(1.0)


def test_one_repeat_has_no_interval(theirs):
    found = ratio_of(services(), [services()], theirs.questions("demo"))
    assert (found.value, found.low, found.high) == (pytest.approx(1), None, None)


def test_the_interval_is_as_wide_as_processes_differ(theirs):
    questions = theirs.questions("demo")
    narrow = ratio_of(services(), [services(f, 3) for f in (0.999, 1, 1.001)], questions)
    wide = ratio_of(services(), [services(f, 3) for f in (0.9, 1, 1.1)], questions)
    assert math.log(narrow.high / narrow.low) < 0.02
    assert math.log(wide.high / wide.low) > 0.4  # 2 x t(2) x 0.1 / sqrt(3)


def test_equal_machines_are_found_consistent_and_hardly_ever_not(theirs):
    questions = theirs.questions("demo")
    random = np.random.default_rng(4)
    words = []
    for number in range(100):
        own, *again = np.exp(0.019 * random.standard_normal(4))  # as laboratories differ in MLPerf
        ours = [services(factor, 10 * number + n, 100) for n, factor in enumerate(again)]
        found = ratio_of(services(own, 10 * number + 9, 100), ours, questions)
        words.append(judged(found, 0.05)[0])
    assert words.count(INCONSISTENT) <= 2
    assert words.count(CONSISTENT) >= 20


def test_a_claim_that_is_a_third_too_fast_is_found(theirs):
    questions = theirs.questions("demo")
    ours = [services(factor, n) for n, factor in enumerate((0.99, 1.0, 1.01))]
    found = ratio_of(services(0.75, 9), ours, questions)
    assert judged(found, 0.05) == (INCONSISTENT, "it is slower here than they say")


# The verdict


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.96, 1.04, CONSISTENT),
        (0.9, 1.04, UNSURE),
        (0.96, 1.2, UNSURE),
        (0.8, 0.9, INCONSISTENT),
        (1.1, 1.3, INCONSISTENT),
        (0.5, 2.0, UNSURE),
        (None, None, UNSURE),
    ],
)
def test_the_verdict_is_by_the_interval(low, high, word):
    assert judged(Ratio(1.0, low, high), 0.05)[0] == word


def test_a_disturbed_repeat_here_leaves_no_verdict(theirs):
    found = [repeat(1, 1), repeat(1, 2), repeat(1, 3, "disturbed", "busy 1.5 CPUs")]
    (row,) = verified(theirs, here(), lambda cell: found, seed=1)
    assert row["verdict"] == UNSURE
    assert row["why"].startswith("1 of 3 repeats here were disturbed (busy 1.5 CPUs): close what")
    assert row["validity"] == ["valid", "valid", "disturbed"]


@pytest.mark.parametrize(
    ("words", "word"),
    [
        ([CONSISTENT, CONSISTENT, NOT_MEASURED], CONSISTENT),
        ([CONSISTENT, UNSURE], UNSURE),
        ([CONSISTENT, UNSURE, INCONSISTENT], INCONSISTENT),
        ([NOT_MEASURED], NOT_MEASURED),
    ],
)
def test_what_the_cells_say_of_the_file(words, word):
    assert overall([{"verdict": each} for each in words]) == word


# The draw


def many(tmp_path) -> CellFile:
    """Eight cells, of which those with odd layouts take more cores than there are."""
    layouts = ("1x1x1", "1x1x2", "2x1x1", "1x2x1", "4x1x1", "1x4x1", "1x1x4", "2x2x1")
    return file_of(tmp_path, *(cell(layout=layout) for layout in layouts))


def test_the_same_seed_draws_the_same_cells_and_another_others(tmp_path):
    found = many(tmp_path)
    names = [[each.name for each in drawn(found, seed)] for seed in (1, 1, 2)]
    assert names[0] == names[1] != names[2]
    assert sorted(names[0]) == sorted(each.name for each in found.cells)


def test_cells_are_drawn_until_three_were_measured(tmp_path):
    found, asked = many(tmp_path), []

    def measure(cell):
        asked.append(cell.name)
        return repeats(1, 1, 1)

    rows = verified(found, here(), measure, seed=3)
    order = [each.name for each in drawn(found, 3)]
    assert [row["cell"] for row in rows] == order[: len(rows)]
    assert [row["cell"] for row in rows if row["verdict"] != NOT_MEASURED] == asked
    assert len(asked) == 3
    assert all("takes 4 cores" in row["why"] for row in rows if row["verdict"] == NOT_MEASURED)


def test_a_row_in_words():
    row = {
        "cell": "demo torch fp32 1x1x2",
        "verdict": UNSURE,
        "ratio": {"value": 0.5, "low": 0.25, "high": 1.0},
        "why": "the reason",
        "notes": ["a note"],
    }
    assert in_words(row) == (
        "cannot tell     demo torch fp32 1x1x2: 0.500 times as fast here (0.250 to 1.000)\n"
        "                the reason\n"
        "                a note"
    )
    row |= {"verdict": NOT_MEASURED, "ratio": None, "notes": []}
    assert in_words(row) == ("not measured    demo torch fp32 1x1x2\n                the reason")


def test_a_file_from_before_modes_were_in_it_is_read(tmp_path):
    old = [cell(), cell(layout="2x1x1"), cell("openvino", mode="saturated")]
    modes = [each.mode for each in file_of(tmp_path, *old).cells]
    assert modes == ["batches", "saturated", "saturated"]
