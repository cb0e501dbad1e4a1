"""What the tests' own Slurm starts ends with them, and nothing else does."""

import subprocess
import sys
from pathlib import Path

import pytest

from processes import alive, wait_for
from services.engine import apt_install, missing_for_services
from services.slurm import COMMANDS, answers, authentication, check_left_over, end, pids_of

SOCKET = Path("/run/bertsquad-munge/socket")
IGNORES_SIGTERM = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1); time.sleep(20)"


def test_munged_ends_with_the_tests_that_started_it_and_stays_for_others():
    if reason := missing_for_services():
        pytest.skip(f"munged {reason}")
    apt_install(COMMANDS)
    ping = ["munge", "-n", "-S", str(SOCKET)]
    assert not answers(ping)
    with authentication(SOCKET):
        [pid] = pids_of(f"munged .*{SOCKET}")
        with authentication(SOCKET):
            assert pids_of(f"munged .*{SOCKET}") == [pid]
        assert answers(ping)
    assert not answers(ping)
    assert pids_of(f"munged .*{SOCKET}") == []


def test_what_does_not_end_is_killed_and_named_and_others_go_on():
    with (
        subprocess.Popen(["sleep", "20"]) as other,
        subprocess.Popen(["sleep", "20"]) as willing,
        subprocess.Popen([sys.executable, "-c", IGNORES_SIGTERM], stdout=-1) as deaf,
    ):
        deaf.stdout.readline()
        with pytest.raises(AssertionError, match=rf"did not end within 0.5 seconds: {deaf.pid}$"):
            end([willing.pid, deaf.pid], 0.5)
        assert not alive(willing.pid)
        assert wait_for(lambda: not alive(deaf.pid))
        assert alive(other.pid)
        other.kill()


@pytest.mark.parametrize(
    ("conf", "daemons", "said"),
    [
        ("ClusterName=big\n", [], "this machine has a Slurm of its own"),
        ("ClusterName=bertsquad\n", [71, 72], r"whose Slurm runs \(process ids 71, 72\)"),
    ],
)
def test_a_slurm_that_is_there_is_named_where_its_tests_are_skipped(conf, daemons, said):
    with pytest.raises(pytest.skip.Exception, match=said):
        check_left_over(conf, daemons)


def test_a_configuration_that_killed_tests_have_left_is_no_reason_to_skip():
    check_left_over("ClusterName=bertsquad\n", [])
