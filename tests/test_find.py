"""The search of the top bar: what it finds, for whom, and what it says when it finds nothing (REF-20, REF-5)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from dealreg.services import registration as dealreg
from portal.accounts.rules import SYSTEM
from portal.customers import services as customers
from portal.customers.models import Customer
from portal.demo.cast import ANKARA, MUNICH
from referrals import rules
from referrals.models import Referral
from tests import build
from tests.edge import STRANGER, Element, Live, parse

TEAM, REVIEWER, SELLER = "user@contoso.example", build.REVIEWER, build.SELLER
HOSTILE = '<b>Fırın</b> & "İçki" 🙂 %(x)s {{ x }}'
NOTHING: dict[str, list[str]] = {"deals": [], "registrations": [], "isv-deals": [], "exceptions": [], "customers": []}


def searched(live: Live, query: str, *, by: str = build.CONTOSO, **headers: str) -> Element:
    response = live.browser(by).get(reverse("search"), {"q": query}, headers=headers)
    assert response.status_code == 200
    return parse(response)


def found(live: Live, query: str, *, by: str = build.CONTOSO) -> dict[str, list[str]]:
    """The names found, by group; nothing where nothing at all is."""
    cards = searched(live, query, by=by).one("main").all("section", class_="o-card")
    return {
        card.attrs["id"].removesuffix("-found"): [hit.one("strong").text for hit in card.all("a", class_="o-hit")]
        for card in cards
        if card.attrs["id"] != "nothing"
    }


def links(page: Element) -> list[str]:
    return [hit.attrs["href"] for hit in page.all("a", class_="o-hit")]


def test_ref_20_deals_registrations_and_customers_are_found_together(live: Live) -> None:
    won = live.won(name="Fırın kameraları", crm_id="OPP-7731", customer=live.cast.customers["isik"])
    live.deal(name="Kiosks")
    both = {**NOTHING, "deals": ["Fırın kameraları"], "registrations": ["Fırın kameraları"]}
    asked = ["FIRIN", "firin kam", str(won.public_id), str(won.public_id)[:30], "opp-7731"]
    assert {query: found(live, query) for query in asked} == dict.fromkeys(asked, both)
    for query in ("işık loj", "ISIK", "ışı"):
        assert found(live, query) == {**both, "customers": ["Işık Lojistik"]}, query
    page = searched(live, "işık")
    assert links(page) == [
        reverse("deal", args=[won.public_id]),
        reverse("deal", args=[won.public_id]),
        f"{reverse('deals')}?q=I%C5%9F%C4%B1k+Lojistik",
    ]
    assert [hit.all("span", class_="o-badge")[0].text for hit in page.all("a", class_="o-hit")] == [
        "Won",
        "Registration (Pending)",
        "Managed",
    ]


def test_ref_5_customers_of_all_countries_are_found_by_their_first_letters(live: Live) -> None:
    for country in ("TR", "DE"):
        customers.create_customer(name="Örnek Işıklar", country=country, actor=SYSTEM, now=live.now)
    customers.create_customer(name="Bir Örnek", country="TR", actor=SYSTEM, now=live.now)
    assert found(live, "ORNEK isik")["customers"] == ["Örnek Işıklar", "Örnek Işıklar"]
    assert found(live, "100%") == found(live, "ore_k") == {}


def test_the_first_hits_are_shown_and_all_can_be_listed(live: Live) -> None:
    """REF-20: the newest first; the list then finds them all."""
    for n in range(11):
        live.deal(name=f"Oven {n:02}", days=n + 1)
    page = searched(live, "oven")
    assert found(live, "oven")["deals"] == [f"Oven {n:02}" for n in range(10)]
    show_all = page.one("section", id="deals-found").one("a", href="/co-sell/?q=oven")
    assert len(parse(live.browser(build.CONTOSO).get(show_all.attrs["href"])).all("a", class_="o-rowlink")) == 11
    below = searched(live, "oven", HX_Request="true")
    assert below.all("main") == []
    assert [hit.one("strong").text for hit in below.all("a", class_="o-hit")] == [f"Oven {n:02}" for n in range(4)]
    assert "4 hits" in below.one("p", role="status").text
    assert searched(live, "oven 03").all("a", href="/co-sell/?q=oven+03") == []


def test_org_6_nobody_finds_what_he_may_not_see(live: Live) -> None:
    """ORG-2, ORG-4, REF-3: other companies, other locations, teams that don't list them, private deals."""
    place = {"location": live.cast.locations[ANKARA], "team": [build.member("x@contoso.example")]}
    live.won(name="Oven of Ankara", **place)
    live.deal(name="Oven in private", help_code=rules.NO_HELP, vendor_may_view=False)
    build.deal(
        live.cast, name="Oven of Fabrikam", location=live.cast.locations[MUNICH], by=STRANGER, close_date=live.day(9)
    )
    assert found(live, "oven") == {
        "deals": ["Oven in private", "Oven of Ankara"],
        "registrations": ["Oven of Ankara"],
        "isv-deals": [],
        "exceptions": [],
        "customers": [],
    }
    assert found(live, "oven", by=TEAM) == {**NOTHING, "deals": ["Oven in private"]}
    assert found(live, "oven", by="ankara@contoso.example") == {
        **NOTHING,
        "deals": ["Oven of Ankara"],
        "registrations": ["Oven of Ankara"],
    }
    assert found(live, "oven", by=STRANGER) == {**NOTHING, "deals": ["Oven of Fabrikam"]}
    assert found(live, "oven", by="referrals@northwind.example") == {}
    hidden = Referral.objects.get(name="Oven in private")
    for stranger in (STRANGER, SELLER):
        assert found(live, str(hidden.public_id), by=stranger) == {}
    assert "Oven in private" not in searched(live, "oven", by=REVIEWER).text


def test_registrations_lead_reviewers_to_the_review_and_sellers_nowhere(live: Live) -> None:
    """ORG-2, FLOW-5: sellers don't read on a deal's page how its registration stands, so they find none either."""
    registration = live.in_review(live.won(name="Oven"))
    page = searched(live, "oven", by=REVIEWER).one("section", id="registrations-found")
    assert links(page) == [reverse("admin:dealreg_registration_change", args=[registration.pk])]
    assert live.browser(REVIEWER).get(links(page)[0]).status_code == 200
    assert "Contoso Yazılım" in page.text
    assert set(found(live, "oven", by=SELLER)) == {"deals", "isv-deals", "customers"}
    dealreg.decide(registration, "pass_review", actor=live.cast.actor(REVIEWER), now=live.now, validated_by="poe")
    assert "Review (Passed)" in searched(live, "oven").one("section", id="registrations-found").text


EMPTY, SHORT, NONE = "What are you looking for?", "Search starts at 3 letters.", "Nothing was found."
SAID = {
    "": EMPTY,
    "  ": EMPTY,
    "ab": SHORT,
    "🙂🙂🙂": SHORT,
    "%%%": SHORT,
    "' OR 1=1 --": SHORT,
    "zzz' OR ''='": NONE,
    "zzz%": NONE,
    "zzz 🙂": NONE,
    "<script>alert(1)</script>": NONE,
    "شركة": NONE,
    "x" * 5_000: NONE,
    "zzz " * 1_000: NONE,
}


def test_ref_20_what_finds_nothing_says_what_can_be_searched(live: Live) -> None:
    live.deal()
    for query, title in SAID.items():
        page = searched(live, query).one("main")
        assert page.one("p", class_="o-empty__title").text == title, query[:30]
        assert "customers by the beginning of their name" in page.text
        assert page.all("script") == []
        assert ("Only the first 200 characters" in page.text) == (len(query) > 200)
        below = searched(live, query, HX_Request="true")
        assert [p.text for p in below.all("p", role="status")] == ([title] if query.strip() else [])


def test_what_was_typed_and_found_is_shown_as_it_was_written(live: Live) -> None:
    live.deal(name=HOSTILE)
    for headers in ({}, {"HX_Request": "true"}):
        page: Any = searched(live, HOSTILE[:14], **headers)
        assert page.one("a", class_="o-hit").one("strong").text == HOSTILE
        assert page.all("b") == []
    page = searched(live, '<b>Fırın</b> & "İ')
    assert page.one("h1").text == 'Results for “<b>Fırın</b> & "İ”'
    assert page.one("input", name="q", type="search").attrs["value"] == '<b>Fırın</b> & "İ'


def test_a_customer_leads_to_its_deals(live: Live) -> None:
    deal = live.deal(customer=live.cast.customers["isar"])
    live.deal(customer=live.cast.customers["isik"])
    assert Customer.objects.named("isar").count() == 1
    hit = links(searched(live, "isar").one("section", id="customers-found"))[0]
    listed = parse(live.browser(build.CONTOSO).get(hit))
    assert [a.attrs["href"].split("?")[0] for a in listed.all("a", class_="o-rowlink")] == [
        reverse("deal", args=[deal.public_id])
    ]
