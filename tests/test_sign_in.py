"""Forgotten and wrong passwords: who learns what, who is locked out of what, and who is told."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from portal import settings as portal_settings
from portal.accounts import services as accounts
from portal.accounts import sweeps
from portal.accounts.models import AccountMessage, User
from portal.accounts.tasks import tell_account_holders
from portal.demo.cast import PASSWORD, Cast
from portal.logs import formatter
from portal.notify import console, services
from portal.notify import services as notices
from portal.notify.models import Notice
from portal.notify.tasks import deliver_due
from tests import build
from tests.edge import parse

ROOT = Path(__file__).resolve().parent.parent
KNOWN, UNKNOWN = build.CONTOSO, "nobody@contoso.example"
LOGIN = "/accounts/login/"
HERE, ELSEWHERE = "198.51.100.7", "203.0.113.9"
HOUR = timedelta(hours=1)


def ask(email: str, **more: Any) -> HttpResponse:
    return Client().post(reverse("account_reset_password"), {"email": email}, **more)


def deliver(now: datetime | None = None) -> list[Any]:
    """What a worker does, now or later; the mails that went out."""
    mail.outbox.clear()
    if now is None:
        tell_account_holders()
        deliver_due()
    else:
        sweeps.tell_account_holders(now=now)
        services.deliver_due(now=now)
    return list(mail.outbox)


def links(letter: Any) -> list[str]:
    return re.findall(r"\S*/password/reset/key/\S+", letter.body)


def sign_in(email: str, password: str, *, of: str = HERE) -> HttpResponse:
    return Client(REMOTE_ADDR=of).post(LOGIN, {"login": email, "password": password})


def said(answer: HttpResponse) -> str:
    return parse(answer).one("div", class_="o-errors").text


@pytest.fixture
def limits(settings: Any) -> None:
    """Those of a real installation."""
    settings.ACCOUNT_RATE_LIMITS = portal_settings.SIGN_IN_LIMITS


# A new password


def test_asking_for_a_password_does_the_same_for_everybody(cast: Cast) -> None:
    """No answer, no statement and no mail tells whether there is an account; the worker finds out."""
    User.objects.filter(email="viewer@contoso.example").update(is_active=False)
    done = []
    for email in (KNOWN, UNKNOWN, "viewer@contoso.example"):
        with CaptureQueriesContext(connection) as queries:
            answer = ask(email)
        statements = [query["sql"].replace(email, "...") for query in queries]
        done.append(
            (answer.status_code, answer.headers["Location"], [re.sub(r"'20\d\d-.*?'", "", s) for s in statements])
        )
    assert done[0] == done[1] == done[2]
    assert not [statement for statement in done[0][2] if "accounts_user" in statement]
    assert mail.outbox == []
    assert [letter.to for letter in deliver()] == [[KNOWN]]
    assert not AccountMessage.objects.exists()
    assert deliver() == []


def test_a_request_is_kept_while_redis_is_away(cast: Cast, settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    assert ask(KNOWN).status_code == 302
    assert AccountMessage.objects.get().email == KNOWN


def test_the_link_is_made_for_the_mail_and_kept_nowhere(cast: Cast) -> None:
    """In the person's language, at the portal's own address whatever host the request named, and good once."""
    User.objects.filter(email=KNOWN).update(language="tr")
    ask(KNOWN, headers={"Host": "evil.example"})
    [letter] = deliver()
    [link] = links(letter)
    assert link.startswith(f"{portal_settings.BASE_URL}/accounts/password/reset/key/")
    assert 'lang="tr"' in str(letter.alternatives[0][0])
    key = link.rstrip("/").rpartition("/")[2]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            query = f'SELECT count(*) FROM "{table}" AS row WHERE row::text LIKE %s'  # noqa: S608  its own tables
            cursor.execute(query, [f"%{key}%"])
            assert cursor.fetchone() == (0,), table
    notice = Notice.objects.get(user__email=KNOWN)
    client = Client()
    client.force_login(cast.users[KNOWN])
    assert client.get(reverse("open_notice", args=[notice.pk])).headers["Location"] == "/accounts/password/reset/"


def test_nobody_is_flooded_with_links_by_a_stranger(cast: Cast) -> None:
    """Three an hour for each account, whoever asks; asked twice before the worker comes is asked once."""
    sent = 0
    for _round in range(5):
        ask(KNOWN)
        ask(KNOWN.upper())
        sent += len(deliver())
    assert sent == 3
    ask(KNOWN)
    assert len(deliver(now=timezone.now() + HOUR)) == 1


def test_a_flood_of_invented_addresses_is_not_kept(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "MAX_WAITING", 3)
    for number in range(5):
        assert ask(f"invented{number}@elsewhere.example", REMOTE_ADDR=HERE).status_code == 302
    assert ask(KNOWN, REMOTE_ADDR=ELSEWHERE).status_code == 302
    assert AccountMessage.objects.count() == 4
    assert ask("a" * 250 + "@contoso.example").status_code == 200  # longer than an account's can be: said at the field


def test_a_mail_that_fails_is_tried_again_with_a_new_link(cast: Cast, settings: Any) -> None:
    """JOB: like every other mail."""
    ask(KNOWN)
    settings.EMAIL_BACKEND = "tests.test_notify.Away"
    assert deliver() == []
    notice = Notice.objects.get(user__email=KNOWN)
    assert (notice.attempts, "key" in notice.last_error) == (1, False)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert notices.deliver_due(now=timezone.now() + HOUR) == 1
    assert len(links(mail.outbox[0])) == 1


def test_a_new_account_gets_its_link_by_the_same_way(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.users["manager@vendor.example"])
    person = cast.users["user@contoso.example"]
    client.post(
        reverse("admin:accounts_user_changelist"),
        {"action": "send_password_link", "_selected_action": [person.pk]},
    )
    assert mail.outbox == []
    assert [letter.to for letter in deliver()] == [[person.email]]


# Logs


def _logged(record: logging.LogRecord) -> str:
    return formatter().format(record)


def test_no_log_holds_a_link(cast: Cast) -> None:
    """Neither what is said, nor an error's traceback; nor a worker's notes of its tasks, which carry nothing."""
    link = "https://portal.example/accounts/password/reset/key/4-abc-def/"
    try:
        raise ValueError(link)
    except ValueError:
        failed = logging.LogRecord("x", logging.ERROR, __file__, 1, "Failed: %s", (link,), sys.exc_info())
    text = _logged(failed)
    assert "4-abc-def" not in text
    assert "ValueError" in json.loads(text)["exception"]

    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter())
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        ask(KNOWN)
        [letter] = deliver()
    finally:
        root.removeHandler(handler)
    [link] = links(letter)
    assert link.rstrip("/").rpartition("/")[2] not in stream.getvalue()


def test_mail_to_the_log_leaves_its_text_out_but_in_a_demo() -> None:
    """Without EMAIL_URL a real installation's mail goes to the log, which more people read than the mailbox."""
    stream = io.StringIO()
    letter = EmailMessage("Set your password", "https://portal.example/accounts/password/reset/key/4-abc/", to=[KNOWN])
    console.EmailBackend(stream=stream).send_messages([letter])
    assert KNOWN in stream.getvalue()
    assert "Set your password" in stream.getvalue()
    assert "4-abc" not in stream.getvalue()
    script = "from portal import settings; print(settings.EMAIL_BACKEND)"
    used = {}
    for mode in ("production", "demo"):
        env = {"ORTAK_MODE": mode, "SECRET_KEY": "k" * 50, "PATH": os.environ["PATH"]}
        done = subprocess.run([sys.executable, "-c", script], env=env, cwd=ROOT, capture_output=True, check=True)
        used[mode] = done.stdout.decode().strip()
    assert used == {
        "production": "portal.notify.console.EmailBackend",
        "demo": "portal.notify.demo_mail.KeepMail",
    }


# Wrong passwords


def test_a_stranger_locks_nobody_out(cast: Cast, limits: None) -> None:
    """Five wrong passwords lock this account from that address: not the account elsewhere, nor others there."""
    for _try in range(5):
        assert "Too many" not in said(sign_in(KNOWN, "wrong", of=ELSEWHERE))
    refused = sign_in(KNOWN, PASSWORD, of=ELSEWHERE)
    assert "You can try again in 5 minutes; from elsewhere the account is not locked." in said(refused)
    assert sign_in(KNOWN, PASSWORD, of=HERE).status_code == 302
    assert sign_in("user@contoso.example", PASSWORD, of=ELSEWHERE).status_code == 302


def test_the_lock_ends_by_itself(cast: Cast, limits: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for _try in range(5):
        sign_in(KNOWN, "wrong")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 241)
    assert "in 1 minute;" in said(sign_in(KNOWN, PASSWORD))
    monkeypatch.setattr(time, "time", lambda: now + 301)
    assert sign_in(KNOWN, PASSWORD).status_code == 302


def test_a_lock_says_nothing_about_accounts(cast: Cast, limits: None) -> None:
    texts = []
    for email in (KNOWN, UNKNOWN):
        texts.append([said(sign_in(email, "wrong", of=ELSEWHERE)) for _try in range(6)])
    assert texts[0] == texts[1]
    assert AccountMessage.objects.count() == 2
    assert [letter.to for letter in deliver()] == [[KNOWN]]


def test_the_person_is_told_once_a_day(cast: Cast, limits: None) -> None:
    """By mail and in the portal, from where and how often; however many try, from wherever."""
    for number in range(4):
        for _try in range(7):
            sign_in(KNOWN, "wrong", of=f"203.0.113.{number}")
        letters = deliver()
        assert len(letters) == (1 if number == 0 else 0)
        if letters:
            assert letters[0].subject == "Wrong passwords for your account"
            assert "5 times" in letters[0].body
            assert "203.0.113.0" in letters[0].body
            assert links(letters[0]) == []
    client = Client()
    client.force_login(cast.users[KNOWN])
    assert "Wrong passwords for your account" in client.get("/notices/").content.decode()


def test_an_address_is_locked_by_many_wrong_passwords_for_many_accounts(cast: Cast, settings: Any) -> None:
    """Spraying: one password for everybody; much later than for one account, and for this address only."""
    settings.ACCOUNT_RATE_LIMITS = {**portal_settings.SIGN_IN_LIMITS, "login": ""}
    for number in range(100):
        answer = sign_in(f"person{number}@contoso.example", "Sommer2026", of=ELSEWHERE)
        assert "Too many" not in said(answer), number
    assert "Too many wrong passwords from your network. You can try again in 60 minutes." in said(
        sign_in(KNOWN, PASSWORD, of=ELSEWHERE)
    )
    assert sign_in(KNOWN, PASSWORD, of=HERE).status_code == 302


def test_right_passwords_count_for_nothing(cast: Cast, limits: None) -> None:
    for _try in range(4):
        sign_in(KNOWN, "wrong")
        assert sign_in("user@contoso.example", PASSWORD).status_code == 302
    assert sign_in(KNOWN, PASSWORD).status_code == 302
    assert "Too many" not in said(sign_in(KNOWN, "wrong"))


def test_a_new_password_ends_the_lock_of_its_account_only(cast: Cast, limits: None) -> None:
    for email in (KNOWN, "user@contoso.example"):
        for _try in range(5):
            sign_in(email, "wrong")
    ask(KNOWN)
    [link] = [found for letter in deliver() for found in links(letter)]
    client = Client(REMOTE_ADDR=HERE)
    form = client.get(link[link.index("/accounts") :], follow=True)
    new = {"password1": "Yeni-parola-42", "password2": "Yeni-parola-42"}
    client.post(parse(form).one("main").one("form").attrs["action"], new)
    assert sign_in(KNOWN, "Yeni-parola-42").status_code == 302
    assert "Too many" in said(sign_in("user@contoso.example", PASSWORD))


def test_too_many_requests_are_answered_in_words(cast: Cast, limits: None) -> None:
    """Thirty sign-ins a minute from one address."""
    answers = [sign_in("user@contoso.example", PASSWORD) for _try in range(31)]
    assert [answer.status_code for answer in answers] == [302] * 30 + [429]
    assert "Wait a minute" in parse(answers[-1]).one("main").text


def test_every_kind_of_message_has_its_event_and_its_limit() -> None:
    assert sweeps.VERBS.keys() == sweeps.LIMITS.keys() == set(AccountMessage.Kind)
