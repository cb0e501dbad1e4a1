"""What a free lane takes, and when it begins."""

from hypothesis import given
from hypothesis import strategies as st

from bertsquad.benchmark.tickets import take

DUE, TOKENS = [0, 10, 20, 30], [100, 100, 200, 50]


def test_without_a_budget_one_request_when_it_is_due():
    assert take(DUE, TOKENS, 1, 3) == (1, 10)
    assert take(DUE, TOKENS, 1, 14) == (1, 14)


def test_all_that_are_due_fit_into_the_budget():
    assert take(DUE, TOKENS, 0, 25, 400) == (3, 25)
    assert take(DUE, TOKENS, 0, 25, 399) == (2, 25)
    assert take(DUE, TOKENS, 0, 25, 50) == (1, 25)  # longer than the budget: alone


def test_it_waits_for_more_until_time_is_over_or_the_batch_is_full():
    assert take(DUE, TOKENS, 0, 0, 400, 15) == (2, 15)
    assert take(DUE, TOKENS, 0, 0, 250, 25) == (2, 20)  # the third does not fit
    assert take(DUE, TOKENS, 3, 0, 400, 15) == (1, 45)
    assert take(DUE, TOKENS, 0, 18, 400, 15) == (2, 18)


requests = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 50)), min_size=1, max_size=9)


@given(requests, st.integers(0, 60), st.integers(1, 120), st.integers(0, 20))
def test_nothing_is_taken_before_it_is_due_or_beyond_the_budget(pairs, now, budget, wait):
    due, total = [], 0
    for gap, _ in pairs:
        total += gap
        due.append(total)
    tokens = [length for _, length in pairs]
    count, begin = take(due, tokens, 0, now, budget, wait)
    assert begin >= max(now, due[count - 1])
    assert begin <= max(now, due[0] + wait)
    assert count == 1 or sum(tokens[:count]) <= budget
    left = count < len(due) and due[count] <= begin
    assert not left or sum(tokens[: count + 1]) > budget
