"""The doctor's page as text."""

import re

import pytest

from bertsquad.machine import doctor_page
from bertsquad.machine.checks import Check, checks
from bertsquad.machine.description import describe
from bertsquad.machine.doctor_page import Page, check_lines, default_lines, machine_lines
from machine import trees
from machine.test_machines import ALL_PERMITTED, IN_DOCKER, QUIET


def text(lines):
    return "\n".join(lines)


def test_a_server(tmp_path):
    machine = describe(trees.cooper_lake(tmp_path), observed=QUIET, trial=ALL_PERMITTED)
    found = text(machine_lines(machine, Page()))
    assert "processor    Intel(R) Xeon(R) Platinum 8380H CPU @ 2.90GHz\n" in found
    assert "cores        112 on 4 sockets; 2 hardware threads each; 4 NUMA nodes" in found
    assert "memory       384.0 GiB\n" in found
    assert "allowed      processors 0-223; no quota\n" in found
    assert "bf16         yes, by avx512_bf16\n" in found
    assert "fp16         no, emulated and slow" in found
    assert text(default_lines(machine, Page())) == (
        "\nDefaults\n  threads      28 threads on processors 0-27 of socket 0"
    )


def test_a_container(tmp_path):
    machine = describe(trees.container(tmp_path), observed=QUIET, trial=IN_DOCKER)
    found = text(machine_lines(machine, Page()))
    assert ", in a virtual machine\n" in found
    assert "memory       2.0 GiB, the limit of its control group; the machine has 64.0 GiB" in found
    assert "allowed      processors 0-1; a quota of 0.5 processors" in found
    # The good news first; what needs doing last.
    headings = re.findall("^[A-Z].*", text(check_lines(checks(machine), Page())), re.MULTILINE)
    assert headings == [
        "Looked at, and fine",
        "Good to know",
        "Could not be read",
        "Spoils a run or a measurement",
    ]


def test_a_machine_that_tells_nothing_still_has_a_page(tmp_path):
    machine = describe(tmp_path)
    found = text([*machine_lines(machine, Page()), *default_lines(machine, Page())])
    assert "processor    unknown" in found
    assert "threads      unknown" in found


@pytest.mark.parametrize("width", [40, 80, 100])
def test_no_line_is_longer_than_the_terminal(tmp_path, width):
    machine = describe(trees.container(tmp_path), observed=QUIET, trial=IN_DOCKER)
    setting = Page(width=width)
    lines = [*machine_lines(machine, setting), *check_lines(checks(machine, 99999), setting)]
    words = max(len(word) for word in text(lines).split())
    for line in text(lines).splitlines():
        assert len(line) <= max(width, words + 15)
        assert "\033" not in line


def test_colour_is_put_around_the_mark_alone():
    check = Check("warning", "it WARNs", "do that")
    assert Page(colour=True).check(check) == ("  \033[33mWARN\033[0m  It WARNs\n        -> do that")
    assert Page(colour=True).heading("Defaults") == "\n\033[1mDefaults\033[0m"
    assert Page(colour=True).check(Check("note", "so")) == "  note  So"


def test_a_sentence_begins_with_a_capital_letter():
    assert doctor_page.sentence("the CPU") == "The CPU"
