"""What lets somebody in is kept nowhere in clear: not in the database, not in a queue, not in a log."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import smtplib
import sys
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core import mail
from django.db import connection
from django.db.utils import IntegrityError
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from portal import logs
from portal.accounts import invites
from portal.accounts.models import Invite, User
from portal.accounts.rules import Grant
from portal.accounts.sweeps import tell_account_holders
from portal.demo.cast import Cast
from portal.events import services as events
from portal.events.models import Event
from portal.notify import selectors
from portal.notify.models import Notice
from portal.notify.services import deliver_due, retry
from tests.edge import Live

ADMIN, MANAGER = "admin@contoso.example", "manager@vendor.example"
NEW = "yeni@contoso.example"
LINK = re.compile(r"https?://[^/\s]+(/invite/([^/\s]+)/)")


def invite(cast: Cast, email: str = NEW) -> Invite:
    given: dict[str, Any] = {"actor": cast.actor(ADMIN), "now": timezone.now(), "language": "en"}
    return invites.create(company=cast.companies["contoso"], email=email, grants=[Grant("viewer")], **given)


def mailed() -> list[str]:
    """The links of all mails so far, in text and HTML alike."""
    found = []
    for letter in mail.outbox:
        (text,) = LINK.findall(str(letter.body))
        html = str(letter.alternatives[0][0])  # type: ignore[attr-defined]
        assert text[0] in html
        found.append(text[0])
    return found


def rows() -> Iterator[tuple[str, str]]:
    """Every row of every table as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')  # noqa: S608  names from the database itself
            for (row,) in cursor.fetchall():
                yield table, row


def holding(*secrets: str) -> list[str]:
    return [table for table, row in rows() if any(secret in row for secret in secrets)]


def test_org_2_no_row_holds_what_an_invitation_s_link_does(cast: Cast) -> None:
    """Before the mail, after it, and after it was sent again; the row keeps its SHA-256."""
    asked, admin = invite(cast), cast.actor(ADMIN)
    token = invites.token(asked)
    secrets = (token, token.rpartition(".")[2], "/invite/")
    assert holding(*secrets) == []
    assert deliver_due(now=timezone.now()) == 1
    invites.resend(asked, actor=admin, now=timezone.now())
    assert holding(*secrets) == []
    assert holding(hashlib.sha256(token.encode()).hexdigest()) == ["accounts_invite"]
    assert Notice.objects.filter(email=NEW).values_list("link", flat=True).distinct().get() == ""
    assert deliver_due(now=timezone.now()) == 1
    assert mailed() == [reverse("invite", args=[token])] * 2
    assert holding(*secrets) == []
    with pytest.raises(IntegrityError, match="keeps_no_key"):
        Notice.objects.filter(email=NEW).update(link=mailed()[0])


def test_org_2_whichever_mail_arrives_its_link_works(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that went out although the server's answer was lost, the next try, and one sent again after being parked."""
    asked, now = invite(cast), timezone.now()
    send = mail.EmailMultiAlternatives.send

    def cut_off(letter: Any, *args: Any, **kwargs: Any) -> None:
        send(letter, *args, **kwargs)
        raise smtplib.SMTPServerDisconnected("gone after it took the mail")

    with monkeypatch.context() as patch:
        patch.setattr(mail.EmailMultiAlternatives, "send", cut_off)
        assert deliver_due(now=now) == 0
    notice = Notice.objects.get(email=NEW)
    assert (notice.attempts, notice.sent_at) == (1, None)
    Notice.objects.filter(pk=notice.pk).update(parked_at=now)
    assert retry(notice, now=now)
    assert deliver_due(now=now) == 1
    first, second = mailed()
    assert first == second
    assert mail.outbox[0].extra_headers["Message-ID"] == mail.outbox[1].extra_headers["Message-ID"]
    assert Client().get(first).status_code == 200
    invites.revoke(asked, actor=cast.actor(ADMIN), now=now)
    assert Client().get(first).status_code == 410


def test_a_mail_server_s_answer_is_kept_without_the_link_it_quotes(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Filters against spam name the address they dislike; the administration shows the last error."""
    token = invites.token(invite(cast))

    def refuse(letter: Any, *args: Any, **kwargs: Any) -> None:
        raise smtplib.SMTPDataError(554, f"5.7.1 blocked: {LINK.search(str(letter.body))[0]} is listed".encode())  # type: ignore[index]

    monkeypatch.setattr(mail.EmailMultiAlternatives, "send", refuse)
    assert deliver_due(now=timezone.now()) == 0
    assert "/invite/…/ is listed" in Notice.objects.get(email=NEW).last_error
    assert holding(token) == []


def test_a_log_hides_links_in_exceptions_too() -> None:
    """What a mail server answers ends in a log as well."""
    try:
        raise ValueError("no page /invite/SECRET-KEY/ nor /password/reset/key/1-SECRET-KEY/")
    except ValueError:
        record = logging.LogRecord("portal", logging.ERROR, "", 1, "about %s", ("/invite/SECRET-KEY/",), sys.exc_info())
    line = json.loads(logs.formatter().format(record))
    assert (line["event"], "SECRET-KEY" in json.dumps(line)) == ("about /invite/…/", False)
    assert "ValueError: no page /invite/…/ nor /password/reset/key/…/" in line["exception"]


def test_org_2_an_invitation_outlives_a_changed_secret_key(cast: Cast) -> None:
    """A link that was mailed goes on working; sent again, the new one does."""
    asked = invite(cast)
    deliver_due(now=timezone.now())
    with override_settings(SECRET_KEY="another-key-of-the-same-portal-" * 2):
        assert Client().get(mailed()[0]).status_code == 200
        invites.resend(asked, actor=cast.actor(ADMIN), now=timezone.now())
        assert deliver_due(now=timezone.now()) == 1
        first, second = mailed()
        assert [Client().get(link).status_code for link in (first, second)] == [404, 200]


def test_org_2_who_has_an_account_opens_the_invitation_from_the_portal(cast: Cast) -> None:
    friederike = "referrals@fabrikam.example"
    asked = invite(cast, friederike)
    notice = Notice.objects.get(email=friederike)
    assert notice.user == cast.users[friederike]
    live = Live(cast)
    page = reverse("open_notice", args=[notice.pk])
    opened = live.browser(friederike).get(page)
    assert opened["Location"] == reverse("invite", args=[invites.token(asked)])
    assert live.browser(ADMIN).get(page).status_code == 404


def test_neither_the_admin_nor_the_company_s_pages_show_the_link(cast: Cast) -> None:
    live = Live(cast)
    asked = invite(cast)
    notice, event = Notice.objects.get(email=NEW), Event.objects.get(verb="invite.sent")
    secrets = (invites.token(asked), asked.token_hash, '"/invite/')
    pages = {
        MANAGER: [
            reverse("admin:notify_notice_changelist"),
            reverse("admin:notify_notice_change", args=[notice.pk]),
            reverse("admin:events_event_change", args=[event.pk]),
        ],
        ADMIN: [reverse("people"), reverse("notices")],
    }
    for email, addresses in pages.items():
        for address in addresses:
            answer = live.browser(email).get(address)
            assert answer.status_code == 200, address
            assert [secret for secret in secrets if secret in answer.content.decode()] == [], address
    assert selectors.link(notice).startswith("/invite/")


def test_events_keep_no_secret_column(cast: Cast) -> None:
    """Whoever changes their password while somebody corrects their name: the event tells of the name only."""
    person = cast.users[ADMIN]
    assert "password" not in events.snapshot(User.objects.get(pk=person.pk))
    assert "token_hash" not in events.snapshot(invite(cast))


def test_a_new_person_s_link_to_set_a_password_is_kept_nowhere(cast: Cast) -> None:
    manager = Live(cast).browser(MANAGER)
    form = {"email": "neu@contoso.example", "first_name": "N", "last_name": "N", "language": "en", "time_zone": "UTC"}
    assert manager.post(reverse("admin:accounts_user_add"), {**form, "password": ""}).status_code == 302
    tell_account_holders(now=timezone.now())
    deliver_due(now=timezone.now())
    body = next(str(letter.body) for letter in mail.outbox if letter.to == ["neu@contoso.example"])
    key = re.search(r"/password/reset/key/([^/\s]+)/", body)
    assert key is not None
    assert holding(key[1], key[1].partition("-")[2], "/password/reset/key/") == []


MIGRATIONS = {
    "portal.accounts.migrations.0002_invite_token_hash": "hash_tokens",
    "portal.notify.migrations.0003_notice_keeps_no_key": "forget_keys",
}


def test_links_mailed_before_go_on_working_and_are_forgotten(cast: Cast) -> None:
    """What the two migrations do to rows: an invitation had no hash, and its link was kept with its notice."""
    asked = invite(cast)
    token, address = invites.token(asked), reverse("invite", args=[invites.token(asked)])
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what waits for the commit would keep the table as it is
        cursor.execute("ALTER TABLE notify_notice DROP CONSTRAINT notify_notice_keeps_no_key")
        cursor.execute("UPDATE notify_notice SET link = %s", [address])
        cursor.execute("UPDATE accounts_invite SET token_hash = public_id")
    assert holding(token) == ["notify_notice"]
    for module, change in MIGRATIONS.items():
        getattr(import_module(module), change)(apps, None)
    assert holding(token) == []
    assert Client().get(address).status_code == 200
    assert deliver_due(now=timezone.now() + timedelta(minutes=1)) == 1
    assert mailed() == [address]


def test_a_session_s_key_is_shown_to_nobody(cast: Cast) -> None:
    """It is the browser's only: no page, no event, no cookie that a script reads."""
    client = Live(cast).browser(ADMIN)
    key = client.session.session_key
    for address in (reverse("home"), reverse("settings"), reverse("people"), reverse("profile")):
        assert str(key) not in client.get(address, follow=True).content.decode()
    assert {table for table, row in rows() if str(key) in row} <= {"django_session"}
    assert json.dumps(list(Event.objects.values("before", "after"))).find(str(key)) == -1
