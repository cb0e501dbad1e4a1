"""reading.py: of another version's certificate what is absent is None, the rest is checked."""

import copy

import pytest

from bertsquad.certificate.compare.reading import lenient
from bertsquad.console.errors import UserError
from made_runs import EXAMPLE


def test_a_whole_certificate_is_itself():
    assert lenient(copy.deepcopy(EXAMPLE), "x") == EXAMPLE


@pytest.mark.parametrize("key", sorted(set(EXAMPLE) - {"format"}))
def test_an_absent_part_is_none(key):
    assert lenient({k: v for k, v in EXAMPLE.items() if k != key}, "x")[key] is None


def test_parts_of_parts_may_be_absent():
    steps = [{"id": "finetune/demo"}]
    (step,) = lenient(EXAMPLE | {"steps": steps}, "x")["steps"]
    assert step["id"] == "finetune/demo"
    assert step["outputs"] is None


def test_more_than_is_known_does_no_harm():
    assert lenient(EXAMPLE | {"more": 1}, "x")["more"] == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "bertsquad-certificate/2"}, "format 'bertsquad-certificate/2'"),
        ({"files": {"a": {"sha256": "short"}}}, "64 lower-case hex digits"),
        ({"speeds": {"a": {"threads": "2"}}}, "expected a list"),
        ({"machines": []}, "expected an object"),
    ],
)
def test_what_is_there_must_be_right(change, message):
    with pytest.raises(UserError, match=message):
        lenient(EXAMPLE | change, "x")
