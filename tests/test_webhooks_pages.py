"""The settings of a company's webhook: setting up, secret, tests, and what was delivered."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.demo.cast import Cast
from portal.webhooks import rules, sweeps
from portal.webhooks.models import Delivery, Webhook
from portal.webhooks.services import registration, signing
from portal.webhooks.services.sending import Answer
from tests.build import DAY, NOW

pytestmark = pytest.mark.django_db

ADMIN = "admin@contoso.example"
PAGE = "/settings/webhook/"
SENT = {"url": "https://crm.example.com/hooks", "events": ["referral-created", "test-created"]}


@pytest.fixture
def admin(cast: Cast, client: Client) -> Client:
    client.force_login(cast.users[ADMIN])
    return client


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_setting_it_up_shows_the_secret_once(cast: Cast, admin: Client) -> None:
    assert "Set up the webhook" in text_of(admin.get(PAGE))
    made = admin.post(PAGE, SENT)
    webhook = Webhook.objects.get()
    secret = signing.secret_of(webhook.secret_seed)
    assert made.status_code == 200
    assert secret in made.content.decode()
    assert "no-store" in made.headers["Cache-Control"]
    assert webhook.events == SENT["events"]
    page = admin.get(PAGE)
    assert secret not in page.content.decode()
    assert "https://crm.example.com/hooks" in page.content.decode()
    changed = admin.post(PAGE, {**SENT, "url": "https://crm.example.com/other"})
    assert (changed.status_code, changed.headers["Location"]) == (302, PAGE)
    again = admin.post(f"{PAGE}secret/").content.decode()
    assert secret not in again
    assert signing.secret_of(Webhook.objects.get().secret_seed) in again


REFUSED = {
    "nothing": ({}, "This has to be filled in."),
    "no https": ({**SENT, "url": "http://crm.example.com/"}, "The address must begin with https://."),
    "inside": ({**SENT, "url": "https://192.168.0.7/"}, "not on the public internet"),
    "no event": ({"url": SENT["url"]}, "This has to be filled in."),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_what_is_refused_comes_back_with_what_was_typed(case: Any, admin: Client) -> None:
    sent, said = case
    answer = admin.post(PAGE, sent)
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert sent.get("url", "") in answer.content.decode()
    assert not Webhook.objects.exists()


def test_pause_and_go_on(admin: Client) -> None:
    admin.post(PAGE, SENT)
    admin.post(f"{PAGE}pause/")
    assert "Paused since" in text_of(admin.get(PAGE))
    assert "The webhook is paused. Let it go on first." in text_of(admin.post(f"{PAGE}test/", follow=True))
    admin.post(f"{PAGE}resume/")
    assert "Paused since" not in text_of(admin.get(PAGE))


def test_the_log_of_a_delivery(cast: Cast, admin: Client) -> None:
    """Request, each attempt with its answer, and sending it once more when it was given up."""
    admin.post(PAGE, SENT)
    answer = admin.post(f"{PAGE}test/", follow=True)
    assert "The test is on its way." in text_of(answer)
    test = Delivery.objects.get()
    page = f"{PAGE}{test.public_id}/"
    assert "Not sent yet" in text_of(admin.get(page))
    test.webhook = Webhook.objects.get()
    sweeps.keep(test, Answer(None, "not_public", 12), now=timezone.now())
    Delivery.objects.update(parked_at=None)
    sweeps.keep(test, Answer(500, "refused", 34, "<b>no</b>"), now=timezone.now())
    shown = admin.get(page)
    assert "not on the public internet" in text_of(shown)
    assert "&lt;b&gt;no&lt;/b&gt;" in shown.content.decode()
    assert "&quot;EventName&quot;: &quot;test-created&quot;" in shown.content.decode()
    assert "Given up" in text_of(shown)
    assert "It is sent once more." in text_of(admin.post(f"{page}replay/", follow=True))
    test.refresh_from_db()
    assert (test.state, test.attempts) == ("waiting", 0)
    assert "It waits to be sent already." in text_of(admin.post(f"{page}replay/", follow=True))


def test_a_receiver_that_is_down_is_told_of(admin: Client) -> None:
    admin.post(PAGE, SENT)
    Webhook.objects.update(down_since=NOW)
    assert "The receiver gives no answer" in text_of(admin.get(PAGE))


def test_many_deliveries_are_pages_of_as_many_queries(
    cast: Cast, admin: Client, django_assert_num_queries: Any
) -> None:
    admin.post(PAGE, SENT)
    for number in range(60):
        registration.send_test(actor=cast.actor(ADMIN), now=NOW + number * DAY)
    admin.get(PAGE)
    with django_assert_num_queries(8):
        first = admin.get(PAGE)
    seen: list[str] = []
    while True:
        seen += re.findall(r'class="o-rowlink" href="/settings/webhook/([^/]+)/"', first.content.decode())
        more = re.search(r'href="(/settings/webhook/\?before=\d+)"', first.content.decode())
        if not more:
            break
        first = admin.get(more[1])
    assert len(seen) == len(set(seen)) == 60


def test_in_turkish_nothing_is_left_in_english(cast: Cast, admin: Client) -> None:
    user = cast.users[ADMIN]
    user.language = "tr"
    user.save(update_fields=["language"])
    admin.post(PAGE, SENT)
    page = text_of(admin.get(PAGE))
    for english in ("Send a test", "Where to, and what", "Deliveries", *map(str, rules.EVENTS.values())):
        assert english not in page
