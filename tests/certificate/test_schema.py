"""schema.py: the certificate's file, its reader and its writer."""

import copy
import json
from pathlib import Path
from typing import get_args

import pytest

from bertsquad.certificate.schema import (
    DOUBTS,
    DoubtKind,
    checked,
    read_certificate,
    write_certificate,
)
from bertsquad.console.errors import UserError

EXAMPLE = Path(__file__).parents[1] / "fixtures/certificate.json"


@pytest.fixture
def certificate():
    return json.loads(EXAMPLE.read_text())


def test_what_is_written_is_read_and_written_again_as_the_same_bytes(tmp_path: Path):
    write_certificate(tmp_path / "certificate.json", read_certificate(EXAMPLE))
    assert (tmp_path / "certificate.json").read_bytes() == EXAMPLE.read_bytes()


def test_every_kind_of_doubt_is_explained():
    assert set(get_args(DoubtKind)) == set(DOUBTS)


@pytest.mark.parametrize("found", ["bertsquad-certificate/2", "bertsquad-certificate/1.1"])
def test_another_version_is_refused_by_its_name(certificate, found):
    certificate["format"] = found
    with pytest.raises(UserError, match=f"c.json: found a certificate of format '{found}'"):
        checked(certificate, "c.json")


@pytest.mark.parametrize("value", [None, [], "x", {}, {"format": 1}, {"format": "other/1"}])
def test_what_is_no_certificate_is_refused(value):
    with pytest.raises(UserError, match=r"c\.json: no certificate; expected `format`"):
        checked(value, "c.json")


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("steps",), {}, "steps: found an object, expected a list"),
        (("steps", 2, "rule"), 3, r"steps\[2\].rule: found 3, expected a text"),
        (("chain_sha256",), "12", "chain_sha256: found '12', expected 64 lower-case hex digits"),
        (("files", "../x"), {}, "files: the name '../x': found '../x', expected a path within"),
        (("files", "config.json", "class"), "new", "found 'new', expected one of exact, timed"),
        (("files", "config.json", "bytes"), True, "bytes: found True, expected a whole number"),
        (("doubts", 0, "kind"), "odd", "found 'odd', expected one of edited-while-running"),
        (("scores", "demo/torch-fp32", "f1"), float("nan"), "f1: found nan, expected a number"),
    ],
)
def test_a_damaged_part_is_named_with_what_was_expected(certificate, place, value, message):
    part = certificate
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    with pytest.raises(UserError, match=f"^c.json: .*{message}"):
        checked(certificate, "c.json")


def test_a_missing_part_is_named(certificate):
    for key in certificate:
        without = copy.deepcopy(certificate)
        del without[key]
        with pytest.raises(UserError, match=f"`{key}`"):
            checked(without, "c.json")


def test_what_a_newer_writer_adds_is_passed_over(certificate):
    certificate["also"] = {"any": 1}
    assert checked(certificate, "c.json") is certificate
