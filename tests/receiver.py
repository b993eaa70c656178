"""A receiver of webhooks that really listens on this machine, and behaves as a test says."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: Writes an answer, whichever way.
Behaviour = Callable[["Handler"], None]


@dataclass(frozen=True)
class Received:
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """What came in, in its order; `behave` can be exchanged at any time."""

    port: int
    behave: Behaviour
    received: list[Received] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def names(self) -> list[str]:
        return [each.json["EventName"] for each in self.received]


class Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        given = {name.lower(): value for name, value in self.headers.items()}
        with self.receiver.lock:
            self.receiver.received.append(Received(given, body, time.monotonic()))
            self.receiver.at_once += 1
            self.receiver.most_at_once = max(self.receiver.most_at_once, self.receiver.at_once)
        try:
            with contextlib.suppress(OSError):  # who sends may have had enough
                self.receiver.behave(self)
        finally:
            with self.receiver.lock:
                self.receiver.at_once -= 1

    def log_message(self, *_said: object) -> None:
        """Nothing."""


def answers(status: int, body: bytes = b"ok", **headers: str) -> Behaviour:
    def behave(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def after(seconds: float, behave: Behaviour) -> Behaviour:
    def late(handler: Handler) -> None:
        time.sleep(seconds)
        behave(handler)

    return late


def drips(handler: Handler) -> None:
    """A letter of the answer's head every now and then, for ever."""
    for letter in b"HTTP/1.1 200 " + b"O" * 10_000:
        handler.wfile.write(bytes([letter]))
        time.sleep(0.1)


def lies(handler: Handler) -> None:
    """Promises more than comes, and goes."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nthat is all")


def talks(handler: Handler) -> None:
    """An answer without end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    while True:
        handler.wfile.write(b"x" * 65_536)


def babbles(handler: Handler) -> None:
    handler.wfile.write(b"\x00\xff this is no HTTP \r\n\r\n")


@contextlib.contextmanager
def listening(behave: Behaviour | None = None) -> Iterator[Receiver]:
    handler = type("OwnHandler", (Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    receiver = Receiver(server.server_address[1], behave or answers(200))
    handler.receiver = receiver
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
