"""What a browser is told to refuse, what it may keep, and how people get in and out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any
from unittest.mock import patch

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import mail
from django.http import HttpResponse
from django.template.base import Template
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.accounts import sweeps
from portal.accounts.models import User
from portal.demo.cast import PASSWORD, Cast
from portal.notify import services as notices
from tests import build
from tests.edge import Live, parse
from tests.strict import faults, unsafe
from tests.test_roles import ACTORS, PROBES, ROWS, Row, World

ROOT = Path(__file__).resolve().parent.parent
LOGIN = "/accounts/login/"


def _ask(client: Client, world: World, row: Row, **more: Any) -> HttpResponse:
    address = world.address(row)
    return client.get(address, **more) if row.method == "GET" else client.post(address, world.sent(row), **more)


def test_no_browser_or_proxy_keeps_a_fragment_of_somebody_signed_in(world: World) -> None:
    """What htmx asks for, of every page of the table of roles; the pages themselves: tests/test_roles.py."""
    client = world.live.browser(ACTORS["manag"], headers={"HX-Request": "true"})
    rows = [row for row in ROWS if row.method == "GET" and row.route not in PROBES]
    with patch.object(Template, "render", return_value=""):  # it is in the headers
        kept = {row.spoken for row in rows if _ask(client, world, row).headers.get("Cache-Control") != "no-store"}
    assert kept == set()
    assert len(rows) > 100


def test_downloads_are_kept_by_nobody_and_files_of_the_portal_by_everybody(live: Live) -> None:
    owner = live.browser(build.CONTOSO)
    csv = owner.get(reverse("insights_csv", args=["funnel"]))
    assert (csv.status_code, csv.headers["Cache-Control"]) == (200, "no-store")
    assert owner.get("/nothing/").headers["Cache-Control"] == "no-store"
    style = owner.get("/static/app.css")
    assert (style.status_code, "no-store" in style.headers["Cache-Control"]) == (200, False)
    style.close()
    assert "no-store" in Client().get("/healthz").headers["Cache-Control"]


def test_forms_sent_back_and_fragments_are_as_strict(live: Live) -> None:
    owner, referral = live.browser(build.CONTOSO), live.won()
    address = reverse("registration", args=[referral.public_id])
    answers = [
        owner.post(reverse("new_deal_step", args=[live.draft().public_id, "deal"]), {"name": "x", "go": "next"}),
        owner.post(address, {"deployment": "other"}),
        owner.post(reverse("registration_check", args=[referral.public_id]), {"signed": "2099-01-01"}),
        owner.get(reverse("act", args=[live.accepted().public_id, "lose"]), headers={"HX-Target": "dialog"}),
        Client(enforce_csrf_checks=True).post(LOGIN, {}),
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 200, 200, 403]
    assert [faults(answer) for answer in answers] == [[]] * len(answers)


def test_what_counts_asunsafe_is_found() -> None:
    """The check itself, on a page with everything that is forbidden."""
    forbidden = [
        "<script>1</script>", "<style>p {}</style>", '<p style="x">', '<p onclick="x">', '<a href="javascript:x">',
        '<img src="//cdn.example/x.png">', '<form action="https://evil.example/">', '<p hx-get="http://x/">',
    ]  # fmt: skip
    assert all(len(unsafe(parse(html))) == 1 for html in forbidden)
    assert (
        unsafe(parse('<script src="/a.js"></script><script type="application/json">{}</script><a href="/?q=a:b">'))
        == []
    )


def test_nothing_is_taken_from_another_site(world: World) -> None:
    """Every form of the table of roles is refused without the token that only our pages have."""
    client = world.live.browser(ACTORS["owner"], enforce_csrf_checks=True)
    by_token = ("oauth_token", "oauth_revoke", "api_")  # no cookie lets anybody in there
    sent = [row for row in ROWS if row.method == "POST" and not row.spoken.removeprefix("POST ").startswith(by_token)]
    taken = [row.spoken for row in sent if _ask(client, world, row).status_code != 403]
    assert taken == []
    assert len(sent) > 50


def _sign_in(email: str, password: str = PASSWORD, **more: str) -> tuple[Client, HttpResponse]:
    client = Client()
    return client, client.post(LOGIN, {"login": email, "password": password, **more})


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(cast: Cast) -> None:
    client, _answer = _sign_in(build.CONTOSO)
    client.post(reverse("set_theme"), {"theme": "dark"})
    client.post(reverse("set_language"), {"language": "en"})
    kept = client.cookies
    assert {settings.SESSION_COOKIE_NAME, settings.LANGUAGE_COOKIE_NAME, "theme"} <= set(kept)
    assert {cookie["samesite"] for cookie in kept.values()} == {"Lax"}
    assert kept[settings.SESSION_COOKIE_NAME]["httponly"]


def test_behind_https_cookies_never_travel_in_the_open() -> None:
    """Read from the settings of a real installation, in a process of its own."""
    wanted = ["SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "SECURE_HSTS_SECONDS", "DEBUG"]
    script = f"import json; from portal import settings as s; print(json.dumps([getattr(s, n) for n in {wanted}]))"
    base = {"ORTAK_MODE": "production", "SECRET_KEY": "k" * 50, "PATH": os.environ["PATH"]}
    found = {}
    for address in ("https://portal.example", "http://portal.example"):
        done = subprocess.run(
            [sys.executable, "-c", script], env={**base, "BASE_URL": address}, cwd=ROOT, capture_output=True, check=True
        )
        found[address] = json.loads(done.stdout)
    assert found["https://portal.example"] == [True, True, True, 31_536_000, False]
    assert found["http://portal.example"] == [False, False, True, 0, False]


def test_people_sign_in_by_e_mail_however_they_write_it(cast: Cast) -> None:
    for written in (build.CONTOSO, "Referrals@CONTOSO.example", f" {build.CONTOSO.upper()} "):
        client, answer = _sign_in(written)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/"), written
        assert client.get("/").status_code == 200


def test_who_can_not_sign_in_learns_nothing_about_accounts(cast: Cast) -> None:
    User.objects.filter(email="viewer@contoso.example").update(is_active=False)
    said = []
    for email, password in (
        (build.CONTOSO, "wrong"),
        ("nobody@contoso.example", PASSWORD),
        ("viewer@contoso.example", "wrong"),
    ):
        client, answer = _sign_in(email, password)
        assert answer.status_code == 200
        said.append(parse(answer).one("div", class_="o-errors").text)
        assert client.get("/").status_code == 302
    assert len(set(said)) == 1
    closed, answer = _sign_in("viewer@contoso.example")
    assert closed.get("/").status_code == 302
    assert "switched off" in parse(closed.get(answer.headers["Location"])).text


def test_signing_in_leads_on_within_the_portal_only(cast: Cast) -> None:
    assert Client().get("/co-sell/?q=a").headers["Location"] == f"{LOGIN}?next=/co-sell/%3Fq%3Da"
    for target, leads in (("/co-sell/?q=a", "/co-sell/?q=a"), ("//evil.example/", "/"), ("https://evil.example/", "/")):
        assert _sign_in(build.CONTOSO, next=target)[1].headers["Location"] == leads


def test_signing_in_and_out_leaves_no_session_behind(cast: Cast) -> None:
    client = Client()
    client.post(LOGIN, {"login": build.CONTOSO, "password": "wrong"})
    before = client.cookies.get(settings.SESSION_COOKIE_NAME)
    client.post(LOGIN, {"login": build.CONTOSO, "password": PASSWORD})
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert before is None or before.value != session
    assert client.get(reverse("account_logout")).status_code == 200  # asked first
    assert client.get("/").status_code == 200
    client.post(reverse("account_logout"))
    stolen = Client()
    stolen.cookies[settings.SESSION_COOKIE_NAME] = session
    assert stolen.get("/").status_code == 302


def test_nobody_signs_up_by_himself(cast: Cast) -> None:
    people = User.objects.count()
    page = parse(Client().get(reverse("account_signup")))
    assert "Accounts are by invitation" in page.one("h1").text
    form = {"email": "new@evil.example", "password1": "Long-enough-1", "password2": "Long-enough-1"}
    Client().post(reverse("account_signup"), form)
    assert User.objects.count() == people


def test_nobody_gives_himself_another_e_mail(cast: Cast) -> None:
    """ORG-2: teams list people by e-mail, so it decides which deals they see."""
    client = _sign_in("user@contoso.example")[0]
    for verb in ("action_add", "action_primary", "action_send", "action_remove"):
        answer = client.post(reverse("account_email"), {verb: "", "email": "someone@contoso.example"})
        assert answer.headers["Location"] == "/"
    assert not User.objects.filter(email="someone@contoso.example").exists()
    assert not EmailAddress.objects.filter(email="someone@contoso.example").exists()


def test_a_forgotten_password_is_reset_by_mail_and_tells_no_stranger_anything(cast: Cast) -> None:
    pages = [
        parse(Client().post(reverse("account_reset_password"), {"email": email}, follow=True)).one("main").text
        for email in ("nobody@contoso.example", build.CONTOSO)
    ]
    assert pages[0] == pages[1]
    assert mail.outbox == []
    assert sweeps.tell_account_holders(now=timezone.now()) == 1
    assert notices.deliver_due(now=timezone.now()) == 1
    known = [message for message in mail.outbox if message.to == [build.CONTOSO]]
    assert len(known) == 1
    link = next(word for word in known[0].body.split() if "/password/reset/key/" in word)
    client = Client()
    form = client.get(link[link.index("/accounts") :], follow=True)
    new: dict[str, Any] = {"password1": "Yeni-parola-42", "password2": "Yeni-parola-42"}
    client.post(parse(form).one("main").one("form").attrs["action"], new)
    assert _sign_in(build.CONTOSO)[1].status_code == 200
    assert _sign_in(build.CONTOSO, "Yeni-parola-42")[1].status_code == 302


def test_what_no_text_can_hold_is_refused(cast: Cast) -> None:
    """A NUL character, in an address or a form, is a bad request and no fault of ours."""
    client = Client(raise_request_exception=False)
    client.force_login(cast.users[build.CONTOSO])
    asked = [
        client.get("/co-sell/?q=%00"),
        client.get("/customers/suggest/?country=%00&customer_search=a"),
        client.post(reverse("new_deal_step", args=[uuid.uuid4(), "customer"]), {"customer_search": "a\x00"}),
        client.post(reverse("new_deal_step", args=[uuid.uuid4(), "customer"]), {"team-\x00": "a"}),
    ]
    assert {answer.status_code for answer in asked} == {400}
