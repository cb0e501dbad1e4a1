"""`make help`: every target that a person calls, in one line."""

import re
import subprocess

from project import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
NOT_FOR_PEOPLE = {"squad"}  # what `make bench` checks first


def test_help_has_a_line_for_every_target():
    printed = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    listed = re.findall(r"^make ([a-z-]+) +\S.*$", printed.stdout, re.MULTILINE)
    targets = re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)
    assert listed == [name for name in targets if name not in NOT_FOR_PEOPLE]
    assert "make test-fast      tests that take seconds\n" in printed.stdout
    assert len(printed.stdout.splitlines()) == len(listed)


def test_every_target_without_a_file_is_phony():
    phony = set(re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[0].split())
    assert phony | NOT_FOR_PEOPLE == set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
