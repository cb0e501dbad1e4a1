"""Tables of checks, and their findings."""

import pytest

from bertsquad.console.errors import UserError
from bertsquad.modelzoo.checks.table import CallCheck, Finding, examine, refuse_errors

FOUND = {
    "a text": (lambda: "x", ["x: why"]),
    "several": (lambda: iter(["x", "y"]), ["x: why", "y: why"]),
    "yes": (lambda: True, ["why"]),
    "nothing": (lambda: None, []),
    "no": (lambda: False, []),
    "an empty list": (list, []),
}


@pytest.mark.parametrize(("found", "messages"), FOUND.values(), ids=FOUND)
def test_a_check_may_find_in_several_ways(found, messages):
    check = CallCheck("c", "error", found, "why")
    assert [finding.message for finding in check.findings()] == messages


def test_errors_come_first_in_the_tables_order():
    checks = [
        CallCheck(name, severity, lambda: True, name)
        for name, severity in {"a": "warning", "b": "error", "c": "warning", "d": "error"}.items()
    ]
    assert [finding.check for finding in examine(checks)] == ["b", "d", "a", "c"]


def test_warnings_refuse_nothing():
    refuse_errors([Finding("a", "warning", "w")], "here")


def test_errors_are_refused_on_one_line():
    errors = [Finding(name, "error", f"is {name}") for name in ("a", "b")]
    with pytest.raises(UserError, match=r"^here: is a$"):
        refuse_errors(errors[:1], "here")
    with pytest.raises(UserError, match=r"^here: 2 things stand against it: \(1\) is a \(2\) is b"):
        refuse_errors(errors, "here")
