"""How long others wait while slow clients hang: 16 browsers, and beside them slow ones of every kind.

    python bench/slow_clients.py [SECONDS [FAST [SLOW]]]        # without any: 20 16 4; the goal is 60 16 4

Serves a portal of its own as an installation does, and asks it over TCP without a proxy. SLOW is how many there are of
*each* kind: one sends a body byte by byte, one its head, one announces a body that is too large and sends nothing, one
never reads what it asked for, one says nothing. Whichever is sent away comes back at once.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import generate  # sets the environment

PAGES = ("/healthz", "/accounts/login/", "/healthz", "/static/app.css")
HEAD = b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"


def slow_body(connection: socket.socket) -> Iterator[bytes]:
    yield HEAD + b"Content-Length: 900000\r\n\r\n"
    while True:
        yield b"x"


def slow_head(connection: socket.socket) -> Iterator[bytes]:
    yield HEAD
    while True:
        yield b"X-Slow: 1\r\n"


def too_large(connection: socket.socket) -> Iterator[bytes]:
    yield HEAD + b"Content-Length: 900000000\r\n\r\n"
    while True:
        yield b""


def never_reads(connection: socket.socket) -> Iterator[bytes]:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    yield b"GET /accounts/login/ HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20
    while True:
        yield b""


def silent(connection: socket.socket) -> Iterator[bytes]:
    while True:
        yield b""


KINDS: tuple[Callable[[socket.socket], Iterator[bytes]], ...] = (slow_body, slow_head, too_large, never_reads, silent)


def hang(kind: Callable[[socket.socket], Iterator[bytes]], port: int, end: threading.Event) -> None:
    """One slow client after the other, until the end."""
    while not end.is_set():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            for part in kind(connection):
                if end.is_set():
                    return
                if part:
                    connection.sendall(part)
                end.wait(0.5)
        end.wait(0.1)


def browse(port: int, until: float, found: list[tuple[str, float, int]]) -> None:
    """One browser: page after page on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    turn = 0
    while time.monotonic() < until:
        path, turn = PAGES[turn % len(PAGES)], turn + 1
        began = time.perf_counter()
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            status = answer.status
        except (OSError, http.client.HTTPException):
            connection.close()
            status = 0
        found.append((path, time.perf_counter() - began, status))
        time.sleep(0.02)  # somebody who clicks fifty times a second


@contextlib.contextmanager
def serving(arguments: list[str]) -> Iterator[int]:
    """A portal as `make run` serves it, on a port of its own and the database that is there."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "gunicorn", "-c", str(generate.ROOT / "portal/gunicorn.py"), *arguments]
        log = Path(folder) / "log"
        with log.open("wb") as out:
            web = subprocess.Popen(  # noqa: S603
                command,
                cwd=generate.ROOT,
                env={**os.environ, "PORT": str(port), "HOST": "127.0.0.1"},
                stdout=out,
                stderr=out,
            )
        try:
            deadline = time.monotonic() + 30
            while _status(port) != 200:
                if time.monotonic() > deadline:
                    raise SystemExit(log.read_text())
                time.sleep(0.1)
            yield port
        finally:
            web.terminate()
            web.wait(30)


def _status(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    except OSError:
        return 0


def measure(port: int, *, seconds: float, fast: int, slow: int) -> list[tuple[str, float, int]]:
    end, found = threading.Event(), []
    kinds = [kind for kind in KINDS for _n in range(slow)]
    hanging = [threading.Thread(target=hang, args=(kind, port, end), daemon=True) for kind in kinds]
    for thread in hanging:
        thread.start()
    time.sleep(2 if hanging else 0)  # they are all there before the first browser is
    until = time.monotonic() + seconds
    browsers = [threading.Thread(target=browse, args=(port, until, found), daemon=True) for _n in range(fast)]
    for thread in browsers:
        thread.start()
    for thread in browsers:
        thread.join(seconds + 60)
    end.set()
    return found


def report(name: str, found: list[tuple[str, float, int]]) -> None:
    health = sorted(1000 * took for path, took, _status in found if path == "/healthz")
    failed = sum(status not in (200, 304) for _path, _took, status in found)
    p50, p99 = statistics.median(health), health[min(len(health) - 1, int(len(health) * 0.99))]
    print(f"| {name} | {len(found):,} | {failed} | {p50:.1f} ms | {p99:.1f} ms | {health[-1]:.1f} ms |", flush=True)


def main(seconds: float, fast: int, slow: int, arguments: list[str]) -> None:
    with generate.database(), serving(arguments) as port:
        print(f"\n{fast} browsers for {seconds:.0f} s\n")
        print("| beside them | requests | errors | /healthz: median | p99 | longest |\n|---|---|---|---|---|---|")
        report("nobody", measure(port, seconds=min(seconds, 20), fast=fast, slow=0))
        report(f"{slow} slow ones of each kind", measure(port, seconds=seconds, fast=fast, slow=slow))


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:4] if word.isdecimal()]
    seconds, fast, slow = (*numbers, *(20, 16, 4)[len(numbers) :])
    main(seconds, fast, slow, sys.argv[1 + len(numbers) :])  # the rest is gunicorn's
