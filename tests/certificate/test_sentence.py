"""sentence.py: a certificate in words."""

import copy
from pathlib import Path
from typing import get_args

import pytest

from bertsquad.certificate import sentence
from bertsquad.certificate.schema import DoubtKind, read_certificate

EXAMPLE = read_certificate(Path(__file__).parents[1] / "fixtures/certificate.json")


@pytest.fixture
def certificate():
    return copy.deepcopy(EXAMPLE)


def test_the_sentence_tells_what_by_which_code_and_what_to_doubt(certificate):
    assert sentence.sentence(certificate) == (
        "Certified: 6 steps, 10 files, commit 619ed8bfa0d1; doubts: 1 disturbed measurement; "
        f"chain {certificate['chain_sha256'][:4]} {certificate['chain_sha256'][4:8]}."
    )


def test_no_doubts_are_told_too(certificate):
    certificate["doubts"] = []
    assert "; no doubts; " in sentence.sentence(certificate)
    assert sentence.grouped_doubts(certificate) == []


@pytest.mark.parametrize("kind", get_args(DoubtKind))
def test_each_kind_is_counted_and_explained(certificate, kind):
    doubt = {"kind": kind, "what": "this", "where": ""}
    certificate["doubts"] = [doubt]
    assert len(sentence.doubts_in_short(certificate)) > len("doubts: ")
    certificate["doubts"] = [doubt | {"what": f"this {n}"} for n in range(5)]
    ((meaning, said, more),) = sentence.grouped_doubts(certificate)
    assert meaning
    assert said == ["this 0", "this 1", "this 2"]
    assert more == 2


@pytest.mark.parametrize(
    ("project", "said"),
    [
        ({"commit": None, "dirty": [], "version": "0.1.0"}, "version 0.1.0 without a commit"),
        ({"commit": None, "dirty": [], "version": ""}, "version unknown without a commit"),
        (
            {"commit": "a" * 40, "dirty": ["Snakefile"], "version": "0.1.0"},
            "commit aaaaaaaaaaaa with changes to 1 file",
        ),
    ],
)
def test_which_code_it_was(certificate, project, said):
    certificate["project"] = project
    assert sentence.code_of(certificate) == said


def test_all_lines(certificate):
    assert sentence.in_words(certificate).splitlines()[1:] == [
        "  doubt: other programs, or the machine itself, disturbed a measurement",
        "    Other programs or the machine disturbed 1 of 1 measurement (busy).",
        f"  chain {certificate['chain_sha256']}",
    ]
