"""One POST to a receiver that may be anybody: only to addresses that were checked, within a time, without redirects."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpcore
import httpx
from django.conf import settings

from portal.webhooks import rules


@dataclass(frozen=True)
class Answer:
    """What came of one attempt: a status, or why there is none (a code of rules.ERRORS)."""

    status: int | None
    error: str
    ms: int
    text: str = ""

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class NotPublic(httpcore.ConnectError):
    """The name leads to an address that may not be called."""


class NoAddress(httpcore.ConnectError):
    """The name leads nowhere."""


def loopback_allowed() -> bool:
    """Whether this machine may be called: in demos and tests, never in an installation (wire.md)."""
    return settings.MODE != "production"


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send a body. Never raises; takes no longer than TOTAL_SECONDS, beside the look-up of the name."""
    begun = time.monotonic()
    try:
        status, text = _exchange(url, body, headers, begun + rules.TOTAL_SECONDS)
    except Exception as error:  # whatever a receiver comes up with is its attempt's result, and nobody else's
        return Answer(None, _code(error), _since(begun))
    return Answer(status, _failure_of(status), _since(begun), text)


def _since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)


def _exchange(url: str, body: bytes, headers: Mapping[str, str], until: float) -> tuple[int, str]:
    # Proxies of the environment would do the look-up themselves; an encoded answer could unfold without end.
    sent = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Ortak-Webhooks/1.0", **headers}
    with httpx.Client(transport=_Transport(until), timeout=rules.CONNECT_SECONDS, trust_env=False) as client:
        client.headers = httpx.Headers({"Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"})
        with client.stream("POST", url, content=body, headers=sent) as answer:
            return answer.status_code, _read(answer)


def _read(answer: httpx.Response) -> str:
    """The beginning of the answer; the status counts, whatever becomes of the rest."""
    kept = b""
    try:
        for chunk in answer.iter_raw():
            kept += chunk
            if len(kept) >= rules.MAX_ANSWER:
                break
    except httpx.HTTPError:
        pass
    return kept[: rules.KEPT_ANSWER].decode("utf-8", "replace").replace("\x00", "�")


def _failure_of(status: int) -> str:
    if 200 <= status < 300:
        return ""
    return "redirect" if 300 <= status < 400 else "refused"


def _code(error: BaseException) -> str:
    """The code of what went wrong; httpx wraps what the network said."""
    causes: list[BaseException] = [error]
    while (inner := causes[-1].__cause__ or causes[-1].__context__) and inner not in causes:
        causes.append(inner)
    for kind, code in _CODES.items():
        if any(isinstance(cause, kind) for cause in causes):
            return code
    return "broken"


_CODES: dict[type[BaseException], str] = {
    NotPublic: "not_public",
    NoAddress: "no_address",
    httpx.TimeoutException: "timeout",
    httpcore.TimeoutException: "timeout",
    httpx.ConnectError: "connect",
    httpcore.ConnectError: "connect",
}


class _Transport(httpx.HTTPTransport):
    """httpx on connections of our own making; one request each, so that no connection outlives its check."""

    def __init__(self, until: float) -> None:
        super().__init__(trust_env=False)
        self._pool.close()
        self._pool = httpcore.ConnectionPool(
            ssl_context=_trusted(), max_connections=1, max_keepalive_connections=0, network_backend=_Checked(until)
        )


@cache
def _trusted() -> ssl.SSLContext:
    """The machine's own certificate authorities."""
    return ssl.create_default_context()


class _Checked(httpcore.NetworkBackend):
    """Looks the name up once, checks every address, and connects to those: a second look-up could say otherwise."""

    def __init__(self, until: float) -> None:
        self._until = until
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        found = addresses(host, port)
        if not all(rules.may_connect(address, loopback=loopback_allowed()) for address in found):
            raise NotPublic(host)
        refused: Exception = NoAddress(host)
        for address in found:
            try:
                left = _left(self._until, rules.CONNECT_SECONDS)
                stream = self._plain.connect_tcp(address, port, left, local_address, socket_options or ())
                return _Timed(stream, self._until)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                refused = error
        raise refused


class _Timed(httpcore.NetworkStream):
    """A connection that ends in time, however slowly the other side drips."""

    def __init__(self, stream: httpcore.NetworkStream, until: float) -> None:
        self._stream, self._until = stream, until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._until))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._until))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, _left(self._until, rules.CONNECT_SECONDS))
        return _Timed(secured, self._until)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(until: float, most: float = rules.TOTAL_SECONDS) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("The time is over.")
    return min(left, most)


def addresses(host: str, port: int) -> list[str]:
    """The addresses of a name; of an address, itself. Raises NoAddress."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NoAddress(host) from error
    return list(
        dict.fromkeys(str(ipaddress.ip_address(str(sockaddr[0]).partition("%")[0])) for *_kind, sockaddr in found)
    )
