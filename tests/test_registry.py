"""What several apps show together: a new app adds itself, and no page has to know it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from portal.accounts.models import Company
from portal.demo.cast import Cast
from portal.registry import Registry
from portal.ui import home
from portal.workflow.blockers import Money
from referrals.web import deal as deal_parts
from tests import build
from tests.edge import Live, parse


def test_things_stand_in_the_order_of_their_numbers() -> None:
    registry: Registry[str] = Registry()
    registry.add("last", "C", order=30)
    registry.add("first", "A", order=10)
    registry.add("middle", "B", order=20)
    assert dict(registry) == {"first": "A", "middle": "B", "last": "C"}
    assert list(registry) == ["first", "middle", "last"]


@pytest.mark.parametrize(("code", "order"), [("first", 20), ("second", 10)])
def test_neither_a_code_nor_a_place_is_given_twice(code: str, order: int) -> None:
    registry: Registry[str] = Registry()
    registry.add("first", "A", order=10)
    with pytest.raises(ValueError, match="is taken"):
        registry.add(code, "B", order=order)
    assert dict(registry) == {"first": "A"}


def test_what_an_app_adds_stands_on_the_home_page(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    needs: Registry[home.NeedKind] = Registry()

    def make(_row: Company, now: datetime) -> home.Need:
        money = Money(Decimal("1000"), "EUR")
        return home.Need("poll", "people", "Vote on this", "Plant", "Contoso", money, "/council/1/", until=now)

    found = Company.objects.filter(name__startswith="Contoso")
    needs.add("poll", home.NeedKind("Votes", lambda _actor, _now: found, make, page=lambda: "/council/"), order=5)
    for code, order in zip(home.NEEDS, range(10, 100, 10), strict=False):
        needs.add(code, home.NEEDS[code], order=order)
    monkeypatch.setattr("portal.pages.home.context.NEEDS", needs)
    page = parse(Live(cast).browser(build.CONTOSO).get(reverse("home")))
    added = page.one("section", id="needs").one("a", class_="o-need")
    assert (added.attrs["href"], "Vote on this: Plant" in added.text) == ("/council/1/", True)


def test_a_deal_page_holds_what_apps_add_and_names_none_itself(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    parts: Registry[deal_parts.FindPart] = Registry()
    hit = {"hit": {"thing": {"managed": True}}}  # any template will do
    part = deal_parts.Part(hit, {deal_parts.PANELS: "pages/_hit_customer_badge.html"})
    live, deal = Live(cast), build.deal(cast)
    monkeypatch.setattr("portal.pages.deal.context.PARTS", parts)
    address = reverse("deal", args=[deal.public_id])
    plain = parse(live.browser(build.CONTOSO).get(address)).one("main").text
    parts.add("council", lambda *_asked: part, order=10)
    added = parse(live.browser(build.CONTOSO).get(address)).one("main").text
    assert "registration" not in plain.lower()
    assert added.count("Managed") == plain.count("Managed") + 1
