"""Connections between the supervisors of several hosts: news, and a heartbeat.

The first host's supervisor listens at its address among the hosts, the others call it and say the
job's secret; whoever else calls is sent away, and no line of theirs is read as news. What
waits for long (a collective, a state being written) waits in other processes, so silence here means
a lost host or a cut network.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socket
import time
from typing import Any

from bertsquad.console.errors import UserError

HEARTBEAT_INTERVAL_S = 1.0  # between two heartbeats
HEARTBEAT_TIMEOUT_S = 10.0  # after which the other side is lost
_HEARTBEAT = b"\n"  # an empty line
_LONGEST_LINE = 64 * 1024  # bytes; a verdict takes some hundred
_MOST_UNNAMED = 64  # connections that have not said who they are


class Link:
    """One connection, never blocking. News are JSON objects, a line each."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection = connection
        self.buffer = b""
        self.closed = False
        self.heard = time.monotonic()
        self.beaten = 0.0

    @property
    def silent(self) -> bool:
        """Whether the other side must be taken for lost."""
        return time.monotonic() - self.heard > HEARTBEAT_TIMEOUT_S

    def tell(self, **news: Any) -> None:
        self._send(json.dumps(news).encode() + b"\n")

    def news(self) -> list[dict[str, Any]]:
        """What has come since the last call; also beats when it is time."""
        if time.monotonic() - self.beaten > HEARTBEAT_INTERVAL_S:
            self.beaten = time.monotonic()
            self._send(_HEARTBEAT)
        while not self.closed:
            try:
                found = self.connection.recv(4096)
            except BlockingIOError:
                break
            except OSError:
                found = b""
            if not found:
                self.closed = True
                break
            self.heard = time.monotonic()
            self.buffer += found
            if len(self.buffer) > _LONGEST_LINE:
                self.closed = True
                break
        *lines, self.buffer = self.buffer.split(b"\n")
        return [news for line in lines if line and (news := self._read(line)) is not None]

    def _read(self, line: bytes) -> dict[str, Any] | None:
        """The news of a line. Whoever sends another is not one of our hosts: the link ends."""
        try:
            news = json.loads(line)
        except (ValueError, RecursionError):
            news = None
        if not isinstance(news, dict):
            self.closed = True
            return None
        return news

    def close(self) -> None:
        self.connection.close()

    def _send(self, line: bytes) -> None:
        try:
            self.connection.sendall(line)
        except BlockingIOError:
            pass  # nobody takes it: silence will tell
        except OSError:
            self.closed = True


class Listener:
    """Where the other hosts' supervisors call the first one's.

    `address`: of the first host as the others know it; "" listens on all of its addresses.
    `secret`: what callers must say; by default a new one.
    """

    def __init__(self, port: int, address: str = "", secret: str | None = None) -> None:
        self.secret = secrets.token_hex() if secret is None else secret
        try:
            self.socket = socket.create_server((address, port), backlog=64)
        except OSError as error:
            raise UserError(
                f"port {port} cannot be listened on: {error.strerror}; give another --port (it and "
                "the one after it are used)"
            ) from None
        self.socket.setblocking(False)
        self.unnamed: list[Link] = []

    def callers(self) -> list[tuple[int, Link]]:
        """Connections whose other side has said which host it is, and the secret, since the last
        call."""
        try:
            while len(self.unnamed) < _MOST_UNNAMED:
                self.unnamed.append(Link(self.socket.accept()[0]))
        except BlockingIOError:
            pass
        named = []
        for link in list(self.unnamed):
            news = link.news()
            number = self._named(news[0]) if news else None
            if number is not None:
                named.append((number, link))
            if news or link.closed or link.silent:
                self.unnamed.remove(link)
                if number is None:
                    link.close()
        return named

    def _named(self, news: dict[str, Any]) -> int | None:
        """The number of the host that calls; None for a stranger."""
        number, secret = news.get("host"), news.get("secret")
        if not isinstance(secret, str) or not hmac.compare_digest(
            secret.encode(errors="replace"), self.secret.encode()
        ):
            return None
        return number if isinstance(number, int) and number > 0 else None

    def close(self) -> None:
        for link in self.unnamed:
            link.close()
        self.socket.close()


def call(host: str, port: int, number: int, secret: str) -> Link | None:
    """Call the first host as host `number` of the job with this secret; None where it does not
    answer yet."""
    try:
        connection = socket.create_connection((host, port), timeout=2)
    except OSError:
        return None
    link = Link(connection)
    link.tell(host=number, secret=secret)
    return link
