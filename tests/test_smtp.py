"""Mail through a real SMTP server that is away for an hour: nothing lost, nothing twice, in order (REF-24, JOB)."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_bytes
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.db import connection

from dealreg.notifications import ACTION_REQUIRED
from portal.accounts.rules import SYSTEM
from portal.demo.cast import Cast
from portal.events import services as events
from portal.notify import rules, services
from portal.notify.models import Notice
from referrals.models import Referral
from referrals.notifications import ANSWER
from tests import build
from tests.build import NOW
from tests.e2e.portal import free_port
from tests.test_concurrency import held, waiting_for_nobody

MINUTE = timedelta(minutes=1)
TEAM = ["user@contoso.example", "referrals@contoso.example", "viewer@contoso.example"]
NOBODY = "ankara@contoso.example"


class PostOffice:
    """An SMTP server that can be away, too busy (421), or know an address not (550)."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str]] = []  # address, Message-ID
        self.busy = False
        self.unknown: set[str] = set()
        self.port = free_port()
        self._server: Controller | None = None

    def open(self) -> None:
        self._server = Controller(self, hostname="127.0.0.1", port=self.port)
        self._server.start()

    def close(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if self.busy:
            return "421 Too busy, come again"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if address in self.unknown:
            return "550 No such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append((envelope.rcpt_tos[0], message_from_bytes(envelope.content)["Message-ID"]))
        return "250 OK"


@pytest.fixture
def office(settings: Any) -> Iterator[PostOffice]:
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    office = PostOffice()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", office.port
    yield office
    office.close()


@pytest.fixture
def deal(cast: Cast) -> Referral:
    members = [build.member(email) for email in [*TEAM, NOBODY]]
    deal = build.deal(cast, team=members)
    Notice.objects.all().delete()
    return deal


def tell(deal: Referral, *, at: datetime, emails: list[str] = TEAM) -> None:
    """One more thing happened to the deal."""
    event = events.new_event(deal, "test.happened", actor=SYSTEM, now=at, company_id=deal.company_id)
    events.record([event])
    message = services.Message(
        event, emails, "It happened to %(deal)s", "It did.", "/", {"deal": deal.name}, category=ACTION_REQUIRED
    )
    services.notify([message])


def order(office: PostOffice, email: str) -> list[int]:
    """The notices that arrived at this address, by number."""
    return [int(identity.split("@")[0].removeprefix("<notice-")) for to, identity in office.mails if to == email]


def test_ref_24_job_an_hour_without_a_mail_server_loses_and_repeats_nothing(deal: Referral, office: PostOffice) -> None:
    """Half an hour nobody listens, half an hour the server sends everybody away; news keep coming meanwhile."""
    for minute in range(60):
        if minute == 30:
            office.busy = True
            office.open()
        if minute % 12 == 0:
            tell(deal, at=NOW + minute * MINUTE)
        assert services.deliver_due(now=NOW + minute * MINUTE) == 0
        if minute == 0:  # one of the three found out for all of them
            assert sorted(Notice.objects.values_list("attempts", flat=True)) == [0, 0, 1]
    assert office.mails == []
    assert not Notice.objects.exclude(parked_at=None).exists()

    office.busy = False
    for minute in range(60, 60 + 90):
        services.deliver_due(now=NOW + minute * MINUTE)
    for email in TEAM:
        expected = list(Notice.objects.filter(email=email).order_by("pk").values_list("pk", flat=True))
        assert len(expected) == 5
        assert order(office, email) == expected
    assert not Notice.objects.filter(sent_at=None).exists()
    assert set(Notice.objects.values_list("last_error", flat=True)) == {""}


def test_job_an_address_that_is_refused_holds_up_nobody_else(deal: Referral, office: PostOffice) -> None:
    """Ten tries with growing pauses, then parked; a person sends it again."""
    office.open()
    office.unknown.add(NOBODY)
    tell(deal, at=NOW, emails=[NOBODY, *TEAM])
    tell(deal, at=NOW, emails=[NOBODY, *TEAM])
    assert services.deliver_due(now=NOW) == 6
    first, second = Notice.objects.filter(email=NOBODY).order_by("pk")
    now = NOW
    for pause in rules.PAUSES:
        assert services.deliver_due(now=now + pause - MINUTE / 2) == 0  # pauses, and so does what is behind it
        now += pause
        assert services.deliver_due(now=now) == 0
    first, second = Notice.objects.filter(email=NOBODY).order_by("pk")
    assert (first.attempts, first.parked_at, "No such person" in first.last_error) == (10, now, True)
    assert second.attempts == 0
    office.unknown.clear()
    assert services.retry(first, now=now)
    assert services.deliver_due(now=now) + services.deliver_due(now=now) == 2
    assert order(office, NOBODY) == [first.pk, second.pk]


def test_job_a_worker_killed_after_sending_sends_the_same_message_again(
    deal: Referral, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the receiver's server can tell, by the Message-ID, which is the same."""
    office.open()
    tell(deal, at=NOW, emails=TEAM[:1])
    with monkeypatch.context() as patched:
        patched.setattr(services, "_tries", _killed)
        with pytest.raises(KeyboardInterrupt):
            services.deliver_due(now=NOW)
    assert [services.deliver_due(now=NOW) for _turn in range(2)] == [1, 0]
    assert len(office.mails) == 2
    assert len(set(office.mails)) == 1


def test_job_a_worker_killed_after_a_digest_sends_that_digest_again(
    cast: Cast, deal: Referral, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that knows the Message-ID drops the second: so it holds no more than the first, and what has happened
    since comes in a digest of its own, as does what a person got no more mail about."""
    office.open()
    services.set_preferences(cast.users[TEAM[0]], {ANSWER: "digest"})
    tell_daily(deal, 3)
    morning = NOW + timedelta(days=1)
    with monkeypatch.context() as patched:
        patched.setattr(services, "_tries", _killed)
        with pytest.raises(KeyboardInterrupt):
            services.deliver_digests(now=morning)
    first, *_rest = Notice.objects.filter(mail="digest").order_by("pk")
    Notice.objects.filter(pk=first.pk).update(mail="off")  # chosen meanwhile: another is the first now
    tell_daily(deal, 2)
    later = morning + timedelta(days=1)
    assert [services.deliver_digests(now=later) for _turn in range(3)] == [1, 1, 0]
    once, again, new = [identity for _to, identity in office.mails]
    assert once == again != new
    assert Notice.objects.filter(mail="digest", sent_at=later).count() == 4


def test_job_a_digest_that_was_refused_keeps_its_message_id(cast: Cast, deal: Referral, office: PostOffice) -> None:
    services.set_preferences(cast.users[TEAM[0]], {ANSWER: "digest"})
    tell_daily(deal, 2)
    morning = NOW + timedelta(days=1)
    assert services.deliver_digests(now=morning) == 0  # nobody listens
    (digest,) = set(Notice.objects.filter(mail="digest").values_list("digest", flat=True))
    office.open()
    assert services.deliver_digests(now=morning + timedelta(hours=1)) == 1
    assert [identity.split("@")[0] for _to, identity in office.mails] == [f"<digest-{digest}"]


def test_job_what_was_left_out_of_a_digest_is_in_another_one(
    transactional_db: None, cast: Cast, deal: Referral, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has locked one of its notices since it was put together: it is not sent without that one, whose
    digest would then be dropped."""
    office.open()
    services.set_preferences(cast.users[TEAM[0]], {ANSWER: "digest"})
    tell_daily(deal, 3)
    morning, newest = NOW + timedelta(days=1), Notice.objects.filter(mail="digest").latest("pk")
    services._put_together(Notice.objects.filter(mail="digest").earliest("pk").pk, morning)
    with held("SELECT 1 FROM notify_notice WHERE id = %s FOR UPDATE", newest.pk), waiting_for_nobody():
        assert services.deliver_digests(now=morning) == 0
    assert services.deliver_digests(now=morning + timedelta(hours=1)) == 1
    assert len(office.mails) == 1
    assert Notice.objects.filter(sent_at=morning + timedelta(hours=1)).count() == 3


def _killed(_notices: Any) -> int:
    raise KeyboardInterrupt


def test_job_two_workers_send_each_mail_once_and_in_order(
    transactional_db: None, deal: Referral, office: PostOffice
) -> None:
    office.open()
    for number in range(8):
        tell(deal, at=NOW + number * MINUTE)
    later, start = NOW + 10 * MINUTE, threading.Barrier(2)

    def work() -> None:
        start.wait()
        for _round in range(4):
            services.deliver_due(now=later)
        connection.close()

    workers = [threading.Thread(target=work) for _number in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    services.deliver_due(now=later)  # what one of them left while the other held what came before it
    assert max(Counter(office.mails).values()) == 1
    assert len(office.mails) == 24
    for email in TEAM:
        assert order(office, email) == sorted(order(office, email))


def test_ref_24_job_two_workers_make_one_digest_a_person(
    transactional_db: None, cast: Cast, deal: Referral, office: PostOffice
) -> None:
    office.open()
    services.set_preferences(cast.users[TEAM[0]], {ANSWER: "digest"})
    tell_daily(deal, 6)
    morning, start = NOW + timedelta(days=1), threading.Barrier(2)

    def work() -> None:
        start.wait()
        services.deliver_digests(now=morning)
        connection.close()

    workers = [threading.Thread(target=work) for _number in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [(to, identity.startswith("<digest-")) for to, identity in office.mails] == [(TEAM[0], True)]
    assert Notice.objects.filter(mail="digest", sent_at=morning).count() == 6


def test_ref_24_job_a_digest_waits_for_nobody_once_it_is_sent(
    transactional_db: None, cast: Cast, deal: Referral, office: PostOffice
) -> None:
    """Somebody marks their notices as read, has locked some and waits for the one that the worker holds."""
    office.open()
    services.set_preferences(cast.users[TEAM[0]], {ANSWER: "digest"})
    tell_daily(deal, 3)
    morning, newest = NOW + timedelta(days=1), Notice.objects.filter(mail="digest").latest("pk")
    with held("SELECT 1 FROM notify_notice WHERE id = %s FOR UPDATE", newest.pk), waiting_for_nobody():
        assert services.deliver_digests(now=morning) == 1
    assert Notice.objects.filter(sent_at=morning).count() == 2
    assert services.deliver_digests(now=morning + timedelta(hours=1)) == 1
    assert Notice.objects.get(pk=newest.pk).sent_at == morning + timedelta(hours=1)
    assert len(set(office.mails)) == len(office.mails) == 2


def tell_daily(deal: Referral, count: int) -> None:
    for number in range(count):
        now = NOW + number * MINUTE
        event = events.new_event(deal, "test.happened", actor=SYSTEM, now=now, company_id=deal.company_id)
        events.record([event])
        services.notify([services.Message(event, TEAM[:1], "It happened", "It did.", "/", category=ANSWER)])
