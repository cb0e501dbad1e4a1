"""Being asked to stop: at once, or after what must not be torn apart."""

import contextlib
import signal
import threading

import pytest

from bertsquad.training.stopping import Stopped, Stopping


@pytest.mark.parametrize(
    ("number", "name", "status"),
    [
        (signal.SIGINT, "SIGINT", 130),
        (signal.SIGTERM, "SIGTERM", 143),
        (signal.SIGUSR1, "SIGUSR1", 138),
    ],
)
def test_a_signal_stops_at_once(number, name, status):
    done = []
    if number == signal.SIGINT:  # ignored by what a shell has started in the background
        signal.signal(number, signal.default_int_handler)

    def work():
        with Stopping():
            signal.raise_signal(number)
            done.append("after")

    with pytest.raises(Stopped) as stopped:
        work()
    assert (stopped.value.name, stopped.value.status) == (name, status)
    assert done == []


def test_what_is_held_back_comes_after_the_block():
    done = []

    def work():
        with Stopping() as stopping:
            with stopping.held_back():
                signal.raise_signal(signal.SIGTERM)
                done.append("whole")
            done.append("after")

    with pytest.raises(Stopped):
        work()
    assert done == ["whole"]


def test_a_second_signal_does_not_disturb_what_the_first_began():
    done = []
    with Stopping():
        try:
            signal.raise_signal(signal.SIGUSR1)
        except Stopped:
            signal.raise_signal(signal.SIGTERM)
            done.append("saved")
    assert done == ["saved"]


def test_a_stop_that_was_swallowed_comes_with_the_next_step():
    done = []

    def work():
        with Stopping() as stopping:
            with contextlib.suppress(Stopped):  # as library code may do
                signal.raise_signal(signal.SIGTERM)
            with stopping.held_back():
                done.append("step")
            done.append("after")

    with pytest.raises(Stopped):
        work()
    assert done == ["step"]


def test_the_callers_ways_come_back_and_what_it_ignores_stays_ignored():
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        terminate = signal.getsignal(signal.SIGTERM)
        with Stopping():
            signal.raise_signal(signal.SIGUSR1)
        assert signal.getsignal(signal.SIGTERM) == terminate
        assert signal.getsignal(signal.SIGUSR1) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_another_thread_hears_nothing():
    heard = []

    def work():
        with Stopping():
            heard.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert heard == [before]
