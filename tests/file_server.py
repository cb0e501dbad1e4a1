"""A web server on 127.0.0.1 that serves bytes and misbehaves on demand."""

import http.server
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Served:
    """One file of the server, and how the server treats those who ask for it."""

    content: bytes
    etag: str | None = '"v1"'
    last_modified: str | None = None
    content_type: str = "application/octet-stream"
    ranges: bool = True  # answer Range with 206
    range_shift: int = 0  # bytes; answer Range from that much too far on
    length: bool = True  # send Content-Length
    chunked: bool = False
    claimed_length: int | None = None  # a Content-Length that is not true
    statuses: list[int] = field(default_factory=list)  # sent first, one a request, with no file
    headers: dict[str, str] = field(default_factory=dict)
    drop_after: list[int] = field(default_factory=list)  # bytes; one a request; then reset
    stall_after: int | None = None  # bytes; then send nothing until `resume` is set
    resume: threading.Event = field(default_factory=threading.Event)
    bytes_sent: int = 0
    requests: list[dict[str, str]] = field(default_factory=list)  # headers, lower-case names


class FileServer:
    """Files by path, at `url`."""

    def __init__(self) -> None:
        self.files: dict[str, Served] = {}
        handler = type("Bound", (Handler,), {"files": self.files})
        self.server = QuietServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def serve(self, path: str, content: bytes, **behaviour: object) -> Served:
        """Add or replace a file."""
        self.files[path] = Served(content, **behaviour)
        return self.files[path]


class QuietServer(http.server.ThreadingHTTPServer):
    """A client that vanishes is no news here."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Silent."""


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET from `files`."""

    files: dict[str, Served]
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Silent."""

    def do_GET(self) -> None:
        served = self.files.get(self.path)
        if served is None:
            self.send_error(404)
            return
        served.requests.append({name.lower(): value for name, value in self.headers.items()})
        if served.statuses:
            self.answer_status(served)
            return
        start = self.asked_start(served)
        if start is not None:
            start += served.range_shift
        if start is not None and start >= len(served.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(served.content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200 if start is None else 206)
        self.describe(served, start)
        self.send_body(served, served.content[start or 0 :])

    def answer_status(self, served: Served) -> None:
        self.send_response(served.statuses.pop(0))
        for name, value in served.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def asked_start(self, served: Served) -> int | None:
        """The offset of an honoured Range request, else None."""
        asked = self.headers.get("Range")
        if not asked or not served.ranges:
            return None
        condition = self.headers.get("If-Range")
        if condition and condition not in (served.etag, served.last_modified):
            return None
        return int(asked.removeprefix("bytes=").rstrip("-"))

    def describe(self, served: Served, start: int | None) -> None:
        size = len(served.content)
        self.send_header("Content-Type", served.content_type)
        if served.etag:
            self.send_header("ETag", served.etag)
        if served.last_modified:
            self.send_header("Last-Modified", served.last_modified)
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        for name, value in served.headers.items():
            self.send_header(name, value)
        if served.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif served.length:
            self.send_header("Content-Length", str(served.claimed_length or size - (start or 0)))
        else:
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()

    def send_body(self, served: Served, body: bytes) -> None:
        limit = served.drop_after.pop(0) if served.drop_after else None
        sent = 0
        while sent < len(body):
            stop = len(body) if limit is None else limit
            if served.stall_after is not None and not served.resume.is_set():
                stop = min(stop, served.stall_after)
            piece = body[sent : min(stop, sent + 4096)]
            if piece:
                try:
                    self.wfile.write(self.framed(served, piece))
                except OSError:
                    self.close_connection = True
                    return
                sent += len(piece)
                served.bytes_sent += len(piece)
            elif limit is not None and sent >= limit:
                self.reset()
                return
            else:
                served.resume.wait(30)
        if served.chunked:
            self.wfile.write(b"0\r\n\r\n")
        if served.claimed_length:
            self.close_connection = True

    def framed(self, served: Served, piece: bytes) -> bytes:
        return b"%x\r\n%s\r\n" % (len(piece), piece) if served.chunked else piece

    def reset(self) -> None:
        """End the connection without a good-bye, after what was sent has arrived."""
        self.wfile.flush()
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 1))
        self.connection.shutdown(socket.SHUT_WR)


@contextmanager
def running() -> Iterator[FileServer]:
    """A server for the time of the block."""
    server = FileServer()
    thread = threading.Thread(target=server.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        for served in server.files.values():
            served.resume.set()
        server.server.shutdown()
        server.server.server_close()
