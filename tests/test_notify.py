"""Notices and their mails by themselves: written once, in the receiver's language, tried ten times, never lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from portal.demo.cast import Cast
from portal.events.models import Event
from portal.notify import mails, rules, selectors, services
from portal.notify.models import Notice
from portal.notify.services import Message
from portal.workflow.blockers import Term
from referrals.models import Referral
from referrals.notifications import ANSWER
from tests import build
from tests.build import NOW

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


class Away(BaseEmailBackend):
    """A mail server nobody reaches."""

    def open(self) -> bool:
        raise ConnectionRefusedError("nobody listens")

    def send_messages(self, email_messages: Any) -> int:
        raise ConnectionRefusedError("nobody listens")


@pytest.fixture
def event(cast: Cast) -> Event:
    """Something that happened to a deal; what is due by itself is out of the way."""
    build.deal(cast, at=NOW - timedelta(hours=1))
    Notice.objects.all().delete()
    return Event.objects.get(verb="referral.created")


def message(event: Event, *emails: str, **changes: Any) -> Message:
    given: dict[str, Any] = {"subject": "About %(deal)s", "body": "It is %(state)s.", "link": ""}
    given["category"] = rules.INVITATION  # which reaches people without an account, too
    if changes.get("category", rules.INVITATION) != rules.INVITATION:  # an invitation's link is kept nowhere
        given["link"] = f"/co-sell/{Referral.objects.get(pk=event.subject_id).public_id}/"
    return Message(
        event=event, emails=emails, **{**given, "params": {"deal": "Plant", "state": Term("Won")}, **changes}
    )


@pytest.fixture(autouse=True)
def _invitations_lead_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """What these are about is no invitation."""
    monkeypatch.setitem(selectors._makers, rules.INVITATION, lambda notice: f"/invite/{notice.pk}/")


def write(event: Event, *emails: str, **changes: Any) -> Notice:
    """One notice, to the first of the addresses."""
    services.notify([message(event, *emails, **changes)])
    return Notice.objects.get(event=event, email=emails[0].lower())


def again(notice: Notice) -> Notice:
    return Notice.objects.get(pk=notice.pk)


# Writing ---------------------------------------------------------------------------------------------------------


def test_an_event_is_told_to_an_address_once(event: Event) -> None:
    """REF-24: whatever the case, in one message or several, now or when a reaction runs again; the first counts."""
    twice = ("Umut@Contoso.example", "umut@contoso.example")
    services.notify([message(event, *twice), message(event, "umut@contoso.example", subject="Later")])
    services.notify([message(event, "UMUT@contoso.example", "other@contoso.example", subject="Again")])
    assert list(Notice.objects.order_by("email").values_list("email", "subject")) == [
        ("other@contoso.example", "Again"),
        ("umut@contoso.example", "About %(deal)s"),
    ]
    services.notify([])
    services.notify([message(event)])
    assert Notice.objects.count() == 2


def test_a_notice_is_in_the_language_of_whoever_reads_it(cast: Cast, event: Event) -> None:
    """REF-24: of the receiver, not of the actor or the worker; a stranger's is the installation's."""
    addresses = ("ankara@contoso.example", "referrals@contoso.example", "stranger@elsewhere.example")
    with translation.override("tr"):
        services.notify([message(event, *addresses)])
    notices = {n.email: n for n in Notice.objects.all()}
    assert [(notices[a].language, notices[a].user) for a in addresses] == [
        ("tr", cast.users[addresses[0]]),
        ("en", cast.users[addresses[1]]),
        ("en", None),
    ]
    with translation.override("tr"):
        won = translation.gettext("Won")
        written = [mails.single(notices[a]) for a in addresses]
    assert [f"It is {word}." in m.body for m, word in zip(written, (won, "Won", "Won"), strict=True)] == [True] * 3
    languages = [f'lang="{language}"' for language in ("tr", "en", "en")]
    assert [language in m.alternatives[0][0] for language, m in zip(languages, written, strict=True)] == [True] * 3
    assert written[0].subject == "About Plant"


def test_who_has_no_account_is_told_only_that_they_are_invited(event: Event) -> None:
    """REF-24: whatever else the message is about, and whoever wrote it. LIC-8: a customer's codes and links."""
    for category in rules.CATEGORIES:
        services.notify([message(event, f"{category}@elsewhere.example", category=category)])
    assert [n.email for n in Notice.objects.all()] == [
        f"{category}@elsewhere.example" for category in ("invitation", "consent_code", "licence_page")
    ]


def test_closed_accounts_are_told_nothing(cast: Cast, event: Event) -> None:
    """REF-24: neither as a person nor as a bare address."""
    user = cast.users["referrals@contoso.example"]
    user.is_active = False
    user.save()
    services.notify([message(event, user.email)])
    assert not Notice.objects.exists()


# Sending ---------------------------------------------------------------------------------------------------------


def test_what_is_due_goes_out_once(event: Event, settings: Any) -> None:
    """REF-24, JOB: text and HTML with an absolute link and an id that stays the same; not before its time."""
    notice = write(event, "referrals@contoso.example", category=ANSWER)
    assert services.deliver_due(now=event.at - SECOND) == 0
    assert services.deliver_due(now=NOW) == 1
    assert services.deliver_due(now=NOW + MINUTE) == 0
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["referrals@contoso.example"], "About Plant")
    assert f"{settings.BASE_URL}{notice.link}" in sent.body
    assert sent.alternatives[0].mimetype == "text/html"
    assert f"notice-{notice.pk}@" in sent.extra_headers["Message-ID"]
    assert (again(notice).sent_at, again(notice).attempts) == (NOW, 1)


def test_ten_tries_with_growing_pauses_then_parked(event: Event, settings: Any) -> None:
    """JOB: exactly at the end of each pause, ten times in all, then parked until somebody sends it again."""
    notice, backend = write(event, "stranger@elsewhere.example"), settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = f"{__name__}.Away"
    at = NOW
    for tries in range(1, 11):
        assert services.deliver_due(now=at) == 0
        tried = again(notice)
        assert (tried.attempts, tried.last_error, tried.sent_at) == (tries, "nobody listens", None)
        if tries < 10:
            assert (tried.next_attempt_at, tried.parked_at) == (at + rules.PAUSES[tries - 1], None)
            at = tried.next_attempt_at
            services.deliver_due(now=at - SECOND)
            assert again(notice).attempts == tries
    assert again(notice).parked_at == at
    settings.EMAIL_BACKEND = backend
    assert services.deliver_due(now=at + timedelta(days=30)) == 0
    assert services.retry(notice, now=at)
    assert not services.retry(notice, now=at)
    assert services.deliver_due(now=at) == 1
    assert (again(notice).sent_at, again(notice).last_error) == (at, "")


def test_a_mail_that_can_not_be_written_holds_up_no_other(event: Event) -> None:
    """JOB: a notice whose words miss a value is tried and parked like any other; those behind it go out."""
    broken = write(event, "a@elsewhere.example", body="Nobody gave %(this)s.")
    write(event, "b@elsewhere.example")
    assert services.deliver_due(now=NOW) == 1
    assert [m.to for m in mail.outbox] == [["b@elsewhere.example"]]
    assert (again(broken).attempts, again(broken).sent_at) == (1, None)
    assert "this" in again(broken).last_error


def test_a_worker_that_dies_leaves_the_mail_due(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    """JOB: what it held is held no longer and written down nowhere; the next worker sends it."""
    notice = write(event, "stranger@elsewhere.example")

    def die(*_args: Any, **_kwargs: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(mails, "single", die)
        with pytest.raises(KeyboardInterrupt), transaction.atomic():
            services.deliver_due(now=NOW)
    assert (again(notice).attempts, again(notice).next_attempt_at) == (0, event.at)
    assert services.deliver_due(now=NOW) == 1
    assert len(mail.outbox) == 1


# Rules -----------------------------------------------------------------------------------------------------------


@given(st.integers(1, 50))
def test_pauses_grow_and_end_after_ten_tries(tries: int) -> None:
    """JOB: each pause is longer than the one before; after the tenth try there is none."""
    pause = rules.pause_after(tries)
    assert (pause is None) is (tries >= 10)
    if pause and tries > 1:
        before = rules.pause_after(tries - 1)
        assert before is not None
        assert before < pause


@given(st.sampled_from([*rules.CATEGORIES, "?"]), st.sampled_from([None, "now", "digest", "off", "?"]))
def test_what_asks_something_of_a_person_is_mailed_at_once(category: str, chosen: str | None) -> None:
    """REF-24 (F5.2): opting out holds for what only tells; deals to answer, actions and deadlines are mandatory."""
    told = {"to_answer", "action_required", "deadline", "invitation", "password", "sign_in"}
    told |= {"consent_code", "licence_page", "isv_invoices", "isv_fee_rates"}
    mandatory = category in {*told, "exception", "?"}
    unchosen = {"desk_new": "off", "desk_due": "digest"}.get(category, "now")
    expected = unchosen if chosen in (None, "?") else chosen
    assert rules.mail_for(category, chosen) == ("now" if mandatory else expected)
