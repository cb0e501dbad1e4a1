"""The in-toto Statement: subjects are the files, the predicate is the run."""

import pytest

from bertsquad.certificate.attestation import check_statement, statement
from bertsquad.console.errors import UserError

CERTIFICATE = {
    "project": {"commit": "abc", "dirty": [], "version": "0.1.0"},
    "chain_sha256": "1" * 64,
    "config_sha256": "2" * 64,
    "scores": {"small/torch-fp32": {"f1": 90.0}},
    "doubts": [{"kind": "disturbed", "what": "w", "where": "x"}],
}
HASHES = {"data/b": "4" * 64, "data/a": "3" * 64}


def test_it_is_a_statement_v1_with_sorted_subjects():
    assert statement(HASHES, CERTIFICATE) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": "data/a", "digest": {"sha256": "3" * 64}},
            {"name": "data/b", "digest": {"sha256": "4" * 64}},
        ],
        "predicateType": "urn:bertsquad:run:1",
        "predicate": {
            "chain_sha256": "1" * 64,
            "commit": "abc",
            "dirty": [],
            "config_sha256": "2" * 64,
            "scores": {"small/torch-fp32": {"f1": 90.0}},
            "doubts": 1,
        },
    }


def test_any_other_statement_is_refused():
    made = statement(HASHES, CERTIFICATE)
    check_statement(made, HASHES, CERTIFICATE, "a.json")
    for changed, said in (
        (None, "no in-toto Statement"),
        (made | {"_type": "x"}, "no in-toto Statement"),
        (made | {"subject": made["subject"][:1]}, "not the files of the manifest"),
        (made | {"predicate": made["predicate"] | {"doubts": 0}}, "its predicate is not"),
        (made | {"predicateType": "x"}, "its predicateType is not"),
    ):
        with pytest.raises(UserError, match=said):
            check_statement(changed, HASHES, CERTIFICATE, "a.json")
