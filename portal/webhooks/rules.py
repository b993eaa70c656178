"""Webhooks: the events there are, where they may go, and when a failed delivery is tried again (F2, wire.md)."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from urllib.parse import SplitResult, urlsplit

from portal.workflow.blockers import Blocker, _

TEST = "test-created"
CREATED, UPDATED = "referral-created", "referral-updated"
RELATED_CREATED, RELATED_UPDATED = "related-referral-created", "related-referral-updated"
REGISTRATION_UPDATED = "registration-updated"
EXCEPTION_UPDATED = "exception-updated"
ISV_DEAL_UPDATED = "isvconnect-deal-updated"
#: Every event a company may have sent, and what it tells (F2, wire.md).
EVENTS = {
    CREATED: _("A deal of your company is new"),
    UPDATED: _("A deal of your company changed"),
    RELATED_CREATED: _("Another company's copy of a deal can be seen"),
    RELATED_UPDATED: _("Another company's copy of a deal changed"),
    REGISTRATION_UPDATED: _("A registration changed"),
    EXCEPTION_UPDATED: _("An exception request changed"),
    ISV_DEAL_UPDATED: _("An ISV Connect deal changed"),
    TEST: _("A test asked for here"),
}

MAX_URL_LENGTH = 1000
#: F2: so many test events in a minute, and how long what became of one can be read.
TESTS_PER_MINUTE = 2
KEEP_TESTS = timedelta(days=7)
KEEP_DELIVERED = timedelta(days=30)
#: Beside a new secret the one before it signs as well, so long.
SECRET_OVERLAP = timedelta(hours=24)

#: F2: ten tries with growing pauses, then parked; they reach over a day and a night on which nobody answers.
PAUSES = [timedelta(minutes=m) for m in (1, 5, 15, 60, 120, 180, 300, 420, 540)]
#: A receiver that is down is left alone so long, whatever else waits for it; one that was down for longer
#: than DOWN gets all that waits as soon as it is back.
REST, DOWN = timedelta(seconds=30), timedelta(minutes=5)
#: What a proxy says for a receiver that is down, and a receiver that wants less.
DOWN_STATUSES = frozenset({429, 502, 503, 504})
#: So many deliveries at once to one receiver; to one that fails, or takes longer than this, only one at a time.
LANES, SLOW_MS = 4, 2_000

#: Seconds: to connect, and for everything from looking the name up to the end of the answer.
CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 10.0
#: Bytes of an answer that are read, and of those kept.
MAX_ANSWER, KEPT_ANSWER = 65_536, 2_000

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def pause_after(attempts: int, *, name: str) -> timedelta | None:
    """The pause after this many failed tries; None if it is parked. A test says at once what came of it."""
    return PAUSES[attempts - 1] if attempts <= len(PAUSES) and name != TEST else None


def is_down(status: int | None) -> bool:
    """Whether a receiver takes nothing at all now, rather than not this one; without a status there was no answer."""
    return status is None or status in DOWN_STATUSES


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet's own: nothing internal, nor what leads there by another name."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and (ip.ipv4_mapped or ip.sixtofour or ip.teredo or ip in _NAT64):
        return False
    return ip.is_global and not ip.is_multicast


def is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def may_connect(address: str, *, loopback: bool) -> bool:
    """`loopback`: whether this machine itself may be called, as in demos and tests."""
    return is_public(address) or (loopback and is_loopback(address))


def webhook_blockers(url: str, events: Collection[str], *, loopback: bool) -> Iterator[Blocker]:
    """What is wrong with a webhook's address and events (wire.md, Webhooks)."""
    yield from url_blockers(url, loopback=loopback)
    if not events:
        yield Blocker("events_missing", _("Choose at least one event."), "ORG-2", "events")
    for name in sorted(set(events) - set(EVENTS)):
        message = _("There is no event “%(name)s”.")
        yield Blocker("unknown_event", message, "ORG-2", "events", params={"name": name})


def url_blockers(url: str, *, loopback: bool) -> Iterator[Blocker]:
    """A public https address, without a password in it; in demos http to this machine, too."""
    parts = _split(url)
    if parts is None or len(url) > MAX_URL_LENGTH or not parts.hostname or parts.username or parts.password:
        yield _WRONG_URL
        return
    literal = _literal(parts.hostname)
    local = parts.hostname == "localhost" or (literal is not None and is_loopback(literal))
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback and local):
        yield Blocker("not_https", _("The address must begin with https://."), "ORG-2", "url")
    elif (local and not loopback) or (literal and not local and not is_public(literal)):
        yield NOT_PUBLIC


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        return parts if url.isascii() and url.isprintable() and " " not in url and parts.port != 0 else None
    except ValueError:
        return None


def _literal(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


def testing_blockers(*, events: Collection[str], paused: bool, tests: int, until: datetime) -> Iterator[Blocker]:
    """A test goes to who asked for tests, and two a minute (F2). `until`: when the next may be asked for."""
    if TEST not in events:
        yield Blocker("test_not_chosen", _("Choose the event test-created first."), "ORG-2", "events")
    if paused:
        yield Blocker("webhook_paused", _("The webhook is paused. Let it go on first."), "ORG-2")
    if tests >= TESTS_PER_MINUTE:
        message = _("Two tests a minute; the next one from %(until)s on.")
        yield Blocker("too_many_tests", message, "ORG-2", params={"until": until})


_WRONG_URL = Blocker("wrong_url", _("Write an address like https://crm.example.com/hooks."), "ORG-2", "url")
NOT_PUBLIC = Blocker(
    "not_public", _("This address is not on the public internet; deliveries only go there."), "ORG-2", "url"
)

#: Why an attempt brought no answer, as its log says it.
ERRORS = {
    "no_address": _("The name has no address."),
    "not_public": NOT_PUBLIC.message,
    "timeout": _("No answer in time."),
    "connect": _("Nobody takes the connection, or its certificate is not valid."),
    "broken": _("The connection broke off, or what came is not HTTP."),
    "refused": _("The receiver did not accept it."),
    "redirect": _("The receiver points elsewhere; redirects aren't followed."),
}
