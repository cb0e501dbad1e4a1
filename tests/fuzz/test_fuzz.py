"""Damaged files of every kind end in one line or are read: no traceback, no hang, no silence.

`make fuzz` tries 100,000 of each kind; the tests the first ones of the same sequence.
"""

import os
import random
import time
from pathlib import Path

import pytest

from bertsquad.console.errors import LONGEST_LINE, UserError, one_line
from fuzz.targets import TARGETS

# So many of each kind, in at most so many seconds: a slow machine tries fewer and says so.
INPUTS = int(os.environ.get("FUZZ_INPUTS", "2000"))
SECONDS = float(os.environ.get("FUZZ_SECONDS", "8"))
LONGEST_S = 2.0  # of the processor, that reading one file may take


@pytest.mark.parametrize("kind", TARGETS)
def test_whole_files_are_read(kind: str, tmp_path: Path) -> None:
    target = TARGETS[kind](tmp_path)
    target.path.write_bytes(target.whole)
    target.read(target.path)


@pytest.mark.parametrize("kind", TARGETS)
def test_damaged_files_are_refused_in_a_line_or_read(kind: str, tmp_path: Path) -> None:
    target = TARGETS[kind](tmp_path)
    target.path.write_bytes(target.whole)
    target.read(target.path)  # the first time imports libraries
    begin = time.monotonic()
    refused = 0
    for seed in range(INPUTS):
        if time.monotonic() - begin > SECONDS:
            print(f"{kind}: {seed} of {INPUTS} inputs tried in {SECONDS:g} s")
            break
        data = target.damage(random.Random(f"{kind} {seed}"))
        target.path.write_bytes(data)
        started = time.process_time()
        try:
            target.read(target.path)
        except UserError as error:
            refused += 1
            line = one_line(str(error))
            assert len(line) <= LONGEST_LINE
            assert line.isprintable()
        except Exception as error:
            pytest.fail(f"seed {seed}: {error!r}; the input: {data[:2000]!r}")
        assert time.process_time() - started < LONGEST_S, f"seed {seed} took too long"
    assert refused or kind in ("modelzoo_log", "partial_download", "training_state")
