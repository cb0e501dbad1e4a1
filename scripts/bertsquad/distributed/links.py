"""Connections between the supervisors of several hosts: news, and a heartbeat.

The first host's supervisor listens, the others call it. What waits for long (a collective, a state
being written) waits in other processes, so silence here means a lost host or a cut network.
"""

from __future__ import annotations

import json
import socket
import time
from typing import Any

from bertsquad.console.errors import UserError

HEARTBEAT_INTERVAL_S = 1.0  # between two heartbeats
HEARTBEAT_TIMEOUT_S = 10.0  # after which the other side is lost
_HEARTBEAT = b"\n"  # an empty line


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
        *lines, self.buffer = self.buffer.split(b"\n")
        return [json.loads(line) for line in lines if line]

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
    """Where the other hosts' supervisors call the first one's."""

    def __init__(self, port: int) -> None:
        try:
            self.socket = socket.create_server(("", port), backlog=64)
        except OSError as error:
            raise UserError(
                f"port {port} cannot be listened on: {error.strerror}; give another --port (it and "
                "the one after it are used)"
            ) from None
        self.socket.setblocking(False)
        self.unnamed: list[Link] = []

    def callers(self) -> list[tuple[int, Link]]:
        """Connections whose other side has said which host it is, since the last call."""
        try:
            while True:
                self.unnamed.append(Link(self.socket.accept()[0]))
        except BlockingIOError:
            pass
        named = []
        for link in list(self.unnamed):
            try:
                news = link.news()
                number = next((int(line["host"]) for line in news), None)
            except (ValueError, KeyError, TypeError):  # not one of our hosts
                link.closed, number = True, None
            if number is not None:
                named.append((number, link))
            if number is not None or link.closed or link.silent:
                self.unnamed.remove(link)
        return named

    def close(self) -> None:
        for link in self.unnamed:
            link.close()
        self.socket.close()


def call(host: str, port: int, number: int) -> Link | None:
    """Call the first host as host `number`; None where it does not answer yet."""
    try:
        connection = socket.create_connection((host, port), timeout=2)
    except OSError:
        return None
    link = Link(connection)
    link.tell(host=number)
    return link
