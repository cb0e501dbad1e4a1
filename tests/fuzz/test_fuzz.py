"""Damaged files of every kind end in one line or are read: no traceback, no hang, no silence.

`make fuzz` tries 100,000 of each kind; the tests the first 2,000 of the same sequence. Of kinds
that are slow to read it is a tenth of that.
"""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bertsquad.console.errors import UserError
from fuzz.proofs import NEVER_REFUSED, PROOFS, SLOW_PROOFS
from fuzz.targets import TARGETS

INPUTS = int(os.environ.get("FUZZ_INPUTS", "2000"))  # of each kind
# Reading one takes some 0.05 s, most of it in pandas and in checking a schema: a tenth as many.
SLOW = dict.fromkeys(("summary_csv", "experiment_config", "catalogue"), 10) | SLOW_PROOFS
KINDS = TARGETS | PROOFS
LONGEST_S = 2.0  # of the processor, that reading one file may take
HANGS_S = 60  # by the clock
UNNAMED = ("predictions",)  # evaluate.py adds the file's name


@contextmanager
def not_hanging() -> Iterator[None]:
    """Raise where the block does not end."""

    def give_up(*_: object) -> None:
        raise TimeoutError(f"no end after {HANGS_S} s")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(HANGS_S)
    try:
        yield
    finally:
        signal.alarm(0)


@pytest.mark.parametrize("kind", KINDS)
def test_whole_files_are_read(kind: str, tmp_path: Path) -> None:
    target = KINDS[kind](tmp_path)
    target.path.write_bytes(target.whole)
    target.read(target.path)


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_refused_in_a_line_or_read(kind: str, tmp_path: Path) -> None:
    target = KINDS[kind](tmp_path)
    target.path.write_bytes(target.whole)
    target.read(target.path)  # the first time imports libraries
    refused, unnamed = 0, []
    for seed in range(INPUTS // SLOW.get(kind, 1)):
        data = target.damage(random.Random(f"{kind} {seed}"))
        target.path.write_bytes(data)
        started = time.process_time()
        try:
            with not_hanging():
                target.read(target.path)
        except UserError as error:
            refused += 1
            named = kind in UNNAMED or str(target.path) in str(error)
            if not named:
                unnamed.append(f"seed {seed}: {error}")
        except Exception as error:
            pytest.fail(f"seed {seed}: {error!r}; the input: {data[:2000]!r}")
        assert time.process_time() - started < LONGEST_S, f"seed {seed} took too long"
    assert not unnamed
    assert not (refused and kind in NEVER_REFUSED)
    never = ("modelzoo_log", "partial_download", "training_state", *NEVER_REFUSED)
    assert refused or kind in never
