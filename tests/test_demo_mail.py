"""The mail of the demo: kept as it was sent, read by everybody who opens a demo, unknown everywhere else."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.accounts import invites
from portal.accounts.rules import Grant
from portal.demo.cast import Cast
from portal.notify import demo_mail
from portal.notify import services as notify
from tests.edge import parse
from tests.test_ops import SECRET, _settings

LIST = "/demo/mail/"
#: The id of none; the same in every process of a test run.
NO_MAIL = uuid.UUID(int=1)
HTML = '<html><head><title>x</title></head><body><a href="http://testserver/invite/KEY/">Join</a></body></html>'


@pytest.fixture
def demo(settings: Any, tmp_path: Path) -> Path:
    settings.MODE = "demo"
    settings.DEMO_MAIL_DIR = tmp_path / "mail"
    settings.EMAIL_BACKEND = "portal.notify.demo_mail.KeepMail"
    settings.DEMO_MAIL_DIR.mkdir()
    return settings.DEMO_MAIL_DIR


def send(subject: str = "Hoş geldiniz", to: str = "new@contoso.example", html: str = HTML) -> None:
    message = EmailMultiAlternatives(subject, "Join: http://testserver/invite/KEY/\n<b>not bold</b>", to=[to])
    if html:
        message.attach_alternative(html, "text/html")
    assert message.send() == 1


def kept() -> demo_mail.Mail:
    (found,) = demo_mail.newest(limit=2)
    return found


def subjects(client: Client, address: str = LIST) -> list[str]:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.findall(r'class="o-rowlink"[^>]*>([^<]+)<', answer.content.decode())


# Who reads it


@pytest.mark.django_db
def test_a_demo_shows_its_mail_to_everybody(demo: Path, cast: Cast, client: Client) -> None:
    send()
    for email in (None, "referrals@contoso.example", "manager@vendor.example"):
        if email:
            client.force_login(cast.users[email])
        assert subjects(client) == ["Hoş geldiniz"]
        answer = client.get(reverse("demo_mail", args=[kept().public_id]))
        assert answer.status_code == 200
        assert "new@contoso.example" in answer.content.decode()


@pytest.mark.django_db
def test_the_sign_in_page_and_the_rail_of_a_demo_lead_there(demo: Path, cast: Cast, client: Client) -> None:
    assert f'href="{LIST}"' in client.get(reverse("account_login")).content.decode()
    client.force_login(cast.users["referrals@contoso.example"])
    assert f'href="{LIST}"' in client.get("/").content.decode()


@pytest.mark.django_db
def test_elsewhere_there_is_no_such_page_and_no_link(cast: Cast, client: Client, tmp_path: Path) -> None:
    (tmp_path / f"{uuid.uuid4()}.eml").touch()
    for email in (None, "manager@vendor.example"):
        if email:
            client.force_login(cast.users[email])
        for name in ("demo_mail", "demo_mail_html"):
            assert client.get(reverse(name, args=[uuid.uuid4()])).status_code == 404
        assert client.get(LIST).status_code == 404
        assert LIST not in client.get("/", follow=True).content.decode()


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"SECRET_KEY": SECRET}, "None portal.notify.console.EmailBackend"),
        ({"ORTAK_MODE": "production", "SECRET_KEY": SECRET, "EMAIL_URL": "smtp://host:25"}, "None django.core.mail"),
        ({"ORTAK_MODE": "test"}, "None django.core.mail.backends.console.EmailBackend"),
        ({"ORTAK_MODE": "demo", "EMAIL_URL": "smtp://host:25"}, "None django.core.mail.backends.smtp.EmailBackend"),
        ({"ORTAK_MODE": "demo", "DATA_DIR": "/srv/data"}, "/srv/data/mail portal.notify.demo_mail.KeepMail"),
    ],
)
def test_only_a_demo_without_a_mail_server_keeps_its_mail(variables: dict[str, str], expected: str) -> None:
    code = "from portal import settings as s; print(s.DEMO_MAIL_DIR, s.EMAIL_BACKEND)"
    result = _settings(code, **variables)
    assert result.stdout.startswith(expected), result.stderr


# What is kept


@pytest.mark.django_db
def test_a_mail_is_shown_as_it_was_sent(demo: Path, client: Client) -> None:
    send()
    found = kept()
    page = parse(client.get(reverse("demo_mail", args=[found.public_id])).content.decode())
    (frame,) = [element for element in page if element.tag == "iframe"]
    assert frame.attrs["sandbox"] == "allow-top-navigation-by-user-activation"
    html = client.get(frame.attrs["src"])
    assert html.content.decode() == HTML.replace("<head>", '<head><base target="_top">')
    text = client.get(reverse("demo_mail", args=[found.public_id]) + "?text").content.decode()
    assert '<a href="http://testserver/invite/KEY/"' in text
    assert "&lt;b&gt;not bold&lt;/b&gt;" in text
    assert "<iframe" not in text


@pytest.mark.django_db
def test_a_mails_html_runs_nothing_and_is_framed_by_the_portal_only(demo: Path, client: Client) -> None:
    send(html="<html><head></head><body><script>alert(1)</script></body></html>")
    answer = client.get(reverse("demo_mail_html", args=[kept().public_id]))
    directives = dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))
    assert directives["sandbox"] == "allow-top-navigation-by-user-activation"  # no allow-scripts, no allow-same-origin
    assert directives["default-src"] == "'none'"
    assert directives["frame-ancestors"] == "'self'"
    assert "script-src" not in directives
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.django_db
def test_a_mail_without_html_is_shown_as_text(demo: Path, client: Client) -> None:
    send(html="")
    answer = client.get(reverse("demo_mail", args=[kept().public_id])).content.decode()
    assert "not bold" in answer
    assert "<iframe" not in answer
    assert "o-tabs" not in answer


@pytest.mark.django_db
def test_what_the_worker_mails_is_kept_too(demo: Path, cast: Cast, client: Client) -> None:
    """An invitation's link is whole: the log hides it, the mail doesn't."""
    invites.create(
        company=cast.companies["contoso"],
        email="new@contoso.example",
        grants=[Grant("viewer")],
        language="tr",
        actor=cast.actor("admin@contoso.example"),
        now=timezone.now(),
    )
    assert notify.deliver_due(now=timezone.now()) >= 1
    assert mail.outbox == []
    (invitation,) = demo_mail.newest(to="NEW@contoso", limit=5)
    whole = demo_mail.find(invitation.public_id)
    assert whole is not None
    (link,) = re.findall(r"https?://[^/]+(/invite/[^/\s]+/)", whole.text)
    assert link in whole.html
    assert client.get(link).status_code == 200


# The list


@pytest.mark.django_db
def test_the_list_is_newest_first_in_pages_and_by_receiver(demo: Path, client: Client) -> None:
    for number in range(65):
        send(f"Mail {number}", to="odd@one.example" if number % 2 else "even@one.example", html="")
    pages, address = [], LIST
    while address:
        pages.append(subjects(client, address))
        more = re.search(r'href="([^"]*before=[^"]*)"', client.get(address).content.decode())
        address = more[1].replace("&amp;", "&") if more else ""
    assert [len(page) for page in pages] == [30, 30, 5]
    assert [subject for page in pages for subject in page] == [f"Mail {number}" for number in reversed(range(65))]
    assert subjects(client, f"{LIST}?to=ODD@")[:2] == ["Mail 63", "Mail 61"]
    assert subjects(client, f"{LIST}?to=nobody") == []


@pytest.mark.django_db
def test_only_the_newest_are_kept(demo: Path, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_mail, "MAX_KEPT", 3)
    for number in range(5):
        send(f"Mail {number}")
    assert [found.subject for found in demo_mail.newest(limit=9)] == ["Mail 4", "Mail 3", "Mail 2"]
    assert len(list(demo.iterdir())) == 3


@pytest.mark.django_db
@pytest.mark.parametrize("address", [f"{LIST}?before=x", f"{LIST}{NO_MAIL}/", f"{LIST}{NO_MAIL}/html/"])
def test_a_mail_that_is_not_there_is_not_found(demo: Path, client: Client, address: str) -> None:
    assert client.get(address).status_code == 404


@pytest.mark.django_db
def test_a_demo_that_has_sent_nothing_says_so(demo: Path, client: Client) -> None:
    demo.rmdir()
    assert "No mail yet" in client.get(LIST).content.decode()
