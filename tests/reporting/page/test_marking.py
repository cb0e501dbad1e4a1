"""Backticks of a sentence become code; what a name holds stays text."""

import pytest
from markupsafe import Markup

from bertsquad.reporting.page.marking import code


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("measure again, by `make run`", "measure again, by <code>make run</code>"),
        ("`a` and `b`.", "<code>a</code> and <code>b</code>."),
        ("a single ` stays", "a single ` stays"),
        ("`<script>` & more", "<code>&lt;script&gt;</code> &amp; more"),
        (Markup("<b>{}</b>: `x`").format("<i>"), "<b>&lt;i&gt;</b>: <code>x</code>"),
    ],
)
def test_backticks_become_code_and_the_rest_is_escaped_once(text, made):
    assert code(text) == Markup(made)
