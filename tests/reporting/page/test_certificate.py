"""certificate.py: the certificate on one screen of the report."""

import copy
from pathlib import Path

import pytest

from bertsquad.certificate.schema import read_certificate
from bertsquad.reporting.page.certificate import certificate_facts
from bertsquad.reporting.page.trust import of_certificate
from project import ROOT

EXAMPLE = read_certificate(Path(ROOT) / "tests/fixtures/certificate.json")
CHAIN = EXAMPLE["chain_sha256"]


@pytest.fixture
def certificate():
    return copy.deepcopy(EXAMPLE)


def test_what_was_done_by_which_code_on_what(certificate):
    facts = certificate_facts(certificate)
    assert (facts.short, facts.chain) == (f"{CHAIN[:4]} {CHAIN[4:8]}", CHAIN)
    assert dict(facts.lines) == {
        "done": "6 steps of 5 rules, 1 score, 1 measured cell, 10 files (5 exact, 4 timed, 1 log)",
        "by": "commit 619ed8bfa0d1, 6 modules",
        "command": "snakemake --cores all",
        "on": "demo-dev.json (Apache-2.0), demo-train.json (Apache-2.0)",
        "settings": f"config.json, resolved: {EXAMPLE['config_sha256'][:16]}…",
        "machines": "AMD EPYC 9354 (n1)",
        "software": "Python 3.11.7, torch 2.13.0+cpu, numpy 2.4.6, Linux 6.1.0, glibc 2.36",
    }


def test_a_certificate_of_which_little_is_known(certificate):
    certificate |= {"steps": [], "code": {}, "machines": {}, "command": None, "inputs": {}}
    certificate["project"] = {"commit": None, "dirty": [], "version": "0.1.0", "note": "no git"}
    certificate["environment"] |= {"python": None, "kernel": None, "libc": None, "packages": {}}
    certificate["config_sha256"] = None
    assert dict(certificate_facts(certificate).lines) == {
        "done": "1 score, 1 measured cell, 10 files (5 exact, 4 timed, 1 log)",
        "by": "version 0.1.0 without a commit (no git)",
    }


def test_many_names_are_told_in_part(certificate):
    entry = certificate["inputs"]["demo-dev.json"]
    certificate["inputs"] = {f"f{n}": entry for n in range(8)}
    assert dict(certificate_facts(certificate).lines)["on"].endswith("f5 (Apache-2.0) and 2 more")


def test_the_opening_says_whether_there_are_doubts(certificate):
    said = of_certificate(certificate)
    assert (said.level, str(said.reason)) == (
        "care",
        f'<a href="#certificate">Chain {CHAIN[:4]} {CHAIN[4:8]}</a>: 1 disturbed measurement.',
    )
    certificate["doubts"] = []
    assert of_certificate(certificate).level == "yes"
