"""Done when 2 of issue 7, in short: people work while slow clients hang. bench/slow_clients.py has the figures."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from django.urls import reverse

from portal.demo.cast import Cast
from tests import build
from tests.e2e.portal import Portal, answer
from tests.e2e.test_run import plain_browser as browser
from tests.e2e.test_run import read, sign_in

HEAD = b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
#: More than the portal of the tests has threads (2 processes, 6 each), of each kind.
MANY = 16
KINDS = {
    "slow upload": HEAD + b"Content-Length: 900000\r\n\r\nlogin=",
    "upload too large": HEAD + b"Content-Length: 900000000\r\n\r\n",
    "chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    "slow head": HEAD,
    "silent": b"",
    "never reads": b"GET /accounts/login/ HTTP/1.1\r\nHost: localhost\r\n\r\n" * 5,
}


@pytest.fixture
def hanging(portal: Portal) -> Iterator[None]:
    address = urlsplit(portal.url)
    with ExitStack() as stack:
        for sent in KINDS.values():
            for _n in range(MANY):
                connection = stack.enter_context(socket.socket())
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                connection.connect((address.hostname, address.port))
                connection.sendall(sent)
        yield


def test_people_work_while_slow_clients_hang(portal: Portal, cast: Cast, hanging: None) -> None:
    assert [answer(f"{portal.url}{path}")[0] for path in ("/healthz", "/readyz", "/accounts/login/") * 5] == [200] * 15
    person = browser()
    assert "Needs you now" in sign_in(person, f"{portal.url}/accounts/login/", build.CONTOSO)
    assert "<main" in read(person, portal.url + reverse("deals"))


def test_what_is_too_large_gets_a_clear_page_before_it_is_sent(portal: Portal) -> None:
    connection = http.client.HTTPConnection(urlsplit(portal.url).netloc, timeout=10)
    try:
        connection.putrequest("POST", "/admin/money/monthlyrate/upload/")
        connection.putheader("Content-Length", "1000001")
        connection.endheaders()
        refused = connection.getresponse()
        assert refused.status == 413
        assert "This is too large" in refused.read().decode()
    finally:
        connection.close()
