"""What a web page in place of a file is blamed on."""

import pytest

from bertsquad.artifacts.verify import page_cause


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        (
            "https://github.com/allenai/bi-att-flow/blob/master/squad/evaluate-v1.1.py",
            "GitHub shows files on pages: use "
            "https://raw.githubusercontent.com/allenai/bi-att-flow/master/squad/evaluate-v1.1.py",
        ),
        (
            "https://huggingface.co/bert-base-uncased/blob/main/vocab.txt",
            "the hub shows files on pages: use "
            "https://huggingface.co/bert-base-uncased/resolve/main/vocab.txt",
        ),
        (
            "https://example.org/blob/x",
            "it may be a login or error page, or a proxy's: open the address in a browser",
        ),
    ],
)
def test_the_likely_cause_of_a_web_page(url, cause):
    assert page_cause(url) == cause
