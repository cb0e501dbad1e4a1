"""Cells are measured at random, one repeat after the other, the same way for the same seed."""

from hypothesis import given
from hypothesis import strategies as st

from bertsquad.experiment.order import order_of, pace_of

CELLS = [(run, engine) for run in "abcd" for engine in ("torch", "openvino", "onnxruntime")]


def in_order(cells, repeats=3, seed=0):
    """Cell and repeat, as Snakemake takes them: the highest priority first."""
    order = order_of(cells, repeats, seed)
    jobs = [(cell, repeat) for cell in cells for repeat in range(1, repeats + 1)]
    return sorted(jobs, key=lambda job: -order.priority(*job))


def test_one_repeat_ends_before_the_next_begins():
    assert [repeat for _, repeat in in_order(CELLS)] == [1] * 12 + [2] * 12 + [3] * 12


def test_each_repeat_has_an_order_of_its_own():
    orders = [[cell for cell, number in in_order(CELLS) if number == r] for r in (1, 2, 3)]
    assert all(sorted(order) == sorted(CELLS) for order in orders)
    assert len({tuple(order) for order in (*orders, CELLS)}) == 4


@given(st.sets(st.tuples(st.text(max_size=3), st.text(max_size=3)), min_size=1), st.integers(0, 9))
def test_priorities_are_a_permutation_below_all_that_does_not_measure(cells, seed):
    order = order_of(cells, 2, seed)
    found = sorted(order.priority(cell, repeat) for cell in cells for repeat in (1, 2))
    assert found == list(range(-9 - 2 * len(cells), -9))
    places = sorted(order.place(cell, 2) for cell in cells)
    assert places == list(range(1, len(cells) + 1))


def test_another_seed_is_another_order():
    assert in_order(CELLS, seed=0) == in_order(CELLS, seed=0)
    assert in_order(CELLS, seed=0) != in_order(CELLS, seed=1)


@given(st.integers(0, 11))
def test_a_new_cell_leaves_the_order_of_the_others(number):
    fewer = [cell for cell in CELLS if cell != CELLS[number]]
    of_all = [job for job in in_order(CELLS) if job[0] != CELLS[number]]
    assert of_all == in_order(fewer)


def test_every_cell_is_as_likely_first():
    first = [in_order(CELLS, 1, seed)[0][0] for seed in range(2400)]
    counts = [first.count(cell) for cell in CELLS]
    assert min(counts) > 140  # 200 on average, sd 13.5
    assert max(counts) < 260


def test_a_cell_that_was_not_configured_is_taken_too_but_has_no_place():
    order = order_of(CELLS, 1, 0)
    assert -10 - 12 <= order.priority(("z", "torch"), 1) <= -10
    assert order.facts(("z", "torch"), 1) == order.facts(CELLS[0], 7) == []
    assert order.facts(CELLS[0], 1)[0] == ("order_seed", 0)


def test_the_cells_of_a_repeat_have_one_text_and_a_place_each():
    """Snakemake groups no jobs whose texts differ, and adds up numbers."""
    pace = pace_of(CELLS, {"repeats": 2, "order_seed": 7, "quiet_seconds": 60})
    texts = {pace.options(*cell, repeat) for cell in CELLS for repeat in "12"}
    [text] = texts
    assert text.startswith("--order-seed 7 --places 12 --quiet-seconds 60 --patience ")
    assert sorted(pace.place(*cell, "1") for cell in CELLS) == list(range(1, 13))


def test_a_cell_that_was_not_configured_has_place_nought():
    pace = pace_of(CELLS, {"repeats": 1, "order_seed": 7, "quiet_seconds": 60})
    assert pace.place("z", "torch", "1") == 0
    assert pace.options("z", "torch", "1").startswith("--quiet-seconds 60 ")
