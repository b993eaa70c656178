"""gunicorn's processes with waitress's input and output: slow clients take connections, never threads.

An event loop in each process reads requests and writes answers. A thread gets a request when all of it is here, and is
free again when its answer is in the buffer. gunicorn starts, watches and ends the processes as ever.
docs/decisions/0021-waitress-in-gunicorn.md says why.
"""

from __future__ import annotations

import logging
import os
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django.db import close_old_connections
from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher, WSGITask
from waitress.utilities import RequestEntityTooLarge

from portal.bodies import PAGE_BYTES, TOO_LARGE, limit_before_reading
from portal.frames import with_room

#: Bytes of a request's first line and headers.
HEAD_BYTES = 32_768
#: Seconds until the head is here; and until the body is, plus one for each SLOWEST bytes of it that came.
HEAD_SECONDS = 15.0
BODY_SECONDS = 30.0
SLOWEST = 16_384
#: Seconds without a byte in either direction, between requests as well.
IDLE_SECONDS = 20
#: Seconds in which whoever was refused may read the answer; what they go on sending is thrown away.
LINGER_SECONDS = 10.0
#: Seconds in which a process that ends still takes requests on the connections it has; a client may be sending one.
LAST_SECONDS = 2.0
#: Connections of a process, and bytes of requests that aren't complete: six documents of the largest size at once.
#: Beyond, the longest unfinished are closed.
CONNECTIONS = 1000
PENDING_BYTES = 128_000_000
#: Of a body, the bytes kept in memory; a larger one lies in a file in /tmp.
IN_MEMORY = 65_536


class Request(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """A request being read. One that brings more than a page's form waits until somebody said whether it may."""

    #: Waits to be told; was told no.
    asks = refused = False
    adj: Any
    body_rcv: Any
    expect_continue: bool
    _held = b""
    _wants_continue = False

    def parse_header(self, header_plus: bytes) -> None:
        """Raises ParsingError (400), also for an address or a length that Python won't read."""
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            raise ParsingError("Address or Content-Length is invalid") from error

    def received(self, data: bytes) -> int:
        if self.asks:
            self._held += data
            return len(data)
        consumed: int = super().received(data)
        if isinstance(self.error, RequestEntityTooLarge):
            if self.chunked:  # nobody knows how much is to come
                self.refuse()
            else:
                self._ask()
        return consumed

    def _ask(self) -> None:
        self.error, self.completed, self.asks = None, False, True
        self._wants_continue, self.expect_continue = self.expect_continue, False

    def answered(self, limit: int) -> bytes:
        """Go on with this limit, in bytes, or end here; returns what has come in the meantime."""
        self.asks, held, self._held = False, self._held, b""
        if self.content_length > limit:
            self.refuse()
            return b""
        raised = Adjustments.__new__(Adjustments)
        raised.__dict__.update(self.adj.__dict__, max_request_body_size=limit + 1)
        self.adj, self.expect_continue = raised, self._wants_continue
        return held

    def refuse(self) -> None:
        """Complete it without its body: the application says so (413), and the connection ends."""
        if self.body_rcv is not None:
            self.body_rcv.getbuf().close()
        self.body_rcv, self.error, self.expect_continue = None, None, False
        self.headers["CONNECTION"] = "close"
        self.completed = self.refused = True


class Task(WSGITask):  # type: ignore[misc]
    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        if self.request.refused:
            environ[TOO_LARGE] = True
        return environ


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection. It has its time to bring a request; whoever was refused may read why."""

    task_class = Task
    parser_class = Request

    close_when_flushed: bool
    _refused = False
    _asked: Request | None = None
    _discards_until: float | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        #: When it was opened, or brought the first byte of the request that is under way.
        self.since = time.monotonic()
        super().__init__(*args, **kwargs)
        self.requests_lock = threading.RLock()  # `go_on` holds it while it hands on what came meanwhile

    def received(self, data: bytes) -> bool:
        before = self.request
        taken: bool = super().received(data)
        if self.request is not before:
            self.since = time.monotonic()
        if self.request is not None and self.request.asks and self.request is not self._asked:
            self._asked = self.request
            self.server.add_task(Question(self, self.request))
        return taken

    def go_on(self, request: Request, limit: int) -> None:
        """How much the request may bring is known now."""
        if not self.connected:
            return
        with self.requests_lock:
            held = request.answered(limit)
            if request.refused:
                self.request = None
                self.requests.append(request)
                if len(self.requests) == 1:
                    self.server.add_task(self)
            elif request.expect_continue and not self.requests:
                self.send_continue()
            if held:  # before the loop hands on what comes next
                self.received(held)
        self.server.pull_trigger()

    def _flush_some(self, do_close: bool = True) -> bool:
        """What is to be sent, once: `go_on` sends from a thread while the loop thinks that it alone does."""
        with self.outbuf_lock:
            return bool(super()._flush_some(do_close=do_close))

    def service(self) -> None:
        self._refused = self.requests[0].refused
        if self.server.ending:
            self.requests[0].headers["CONNECTION"] = "close"
        super().service()

    def readable(self) -> bool:
        if self._discards_until is not None:
            return True
        return bool(super().readable()) and not (self.request is not None and self.request.asks)

    def handle_read(self) -> None:
        if self._discards_until is None:
            super().handle_read()
        else:
            self.recv(IN_MEMORY)  # closes the connection when the other side has

    def handle_write(self) -> None:
        if not (self.close_when_flushed and self._refused):
            super().handle_write()
            return
        # Closed at once, with bytes of theirs unread, the connection would be reset and the answer lost with it.
        self._flush_exception(self._flush_some)
        if self.will_close or not self.connected:
            self.handle_close()
        elif not self.total_outbufs_len:
            self.close_when_flushed = False
            self._discards_until = time.monotonic() + LINGER_SECONDS
            self.socket.shutdown(socket.SHUT_WR)

    def handle_close(self) -> None:
        if self.request is not None:
            self.request.close()  # its file in /tmp
        super().handle_close()

    @property
    def unfinished(self) -> int:
        """Bytes of a request that isn't complete."""
        request = self.request
        return request.body_bytes_received if request is not None else 0

    def overdue(self, now: float) -> bool:
        """Whether its time is over, in seconds of time.monotonic()."""
        if self._discards_until is not None:
            return now > self._discards_until
        if self.request is None or self.request.asks:
            return False
        allowed = BODY_SECONDS + self.unfinished / SLOWEST if self.request.headers_finished else HEAD_SECONDS
        return now > self.since + allowed

    def dispensable(self, moment: float, now: float) -> bool:
        """Whether a process that ends need not wait for it, in seconds of time.monotonic() and of time.time()."""
        if self.requests:
            return False
        begun = self.request is not None and self.since < moment - LAST_SECONDS
        return begun or self.last_activity < now - LAST_SECONDS


class Question:
    """For a thread: how much may this request bring? The session is asked, and so the database."""

    def __init__(self, channel: Channel, request: Request) -> None:
        self._channel, self._request = channel, request

    def service(self) -> None:
        environ = Task(self._channel, self._request).get_environment()
        close_old_connections()  # as Django does around its own requests
        limit = limit_before_reading(environ)
        close_old_connections()
        self._channel.go_on(self._request, limit)

    def cancel(self) -> None:
        self._channel.cancel()


class Server(TcpWSGIServer):  # type: ignore[misc]
    """Accepts, and closes what takes too long or is too much."""

    channel_class = Channel
    #: The process is about to end.
    ending = False

    def maintenance(self, now: float) -> None:
        super().maintenance(now)
        channels = list(self.active_channels.values())
        moment = time.monotonic()
        for channel in channels:
            late = channel.overdue(moment) or (self.ending and channel.dispensable(moment, now))
            channel.will_close = channel.will_close or late
        pending = sum(channel.unfinished for channel in channels)
        if self.in_connection_overflow or pending > PENDING_BYTES:
            idle = sorted((c for c in channels if not c.requests), key=lambda c: c.since)
            for channel in idle[: self.adj.connection_limit // 4 if self.in_connection_overflow else 0]:
                channel.will_close = True
            for channel in idle:  # no more of them than it takes: somebody uploads a document
                if pending > PENDING_BYTES and channel.unfinished:
                    channel.will_close = True
                    pending -= channel.unfinished


class Threads(ThreadedTaskDispatcher):  # type: ignore[misc]
    """waitress's, each with room for what a page calls: up to an eighth less work for a page (docs/benchmarks.md)."""

    def start_new_thread(self, target: Callable[..., None], thread_no: int) -> None:
        super().start_new_thread(partial(with_room, target), thread_no)


class BufferedWorker(Worker):  # type: ignore[misc]
    """gunicorn's worker_class: see the module."""

    alive: bool

    def run(self) -> None:
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns of each request that waits for a thread
        sockets: dict[int, Any] = {}
        threads = Threads()
        threads.set_thread_count(self.cfg.threads)
        servers = [self._server(listener.sock, sockets, threads) for listener in self.sockets]
        while self.alive and self.ppid == os.getppid():
            self.notify()
            wasyncore.loop(timeout=1, use_poll=True, map=sockets, count=1)
        self._drain(servers, sockets)
        threads.shutdown(timeout=1)

    def _server(self, listener: socket.socket, sockets: dict[int, Any], threads: ThreadedTaskDispatcher) -> Server:
        adjustments = Adjustments(
            sockets=[listener],
            ident="",
            # Whom a forwarded address is believed from is for the settings to say (BEHIND_PROXY).
            clear_untrusted_proxy_headers=False,
            connection_limit=_connections(),
            backlog=self.cfg.backlog,
            cleanup_interval=1,
            channel_timeout=IDLE_SECONDS,
            max_request_header_size=HEAD_BYTES,
            max_request_body_size=PAGE_BYTES + 1,
            inbuf_overflow=IN_MEMORY,
            log_socket_errors=False,
            threads=self.cfg.threads,
        )
        address = (listener.family, listener.type, listener.proto, listener.getsockname())
        keywords = {"dispatcher": threads, "adj": adjustments, "bind_socket": False, "sockinfo": address}
        return Server(self._counted, map=sockets, _sock=listener, **keywords)

    def _counted(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The application; after its share of requests the process makes room for a fresh one."""
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False
        return self.wsgi(environ, start_response)

    def _drain(self, servers: list[Server], sockets: dict[int, Any]) -> None:
        """Answer what is under way, accept nothing new."""
        for server in servers:
            server.accepting, server.ending = False, True
        deadline = time.monotonic() + self.cfg.graceful_timeout
        while time.monotonic() < deadline and any(server.active_channels for server in servers):
            self.notify()
            wasyncore.loop(timeout=0.1, use_poll=True, map=sockets, count=1)


def _connections() -> int:
    """How many connections fit into the files that this process may open: each takes up to three."""
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 3 * CONNECTIONS + 200
    soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, before), hard))
    return min(CONNECTIONS, max(50, (soft - 200) // 3))
