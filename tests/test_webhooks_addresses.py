"""Where webhooks may go: only to the public internet, as it is when the connection is made (wire.md)."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.webhooks import rules
from portal.webhooks.services import sending
from tests import receiver
from tests.receiver import Receiver, answers, listening

REFUSED_ADDRESSES = [
    "0.0.0.0",  # noqa: S104
    "127.0.0.1", "127.8.8.8", "10.0.0.5", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::",
    "2002:a00:1::", "2001:0:53aa:64c:0:1::",
]  # fmt: skip
PUBLIC_ADDRESSES = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001:82b::200e"]

WRONG_URLS = {
    "": "wrong_url",
    "example.com": "wrong_url",
    "https://": "wrong_url",
    "https:///path": "wrong_url",
    "https://user:secret@example.com/": "wrong_url",
    "https://user@example.com/": "wrong_url",
    "https://example.com:0/": "wrong_url",
    "https://example.com:99999/": "wrong_url",
    "https://[::1": "wrong_url",
    "https://exa mple.com/": "wrong_url",
    "https://example.com/\n": "wrong_url",
    "https://örnek.com/": "wrong_url",
    "https://example.com/" + "x" * rules.MAX_URL_LENGTH: "wrong_url",
    "http://example.com/": "not_https",
    "ftp://example.com/": "not_https",
    "file:///etc/passwd": "wrong_url",
    "gopher://example.com/": "not_https",
    "https://127.0.0.1/": "not_public",
    "https://localhost/": "not_public",
    "https://[::1]/": "not_public",
    "https://10.1.2.3/": "not_public",
    "https://169.254.169.254/latest/meta-data": "not_public",
    "https://[::ffff:127.0.0.1]/": "not_public",
    "http://127.0.0.1/": "not_https",
}


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
def test_addresses_that_are_not_the_internets(address: str) -> None:
    assert not rules.is_public(address)
    assert not rules.may_connect(address, loopback=False)


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_addresses_of_the_internet(address: str) -> None:
    assert rules.is_public(address)


@pytest.mark.parametrize("url", WRONG_URLS)
def test_what_an_installation_refuses_to_be_told(url: str) -> None:
    found = [blocker.code for blocker in rules.url_blockers(url, loopback=False)]
    assert found == [WRONG_URLS[url]]


@pytest.mark.parametrize("url", ["https://example.com", "https://crm.example.com:8443/a?b=c#d", "https://8.8.8.8/x"])
def test_what_an_installation_takes(url: str) -> None:
    assert [*rules.url_blockers(url, loopback=False)] == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://localhost:1/", "https://[::1]:1/"])
def test_a_demo_takes_this_machine(url: str) -> None:
    assert [*rules.url_blockers(url, loopback=True)] == []


def test_a_demo_takes_no_other_machine_without_https() -> None:
    assert [b.code for b in rules.url_blockers("http://10.0.0.1/", loopback=True)] == ["not_https"]
    assert [b.code for b in rules.url_blockers("https://10.0.0.1/", loopback=True)] == ["not_public"]


@given(st.text(max_size=60) | st.builds("https://{}".format, st.text(max_size=30)))
def test_no_text_breaks_the_reading_of_addresses(text: str) -> None:
    found = [blocker.code for blocker in rules.url_blockers(text, loopback=False)]
    assert len(found) <= 1
    assert found or text.casefold().startswith("https://")


# At the connection


@pytest.fixture
def installation(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in production: this machine is not called either."""
    monkeypatch.setattr(sending, "loopback_allowed", lambda: False)


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with listening() as receiver:
        yield receiver


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """What each name leads to, look-up by look-up."""
    known: dict[str, list[list[str]]] = {}

    def look_up(host: str, port: int, *_given: Any, **_more: Any) -> Any:
        if host not in known:
            return real(host, port, *_given, **_more)
        found = known[host].pop(0) if len(known[host]) > 1 else known[host][0]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


def post(url: str) -> sending.Answer:
    return sending.post(url, b"{}", {"X-Test": "1"})


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"])
@pytest.mark.usefixtures("installation")
def test_a_name_that_leads_inside(address: str, names: dict[str, list[list[str]]], hook: Receiver) -> None:
    names["hooks.example.com"] = [[address]]
    assert post(f"http://hooks.example.com:{hook.port}/").error == "not_public"
    assert hook.received == []


@pytest.mark.usefixtures("installation")
def test_a_name_that_leads_inside_and_outside(names: dict[str, list[list[str]]], hook: Receiver) -> None:
    """One internal address among them is enough."""
    names["hooks.example.com"] = [["8.8.8.8", "127.0.0.1"]]
    assert post(f"http://hooks.example.com:{hook.port}/").error == "not_public"
    assert hook.received == []


def test_a_name_is_looked_up_once_and_that_address_is_called(
    names: dict[str, list[list[str]]], hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: what the name leads to afterwards is never called."""
    checked: list[str] = []
    monkeypatch.setattr(rules, "may_connect", lambda address, **_given: not checked.append(address))
    names["hooks.example.com"] = [["127.0.0.1"], ["127.0.0.99"]]
    assert post(f"http://hooks.example.com:{hook.port}/").status == 200
    assert checked == ["127.0.0.1"]
    assert hook.received[0].headers["host"] == f"hooks.example.com:{hook.port}"
    assert len(names["hooks.example.com"]) == 1


def test_a_name_without_an_address(names: dict[str, list[list[str]]]) -> None:
    names["gone.example.com"] = [[]]
    assert post("https://gone.example.com/").error == "no_address"


def test_the_next_address_is_tried(names: dict[str, list[list[str]]], hook: Receiver) -> None:
    names["hooks.example.com"] = [["127.0.0.66", "127.0.0.1"]]
    assert post(f"http://hooks.example.com:{hook.port}/").status == 200


def test_no_proxy_of_the_environment_is_used(hook: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would look the name up itself."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert post(hook.url).status == 200


def test_no_redirect_is_followed(hook: Receiver) -> None:
    with listening() as other:
        hook.behave = answers(307, b"", Location=other.url)
        assert (post(hook.url).status, post(hook.url).error) == (307, "redirect")
        assert other.received == []


def test_nothing_is_unpacked(hook: Receiver) -> None:
    """An answer of a few bytes could unfold into gigabytes."""
    hook.behave = answers(200, b"\x1f\x8b nothing of the kind", **{"Content-Encoding": "gzip"})
    answer = post(hook.url)
    assert answer.accepted
    assert answer.text.endswith("nothing of the kind")
    assert hook.received[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("behave", [receiver.drips, receiver.after(30, answers(200))], ids=["drips", "silent"])
def test_every_attempt_ends_in_time(behave: Any, hook: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """However slowly something comes: the time is for all of it, not for each read."""
    monkeypatch.setattr(rules, "TOTAL_SECONDS", 1.0)
    hook.behave = behave
    begun = time.monotonic()
    answer = post(hook.url)
    assert answer.error == "timeout"
    assert 0.9 < time.monotonic() - begun < 2.5


def test_a_certificate_that_nobody_vouches_for(hook: Receiver) -> None:
    """A receiver that speaks no TLS at all, and one with a certificate of its own making."""
    assert post(f"https://127.0.0.1:{hook.port}/").error == "connect"
    assert hook.received == []


def test_httpx_is_used_where_it_is_safe_only() -> None:
    """Whatever else calls addresses that people type would need the same checks."""
    root = Path(__file__).resolve().parent.parent
    users = {
        str(path.relative_to(root))
        for app in ("portal", "referrals", "dealreg", "exceptions_council", "isvconnect", "licensing")
        for path in (root / app).rglob("*.py")
        if "import httpx" in path.read_text(encoding="utf-8")
    }
    assert users == {"portal/webhooks/services/sending.py"}
