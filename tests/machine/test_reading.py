"""The kernel's lists, and values that are not there."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.machine.reading import attempt, format_cpu_list, is_unavailable, parse_cpu_list


@pytest.mark.parametrize(
    ("text", "cpus"),
    [("0-3,8\n", [0, 1, 2, 3, 8]), ("0", [0]), ("", []), ("\n", []), ("3,1-2", [1, 2, 3])],
)
def test_cpu_lists_of_the_kernel(text, cpus):
    assert parse_cpu_list(text) == cpus


def test_neighbours_are_written_as_a_range():
    assert format_cpu_list([8, 0, 1, 2, 3]) == "0-3,8"


@given(st.sets(st.integers(0, 300)))
def test_a_list_written_and_read_is_the_list(cpus):
    assert parse_cpu_list(format_cpu_list(list(cpus))) == sorted(cpus)


def test_a_missing_file_is_unavailable_with_its_name(tmp_path):
    value = attempt(lambda: (tmp_path / "no_turbo").read_text())
    assert value == {"unavailable": f"{tmp_path}/no_turbo: No such file or directory"}
    assert is_unavailable(value)


def test_an_odd_content_is_unavailable_with_what_was_found():
    assert "'garbage'" in attempt(lambda: int("garbage"))["unavailable"]


def test_a_bug_is_not_hidden():
    with pytest.raises(TypeError):
        attempt(lambda: Path(None))
