"""Which process is to blame when several have failed, and what is said of it."""

import inspect
import signal

import pytest

from bertsquad.distributed.agent import GO_ON, Verdict, verdict

LOST, TERMINATED, KILLED = 75, -signal.SIGTERM, -signal.SIGKILL
LOST_CONTACT = "lost contact with the others"
MEMORY = "SIGKILL, as the kernel does where memory runs out"


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        ([(1, KILLED)], Verdict(1, f"process 1 was killed ({MEMORY}); {GO_ON}")),
        ([(0, LOST), (1, KILLED)], Verdict(1, f"process 1 was killed ({MEMORY}); {GO_ON}")),
        ([(0, TERMINATED), (1, 1)], Verdict(1, f"process 1 ended with status 1; {GO_ON}")),
        ([(0, LOST), (1, TERMINATED)], Verdict(1, f"process 0 {LOST_CONTACT}; {GO_ON}")),
        ([(0, TERMINATED)], Verdict(1, f"process 0 was killed (SIGTERM); {GO_ON}")),
        ([(0, 2), (1, TERMINATED)], Verdict(2, "")),
    ],
)  # fmt: skip
def test_the_cause_is_told_and_not_its_consequences(failures, expected):
    assert verdict(failures) == expected


def test_the_host_is_named_where_there_are_several():
    said = verdict([(5, -signal.SIGSEGV)], "node2").message
    assert said.startswith("process 5 on host node2 was killed (SIGSEGV); ")


def test_torchrun_still_has_the_private_default_that_is_replaced():
    from torch.distributed.elastic.multiprocessing.api import PContext

    parameters = inspect.signature(PContext.close).parameters
    assert [(name, entry.default) for name, entry in parameters.items()] == [
        ("self", inspect.Parameter.empty),
        ("death_sig", None),
        ("timeout", 30),
    ]
