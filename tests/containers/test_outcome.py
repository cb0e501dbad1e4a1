import pytest

from bertsquad.containers.outcome import explain


def test_the_steps_own_failure_needs_no_words():
    assert explain(1, out_of_memory=False, memory_limit=0) is None
    assert explain(0, out_of_memory=False, memory_limit=0) is None


def test_a_limit_that_was_hit_is_named():
    message = explain(137, out_of_memory=True, memory_limit=200 * 1024 * 1024)
    assert message.startswith("out of memory: the container may use 200 MiB")
    assert "BERTSQUAD_DOCKER_MEMORY" in message


def test_without_a_limit_it_was_the_machine():
    message = explain(1, out_of_memory=True, memory_limit=0)
    assert message.startswith("out of memory: the machine has no more")


def test_a_process_killed_for_memory_that_the_step_survived_is_no_failure():
    assert explain(0, out_of_memory=True, memory_limit=1) is None


@pytest.mark.parametrize(("status", "name"), [(137, "SIGKILL"), (143, "SIGTERM")])
def test_a_kill_from_outside_is_named(status, name):
    message = explain(status, out_of_memory=False, memory_limit=0)
    assert f"ended from outside by {name}" in message
