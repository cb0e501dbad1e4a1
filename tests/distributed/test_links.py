"""News and heartbeats between hosts."""

import socket
import time

import pytest

from bertsquad.console.errors import UserError
from bertsquad.distributed import links
from bertsquad.distributed.links import Listener, call


def wait_for(what):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.01)
    raise AssertionError("nothing came")


@pytest.fixture
def connected():
    listener = Listener(0)
    port = listener.socket.getsockname()[1]
    other = call("127.0.0.1", port, 3, listener.secret)
    ((number, link),) = wait_for(listener.callers)
    assert number == 3
    yield link, other
    for one in (link, other, listener):
        one.close()


def test_news_arrive_in_order_and_whole(connected):
    link, other = connected
    other.tell(done=True)
    other.tell(ended={"status": 1, "message": "x\ny"})
    found = []

    def both():
        found.extend(link.news())
        return len(found) == 2

    wait_for(both)
    assert found == [{"done": True}, {"ended": {"status": 1, "message": "x\ny"}}]


def test_a_heartbeat_is_no_news_but_breaks_the_silence(connected, monkeypatch):
    link, other = connected
    monkeypatch.setattr(links, "HEARTBEAT_INTERVAL_S", 0.0)
    link.heard = time.monotonic() - 100
    assert link.silent
    other.news()  # beats
    wait_for(lambda: link.news() == [] and not link.silent)


def test_the_end_of_the_other_side_is_noticed(connected):
    link, other = connected
    other.close()
    wait_for(lambda: link.news() == [] and link.closed)


def test_to_write_to_a_closed_link_raises_nothing(connected):
    link, other = connected
    other.close()
    for _ in range(3):
        link.tell(done=True)
        time.sleep(0.01)
    assert link.closed


def test_somebody_else_at_the_port_is_sent_away():
    listener = Listener(0)
    with socket.create_connection(listener.socket.getsockname()[:2]) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        wait_for(lambda: listener.callers() == [] and not listener.unnamed)
    listener.close()


@pytest.mark.parametrize(
    "line",
    [
        b'{"host": 1}',
        b'{"host": 1, "secret": "guessed"}',
        b'{"host": 1, "secret": 5}',
        b'{"ended": {"status": 0, "message": ""}}',
        b"[1]",
        b"[" * 60_000,
        b"\xff\x00",
        b"x" * 100_000,
    ],
)
def test_who_does_not_know_the_secret_is_sent_away(line: bytes):
    listener = Listener(0)
    with socket.create_connection(("127.0.0.1", listener.socket.getsockname()[1])) as stranger:
        stranger.sendall(line + b"\n")
        time.sleep(0.05)
        wait_for(lambda: listener.callers() == [] and not listener.unnamed)
    listener.close()


def test_only_the_given_address_is_listened_on():
    listener = Listener(0, "127.0.0.1")
    assert listener.socket.getsockname()[0] == "127.0.0.1"
    listener.close()


def test_what_was_said_before_the_end_is_heard(connected):
    link, other = connected
    other.tell(ended={"status": 1, "message": "killed"})
    other.close()
    time.sleep(0.1)
    assert link.news() == [{"ended": {"status": 1, "message": "killed"}}]
    assert link.closed


def test_news_that_cannot_be_read_end_the_link(connected):
    link, other = connected
    other.connection.sendall(b"garbage\n")
    wait_for(lambda: link.news() == [] and link.closed)


def test_nobody_at_the_port_is_no_error():
    listener = Listener(0)
    port = listener.socket.getsockname()[1]
    listener.close()
    assert call("127.0.0.1", port, 1, "x") is None


def test_a_taken_port_is_said():
    listener = Listener(0)
    with pytest.raises(UserError, match=r"cannot be listened on: .*; give another --port"):
        Listener(listener.socket.getsockname()[1])
    listener.close()
