"""The web server's own part (portal/webserver.py): who waits, who is refused, who is closed. Over real sockets."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from waitress import wasyncore
from waitress.task import ThreadedTaskDispatcher

from portal import webserver
from portal.bodies import PAGE_BYTES, TOO_LARGE
from portal.frames import with_room
from tests.e2e.portal import free_port, wait_for

ROOT = Path(__file__).resolve().parent.parent
THREADS = 2
HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


class Config:
    threads, backlog = THREADS, 64


class Site:
    """One process's server in this one, around an application that says what it got."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        self.sockets: dict[int, Any] = {}
        self.pool = ThreadedTaskDispatcher()
        self.pool.set_thread_count(THREADS)
        worker = webserver.BufferedWorker.__new__(webserver.BufferedWorker)
        worker.cfg, worker.nr, worker.max_requests, worker.wsgi = Config, 0, sys.maxsize, self.application
        self.server = worker._server(self.listener, self.sockets, self.pool)
        self.server.adj.cleanup_interval = 0.05  # seconds: how often it looks who is overdue or too much
        self.looks = self.most = 0
        self.server.maintenance = self.maintenance
        self.asked: list[str] = []
        self.clients: list[socket.socket] = []
        self.running = True
        self.thread = threading.Thread(target=self.loop)
        self.thread.start()

    def maintenance(self, now: float) -> None:
        self.most = max(self.most, sum(self.unfinished()))
        webserver.Server.maintenance(self.server, now)
        self.looks += 1

    def loop(self) -> None:
        while self.running:
            wasyncore.loop(timeout=0.02, use_poll=True, map=self.sockets, count=1)

    def application(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/long":
            body = b"x" * 5_000_000
        elif environ.get(TOO_LARGE):
            body = b"refused"
        elif environ["PATH_INFO"] == "/digest":
            body = hashlib.sha256(environ["wsgi.input"].read()).hexdigest().encode()
        else:
            body = b"%d" % len(environ["wsgi.input"].read())
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    def connect(self) -> socket.socket:
        self.clients.append(socket.create_connection(self.address, timeout=10))
        return self.clients[-1]

    def ask(self, body: bytes = b"", **headers: str) -> str:
        """What the application says to a POST."""
        with contextlib.closing(http.client.HTTPConnection(*self.address, timeout=10)) as connection:
            connection.request("POST", "/", body, {name.replace("_", "-"): value for name, value in headers.items()})
            return connection.getresponse().read().decode()

    def unfinished(self) -> list[int]:
        """Of each connection, the bytes of a request that isn't complete."""
        return [channel.unfinished for channel in list(self.server.active_channels.values())]

    def looks_again(self) -> None:
        """Wait until it has looked once more from beginning to end."""
        looks = self.looks
        wait_for(lambda: self.looks > looks + 1, "the next look at who is overdue")

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self.running = False
        self.thread.join()
        self.pool.shutdown(timeout=1)
        for channel in list(self.server.active_channels.values()):
            channel.handle_close()
        wasyncore.close_all(self.sockets)
        self.listener.close()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site on which POST / with `X-May` may bring three megabytes."""
    site = Site()

    def limit(environ: dict[str, Any]) -> int:
        site.asked.append(environ["PATH_INFO"])
        return 3_000_000 if environ.get("HTTP_X_MAY") else PAGE_BYTES

    monkeypatch.setattr(webserver, "limit_before_reading", limit)
    yield site
    site.close()


def read(connection: socket.socket) -> str:
    """The body of the answer, once it is whole."""
    with http.client.HTTPResponse(connection) as answer:
        answer.begin()
        return answer.read().decode()


def gone(connection: socket.socket) -> bool:
    """Whether the other side closed it."""
    try:
        return connection.recv(65_536) == b""
    except ConnectionResetError:
        return True


def many(site: Site, *sent: bytes) -> list[socket.socket]:
    """Far more connections than threads, on each of which this was sent."""
    connections = [site.connect() for _n in range(10 * THREADS)]
    for connection in connections:
        for part in sent:
            connection.sendall(part)
    return connections


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        HEAD,
        HEAD + b"Content-Length: 900000\r\n\r\nx",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        HEAD + b"Content-Length: 900000000\r\n\r\n",
        b"GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=["silent", "half a head", "half a body", "half a chunk", "too large", "never reads"],
)
def test_slow_clients_take_no_thread(site: Site, sent: bytes) -> None:
    many(site, sent)
    assert [site.ask(b"x" * size) for size in (0, 7, 70_000, PAGE_BYTES)] == ["0", "7", "70000", str(PAGE_BYTES)]


def test_a_body_of_any_form_comes_whole_however_slowly(site: Site) -> None:
    with site.connect() as connection:
        for part in (HEAD, b"Transfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n", b"0\r", b"\n\r\n"):
            connection.sendall(part)
            time.sleep(0.05)
        assert read(connection) == "3"


def test_what_is_too_large_is_refused_before_it_is_sent(site: Site) -> None:
    with site.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: 1000001\r\n\r\n")
        assert read(connection) == "refused"
    with site.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: 1000001\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 200"  # and not 100
        assert read(connection) == "refused"
    assert site.asked == ["/", "/"]


def test_whoever_sends_all_of_it_before_reading_still_reads_why(site: Site) -> None:
    """A connection closed over unread bytes is reset, and takes the answer with it."""
    assert site.ask(b"x" * 4_000_000) == "refused"
    assert site.ask(b"x" * 4_000_000, X_May="1") == "refused"


def test_chunks_end_where_a_page_does(site: Site) -> None:
    """Nobody says beforehand how much they come to, so nobody is asked."""
    chunk = b"%x\r\n%s\r\n" % (600_000, b"x" * 600_000)
    with site.connect() as connection:
        connection.sendall(HEAD + b"X-May: 1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk)
        assert read(connection) == "refused"
    assert site.asked == []


def test_whoever_may_send_more_can(site: Site) -> None:
    assert site.ask(b"x" * 2_500_000, X_May="1") == "2500000"
    with site.connect() as connection:
        connection.sendall(HEAD + b"X-May: 1\r\nContent-Length: 2000000\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"x" * 2_000_000)
        assert read(connection) == "2000000"
    assert site.asked == ["/", "/"]


def test_a_thread_and_the_loop_never_send_the_same_bytes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that found out how much may come says so while the loop looks what is to be sent."""
    send = webserver.Channel.send

    def slow_send(channel: webserver.Channel, data: bytes, **more: bool) -> int:
        if data.startswith(b"HTTP/1.1 100"):
            channel.server.pull_trigger()  # the loop looks
            time.sleep(0.3)
        sent: int = send(channel, data, **more)
        return sent

    monkeypatch.setattr(webserver.Channel, "send", slow_send)
    with site.connect() as connection:
        connection.sendall(HEAD + b"X-May: 1\r\nContent-Length: 2000000\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"x" * 2_000_000)
        assert read(connection) == "2000000"


def test_what_came_while_it_was_asked_comes_before_the_rest(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop reads on as soon as it is known how much may come; the thread has yet to hand on what was held."""
    received = webserver.Channel.received

    def slow_received(channel: webserver.Channel, data: bytes) -> bool:
        if threading.current_thread() is not site.thread:
            channel.server.pull_trigger()  # the loop looks
            time.sleep(0.3)
        return received(channel, data)

    monkeypatch.setattr(webserver.Channel, "received", slow_received)
    body = b"".join(b"%07d\n" % number for number in range(250_000))
    head = HEAD.replace(b" / ", b" /digest ")
    with site.connect() as connection:
        connection.sendall(head + b"X-May: 1\r\nContent-Length: 2000000\r\n\r\n" + body)
        assert read(connection) == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize(
    ("sent", "limit"),
    [
        (b"", "IDLE"),
        (HEAD, "HEAD_SECONDS"),
        (HEAD + b"Content-Length: 900000\r\n\r\n", "BODY_SECONDS"),
        (HEAD + b"Content-Length: 1000001\r\n\r\n", "LINGER_SECONDS"),
    ],
)
def test_nobody_stays_for_ever_by_sending_a_byte_now_and_then(
    site: Site, monkeypatch: pytest.MonkeyPatch, sent: bytes, limit: str
) -> None:
    if limit == "IDLE":
        site.server.adj.channel_timeout = 0.3
    else:
        monkeypatch.setattr(webserver, limit, 0.3)
    began = time.monotonic()
    with site.connect() as connection:
        connection.sendall(sent)
        connection.settimeout(0.1)
        closed = False
        while not closed and time.monotonic() < began + 8:
            try:
                if sent:
                    connection.sendall(b"x")
                closed = gone(connection)
            except TimeoutError:
                continue
            except OSError:
                closed = True
        assert closed


def test_a_body_that_comes_fast_enough_is_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webserver, "BODY_SECONDS", 0.0)
    with site.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: 400000\r\n\r\n" + b"x" * 100_000)
        for _n in range(3):
            site.looks_again()
            connection.sendall(b"x" * 100_000)
        assert read(connection) == "400000"


def test_too_many_at_once_make_room_for_the_next(site: Site) -> None:
    site.server.adj.connection_limit = 12
    many(site, HEAD)
    assert site.ask(b"x") == "1"


def test_too_much_that_is_unfinished_makes_room(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webserver, "PENDING_BYTES", 1_000_000)
    site.server.adj.connection_limit = 100
    many(site, HEAD + b"Content-Length: 900000\r\n\r\n", b"x" * 200_000)
    wait_for(lambda: site.most > 1_000_000, "too much")
    wait_for(lambda: site.unfinished() == [200_000] * 5, "room")


def test_no_more_uploads_are_cut_off_than_it_takes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """REG-16: somebody else's document under way is no reason to lose one's own."""
    monkeypatch.setattr(webserver, "PENDING_BYTES", 1_000_000)
    site.server.adj.connection_limit = 100
    uploads = [site.connect() for _n in range(3)]
    for connection in uploads:
        connection.sendall(HEAD + b"Content-Length: 900000\r\n\r\n" + b"x" * 400_000)
    wait_for(lambda: site.unfinished() == [400_000, 400_000], "the longest to be closed")
    for _n in range(3):
        site.looks_again()
    assert site.unfinished() == [400_000, 400_000], "and nobody else"


def test_a_head_without_end_is_refused(site: Site) -> None:
    with site.connect() as connection:
        connection.sendall(HEAD + b"X-Long: " + b"x" * webserver.HEAD_BYTES)
        assert connection.recv(1000).startswith(b"HTTP/1.0 431")


@pytest.mark.parametrize(
    "sent",
    [
        b"GET http://[nothing/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        HEAD + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n",
    ],
)
def test_a_head_that_cannot_be_read_is_refused(site: Site, sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Not closed without a word, with a line in the log for each."""
    connection = site.connect()
    connection.sendall(sent)
    assert connection.recv(1000).startswith(b"HTTP/1.1 400 ")
    assert not caplog.records
    assert site.ask(b"x" * 5) == "5"


def test_what_is_under_way_is_answered_when_the_server_ends(tmp_path: Path) -> None:
    """gunicorn and the worker class as they are, around an application that is still at it when they end."""
    (tmp_path / "slowly.py").write_text(
        "import pathlib, time\n"
        "def application(environ, start_response):\n"
        "    if environ['PATH_INFO'] == '/slow':\n"
        f"        pathlib.Path({str(tmp_path / 'begun')!r}).touch()\n"
        "        time.sleep(1.2)\n"
        "    start_response('200 OK', [('Content-Length', '4')])\n"
        "    return [b'done']\n"
    )
    port = free_port()
    options = [
        "-k",
        "portal.webserver.BufferedWorker",
        "-w",
        "1",
        "-b",
        f"127.0.0.1:{port}",
        "--pythonpath",
        str(tmp_path),
    ]
    command = [sys.executable, "-m", "gunicorn", *options, "--no-control-socket", "slowly:application"]
    log = tmp_path / "log"
    with log.open("wb") as out:
        web = subprocess.Popen(command, cwd=ROOT, env={**os.environ}, stdout=out, stderr=out)
    try:
        wait_for(lambda: _says(port, "/") == b"done", f"the server: {log.read_text()}")
        got: list[bytes] = []
        client = threading.Thread(target=lambda: got.append(_says(port, "/slow")))
        client.start()
        wait_for((tmp_path / "begun").exists, "the request under way")
        web.send_signal(signal.SIGTERM)
        client.join(10)
        assert got == [b"done"]
        assert web.wait(10) == 0
    finally:
        web.kill()
        web.wait()


def _says(port: int, path: str) -> bytes:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        except OSError:
            return b""


def test_a_thread_has_room_for_the_calls_of_a_page() -> None:
    """Else each turn of a loop in a template may ask the system for memory (portal/frames.py)."""
    below: list[str] = []

    class Task:
        def service(self) -> None:
            frame = sys._getframe()
            while frame := frame.f_back:  # type: ignore[assignment]
                below.append(frame.f_code.co_name)

        def cancel(self) -> None:
            """Nothing to give up."""

    threads = webserver.Threads()
    threads.set_thread_count(1)
    threads.add_task(Task())
    wait_for(lambda: len(below) > 1, "the task")
    threads.shutdown()
    assert "with_room" in below
    assert with_room.__code__.co_stacksize * 8 > 16_384
