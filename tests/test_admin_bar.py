"""The administration is the same house: the portal's own bar on its pages, and instants as the portal shows them."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from lxml.html import tostring

from portal.accounts.models import User
from portal.events.models import Event
from portal.notify.models import Notice
from tests import build
from tests.edge import Element, Live, parse

MANAGER = "manager@vendor.example"
PAGES = {
    "index": reverse("admin:index"),
    "list": reverse("admin:events_event_changelist"),
    "change": reverse("admin:accounts_company_changelist"),
    "policy": reverse("admin:policy_policyversion_changelist"),
    "new version": reverse("admin:policy_policyversion_add"),
    "rates": reverse("admin:money_monthlyrate_upload"),
}


def bar(page: Element) -> str:
    """The bar and its menu without what differs from page to page: where one is, and what protects its forms."""
    header = tostring(page.one("header", class_="o-top").node, encoding="unicode")
    for varying in (
        r'<input type="hidden" name="(csrfmiddlewaretoken|next)"[^>]*>',
        r'<a class="o-top__place".*?</a>',
        r"\s+",
    ):
        header = re.sub(varying, "", header)
    return header


def test_the_admin_keeps_the_portals_bar(live: Live) -> None:
    """Search, language, theme, bell with its count, the person's menu; and its menu leads back."""
    build.deal(live.cast, at=live.now)
    browser = live.browser(MANAGER)
    Notice.objects.filter(pk__in=Notice.objects.values("pk")[:1]).update(user=live.cast.users[MANAGER], read_at=None)
    home = parse(browser.get(reverse("home")))
    assert home.one("a", class_="o-bell").one("span", class_="o-count").text == "1"
    for name, url in PAGES.items():
        page = parse(browser.get(url))
        assert bar(page) == bar(home), name
        rail = page.one("nav", class_="o-rail")
        assert reverse("home") in {link.attrs["href"] for link in rail.all("a")}, name
        assert page.one("a", class_="o-top__place").attrs["href"] == reverse("admin:index")
        assert {field.attrs["value"] for field in page.all("input", name="next")} == {url}, name
        assert not [tag for tag in page.all("script") if not tag.attrs.get("src")], name
        assert not page.all("style"), name


def test_theme_and_language_are_chosen_in_the_admin_and_lead_back(live: Live) -> None:
    browser, here = live.browser(MANAGER), PAGES["policy"]
    for name, chosen in (("theme", "dark"), ("language", "tr")):
        answer = browser.post(reverse(f"set_{name}"), {name: chosen, "next": here})
        assert (answer.status_code, answer["Location"]) == (302, here)
    page = browser.get(here).content.decode()
    assert "o-admin--dark" in page
    assert 'lang="tr"' in page


@pytest.fixture
def in_istanbul(live: Live) -> Client:
    User.objects.filter(email=MANAGER).update(time_zone="Europe/Istanbul")
    return live.browser(MANAGER)


def test_instants_are_shown_in_the_persons_zone_with_utc_on_hover(live: Live, in_istanbul: Client) -> None:
    """In a list's column, in a field that is only read, and in one that a page of its own shows."""
    at = timezone.now().replace(year=2026, month=3, day=5, hour=21, minute=30)
    company = live.cast.companies["contoso"]
    type(company).objects.filter(pk=company.pk).update(created_at=at)
    told = build.deal(live.cast, at=at)
    event = Event.objects.of_subject(told).get()
    for url in (
        reverse("admin:accounts_company_changelist"),
        reverse("admin:accounts_company_change", args=[company.pk]),
        reverse("admin:events_event_changelist"),
        reverse("admin:events_event_change", args=[event.pk]),
    ):
        shown = [time for time in parse(in_istanbul.get(url)).all("time") if time.text == "6 Mar 2026, 00:30"]
        assert shown, url
        assert {time.attrs["title"] for time in shown} == {"5 Mar 2026, 21:30 UTC"}


def test_a_plain_field_of_a_model_is_shown_so_too(live: Live, in_istanbul: Client) -> None:
    """One that no admin names a column for; its label no longer says UTC."""
    at = timezone.now().replace(year=2026, month=3, day=5, hour=21, minute=30)
    User.objects.filter(email=MANAGER).update(last_login=at)
    person = live.cast.users[MANAGER]
    page = parse(in_istanbul.get(reverse("admin:accounts_user_change", args=[person.pk])))
    assert [time.text for time in page.one("div", class_="field-last_login").all("time")] != []
    rates = parse(in_istanbul.get(reverse("admin:money_monthlyrate_changelist")))
    assert rates.one("th", class_="column-imported_at").text == "Imported at"
    assert rates.all("td", class_="field-imported_at")[0].all("time")
    assert re.fullmatch(r"\d{4}-\d\d", rates.all("td", class_="field-published")[0].text)
