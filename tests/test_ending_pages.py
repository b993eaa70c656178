"""The pages by which partners end a registration, or take an end back; what the deal page says in each state (FLOW)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dealreg.models import Registration
from portal.workflow import text
from portal.workflow.blockers import Money
from tests import build, do
from tests.edge import Element, Live, parse

DAY = timedelta(days=1)
VIEWER = "viewer@contoso.example"


@pytest.fixture
def owner(live: Live) -> Client:
    return live.browser(build.CONTOSO)


def url(name: str, registration: Registration) -> str:
    return reverse(name, args=[registration.referral.public_id])


def deal_page(client: Client, registration: Registration) -> Element:
    return parse(client.get(url("deal", registration)))


def buttons(page: Element) -> list[str]:
    """What the foot of the page offers."""
    links = page.one("footer", class_="o-foot").all("a")
    return [link.text for link in links if "o-whylink" not in link.attrs.get("class", "")]


def send(client: Client, address: str, **answers: str) -> Any:
    """The page's form as it stands, with these answers."""
    form = parse(client.get(address)).one("form", class_="o-confirm")
    return client.post(address, {**form.fields(), **answers})


def payg(live: Live) -> Registration:
    """Passed a moment ago, at 40,000 EUR."""
    pending = live.approved(pricing="payg", end=live.day(-1), tcv=Money(build.form().tcv.amount, "EUR"))
    return live.decided(pending, "pass_review")


def banners(page: Element) -> str:
    return " ".join(banner.text for banner in page.all("div", class_="o-banner--info"))


def test_flow_withdraw_on_the_deal_page(live: Live, owner: Client) -> None:
    registration = live.sent_back()
    page = deal_page(owner, registration)
    assert "Withdraw the registration" in buttons(page)
    assert "Withdraw the registration" not in deal_page(live.browser(VIEWER), registration).text
    shown = parse(owner.get(url("withdraw", registration)))
    assert "This is final." in shown.text
    assert send(owner, url("withdraw", registration)).status_code == 302
    assert Registration.objects.get().was_withdrawn
    page = deal_page(owner, registration)
    assert "The registration was withdrawn; this deal is not registered." in banners(page)
    assert {"Withdraw the registration", "Register after all"}.isdisjoint(buttons(page))


def test_flow_register_after_all_on_the_deal_page(live: Live, owner: Client) -> None:
    registration = Registration.objects.get(referral=live.won())
    shown = parse(owner.get(url("close_unregistered", registration)))
    assert "This is final." not in shown.text
    do.close_unregistered(registration, actor=live.cast.actor(build.CONTOSO), now=live.now)
    page = deal_page(owner, registration)
    assert "You can register it after all." in banners(page)
    assert "Register after all" in buttons(page)
    assert send(owner, url("register_after_all", registration)).status_code == 302
    assert "Register now" in buttons(deal_page(owner, registration))


def test_flow_6_revalidate_on_the_deal_page(live: Live, owner: Client) -> None:
    """PAYG-2: a form of three fields, filled with what there is; refused, it comes back as typed."""
    registration = payg(live)
    assert "Revalidate at a new value" in buttons(deal_page(owner, registration))
    form = parse(owner.get(url("revalidate", registration))).one("form", class_="o-confirm")
    assert (form.fields()["tcv"], form.fields()["end"]) == ("40,000", text.day(live.day(-1)))
    assert "Total contract value (EUR)" in form.text
    refused = send(owner, url("revalidate", registration), tcv="41000")
    assert refused.status_code == 422
    again = parse(refused).one("form", class_="o-confirm")
    assert again.fields()["tcv"] == "41000"
    assert "needs a total contract value above 1,000,000 USD; this one is 45,100 USD." in again.text
    assert send(owner, url("revalidate", registration), tcv="950,000", solution_value="900,000").status_code == 302
    page = deal_page(owner, registration)
    assert "In review." in page.one("div", class_="o-banner--info").text
    assert "Revalidate at a new value" not in buttons(page)


def test_flow_6_what_was_never_pay_as_you_go_offers_no_revalidation(live: Live, owner: Client) -> None:
    registration = live.decided(live.in_review(), "pass_review")
    assert "Revalidate" not in deal_page(owner, registration).one("footer", class_="o-foot").text
    assert parse(owner.get(url("revalidate", registration))).all("button", class_="btn-primary") == []


def milestone(page: Element) -> str:
    section = next(found for found in page.all("section", class_="o-life__part") if "Deal registration" in found.text)
    return section.text


def test_flow_5_the_lifecycle_says_what_to_do_and_why(live: Live, owner: Client) -> None:
    registration = live.sent_back()
    assert "Correct it, or withdraw it, until" in milestone(deal_page(owner, registration))
    banner = deal_page(owner, registration).one("div", class_="o-banner--danger").text
    assert "or withdraw it:" in banner
    assert "After that it fails." in banner
    do.fail_unanswered(registration, now=timezone.now() + 60 * DAY)
    page = deal_page(owner, registration)
    for said in (milestone(page), page.one("div", class_="o-banner--danger").text):
        assert "The correction asked for was not sent in time." in said
        assert "The dates don't match the signed contract." in said
    waiting = live.in_review()
    assert "Nothing to do for you" in milestone(deal_page(owner, waiting))


def test_flow_6_a_failed_revalidation_says_what_stays(live: Live, owner: Client) -> None:
    """PAYG-3: before it closes and after."""
    registration = payg(live)
    send(owner, url("revalidate", registration), tcv="950,000", solution_value="900,000")
    failed = live.decided(registration, "fail_review", "other", "Twice the same invoice.")
    banner = deal_page(owner, registration).one("div", class_="o-banner--danger").text
    assert "The revalidation failed." in banner
    assert "Twice the same invoice." in banner
    assert "The registration stays as it was before." in banner
    do.close(failed, now=timezone.now() + 2 * DAY)
    banner = deal_page(owner, registration).one("div", class_="o-banner--success").text
    assert "Closed · Review (Passed)" in banner
    assert "Its revalidation did not succeed, so it stays as it was before." in banner


def test_flow_8_the_home_page_names_the_day_to_correct_until(live: Live, owner: Client) -> None:
    registration = live.sent_back()
    Registration.objects.filter(pk=registration.pk).update(action_due_at=live.now + 3 * DAY)
    page = parse(owner.get(reverse("home")))
    assert "Correct the registration" in page.text
    assert live.day(3).strftime("%-d %b") in page.text
