"""The list of deals (REF-19, REF-20): tabs and stars, filters, orders and pages, columns, what is remembered."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from portal.customers.rules import fold
from portal.demo.cast import ANKARA, BERLIN, Cast
from portal.pages.deals import filters
from portal.pages.deals.columns import SORTS
from portal.pages.deals.listing import DEALS
from portal.pages.deals.rows import neighbours
from portal.ui.listing import cursor, rows
from portal.ui.listing.filters import countries
from portal.ui.listing.query import ListQuery, values
from portal.ui.models import ListView
from portal.workflow.blockers import Money
from referrals import rules
from referrals.models import Favorite, Referral, Substatus
from referrals.services import favorites
from tests import build, do
from tests.edge import STATES, STRANGER, Element, Live, parse

OWNER, TEAM, VIEWER = build.CONTOSO, "user@contoso.example", "viewer@contoso.example"
PRIVATE = {"help_code": rules.NO_HELP, "vendor_may_view": False}
LED = {"help_code": rules.NO_HELP, "vendor_may_view": True}


def see(client: Client, address: str = "", **query: Any) -> Element:
    """The list at this address."""
    url = reverse("deals") + (address or "?" + urlencode(query, doseq=True))
    response = client.get(url)
    assert response.status_code == 200, url
    return parse(response)


def names(listed: Element) -> list[str]:
    return [a.text for a in listed.all("a", class_="o-rowlink")]


def tabs(listed: Element) -> list[str]:
    return [a.text for a in listed.one("nav", id="tabs").all("a")]


def asked(cast: Cast, by: str = OWNER, **params: Any) -> ListQuery:
    return ListQuery.of(DEALS, {name: [str(value)] for name, value in params.items()}, cast.actor(by))


def found(cast: Cast, by: str = OWNER, **params: Any) -> list[str]:
    """The names that a query finds, in its order, on its first page."""
    return [row.referral.name for row in rows.page(cast.actor(by), asked(cast, by, **params)).items]


# Tabs and stars


def test_tabs_count_what_they_show(live: Live) -> None:
    """REF-19: private deals among the others; the counts follow search and filters."""
    live.received(name="Sent")
    live.deal(name="Own", **PRIVATE)
    starred = live.deal(name="Asked")
    favorites.set_favorite(starred, actor=live.cast.actor(OWNER), on=True)
    owner = live.browser(OWNER)
    assert tabs(see(owner)) == ["Inbound 1", "Outbound 2", "Favorites 1"]
    assert names(see(owner)) == ["Asked", "Own"]
    assert [names(see(owner, tab=tab)) for tab in ("inbound", "favorites")] == [["Sent"], ["Asked"]]
    assert tabs(see(owner, type="private")) == ["Inbound 0", "Outbound 1", "Favorites 0"]
    assert tabs(see(owner, q="asked")) == ["Inbound 0", "Outbound 1", "Favorites 1"]
    found_inbound = see(owner, q="sent")  # from the top bar: in the tab that has it
    assert names(found_inbound) == ["Sent"]
    assert found_inbound.one("nav", id="tabs").one("a", aria_current="page").text == "Inbound 1"


def test_the_vendor_sees_its_own_copies_and_what_it_may_view(live: Live) -> None:
    """REF-19, REF-3: deals to answer, and partner-led ones beside them; never a private one."""
    live.deal(name="Asked")
    live.deal(name="Led", crm_id="OPP-1", **LED)
    live.deal(name="Own", **PRIVATE)
    seller = live.browser(build.SELLER)
    listed = see(seller)
    assert tabs(listed) == ["Inbound 1", "Outbound 0", "Partner-led 1", "Favorites 0"]
    assert names(listed) == ["Asked"]
    led = see(seller, tab="partner_led")
    assert names(led) == ["Led"]
    assert "Contoso Yazılım" in led.one("section", id="list").text
    seller.post(reverse("choose_columns", args=["deals"]), {"column": ["crm", "registration"], "next": "/co-sell/"})
    assert "OPP-1" not in see(seller, tab="partner_led", crm="OPP-1").text.replace("“OPP-1”", "")
    assert names(see(seller, tab="partner_led", crm="OPP-1")) == []
    assert names(see(live.browser(OWNER), crm="opp-")) == ["Led"]


def test_a_star_is_one_click_on_and_off_and_ones_own(live: Live) -> None:
    """REF-19: in the list and on the deal page, with and without JavaScript; the tab counts along."""
    deal = live.deal(name="Ovens")
    owner, viewer = live.browser(OWNER), live.browser(VIEWER)
    form = see(owner).one("form", id="stars")
    star = form.one("button", class_="o-star").attrs
    assert (star["name"], star["value"]) == ("star", str(deal.public_id))
    here, url = reverse("deals") + "?tab=outbound&exact=1", form.attrs["action"]
    answer = owner.post(url, {star["name"]: star["value"], "next": here})
    assert (answer.status_code, answer["Location"]) == (302, here)
    assert names(see(owner, tab="favorites")) == ["Ovens"]
    assert names(see(viewer, tab="favorites")) == []
    page = parse(owner.get(reverse("deal", args=[deal.public_id])))
    assert page.one("button", class_="o-star").attrs["aria-pressed"] == "true"
    off = {"unstar": star["value"], "list": "tab=outbound"}
    answer = owner.post(form.attrs["hx-post"], off, headers={"HX-Request": "true"})
    assert answer["HX-Retarget"] == f'.o-star[value="{deal.public_id}"]'
    swapped = parse(answer)
    assert swapped.one("button", class_="o-star").attrs["name"] == "star"
    assert swapped.one("span", id="count-favorites", hx_swap_oob="true").text == "0"
    for _twice in range(2):
        owner.post(url, {"star": star["value"]})
        viewer.post(url, {"star": star["value"]})
    assert Favorite.objects.filter(referral=deal).count() == 2


def test_a_star_only_goes_on_what_one_sees(live: Live) -> None:
    """REF-19, ORG-6: a foreign deal is unknown; a star outlives the right to see the deal, and shows nothing."""
    deal = live.deal(location=live.cast.locations[ANKARA], team=[build.member("x@contoso.example")])
    url = reverse("favorite", args=[deal.public_id])
    for sent in ("", "nonsense", "9" * 40):
        assert live.browser(OWNER).post(reverse("star_row"), {"star": sent}).status_code == 404
    for person in (STRANGER, TEAM, build.REVIEWER):
        in_list = live.browser(person).post(reverse("star_row"), {"star": str(deal.public_id)}).status_code
        expected = 302 if person == build.REVIEWER else 404  # help was asked for, so the vendor's people may view it
        assert (live.browser(person).post(url, {"on": "yes"}).status_code, in_list) == (expected, expected), person
    assert set(Favorite.objects.values_list("user__email", flat=True)) == {build.REVIEWER}
    Favorite.objects.create(user=live.cast.users[STRANGER], referral=deal)
    assert tabs(see(live.browser(STRANGER)))[2] == "Favorites 0"


# Search


def test_search_says_when_it_starts(live: Live) -> None:
    """REF-20: shorter than three letters nothing is searched, and the page says so."""
    live.deal(name="Ovens", notes="Angebot bis Freitag")
    live.deal(name="Kilns")
    owner = live.browser(OWNER)
    short = see(owner, q="ov")
    assert names(short) == ["Kilns", "Ovens"]
    assert "Search starts at 3 letters." in short.one("div", id="found").text
    assert names(see(owner, q="angeb")) == ["Ovens"]
    nothing = see(owner, q="zzz")
    assert "No deal matches" in nothing.one("section", id="list").text
    assert names(see(owner, nothing.one("div", id="found").one("a", class_="is-on").attrs["href"])) == [
        "Kilns",
        "Ovens",
    ]
    assert [names(see(owner, q=q)) for q in ("' | 'x:*", "🙂🙂🙂🙂", "x" * 10_000)] == [["Kilns", "Ovens"]] * 2 + [[]]


# Filters


@pytest.fixture
def many(live: Live) -> Live:
    """Contoso's deals that each filter tells apart; created 1 to 6 days ago."""
    cast, contoso = live.cast, live.cast.actor(OWNER)
    live.accepted(name="asked", days=6, value=Money(Decimal(10_000), "USD"), crm_id="opp-1")
    lost = live.deal(name="lost", days=5, customer=cast.customers["isar"], value=Money(Decimal(20_000), "USD"), **LED)
    do.set_stage(lost, actor=contoso, now=live.now, stage=40)
    do.lose(lost, actor=contoso, now=live.now, reason_code="budget")
    retail = {"solutions": [cast.solutions["retail"], cast.solutions["power"]], "crm_id": "OPP-22"}
    live.deal(name="own", days=4, value=Money(Decimal(30_000), "USD"), close_date=live.day(5), **retail, **PRIVATE)
    live.sent_back(live.won(name="won", days=9, won=1, customer=cast.customers["thames"]))
    Referral.objects.filter(name="won").update(created_at=live.ago(3))
    live.deal(name="late", days=1, team=[build.member("zoe@contoso.example")], close_date=live.day(90))
    return live


def test_each_filter_finds_what_it_says(many: Live) -> None:
    """REF-20: one by one, several values of one, and several at once; newest first."""
    today, cast = many.now.date(), many.cast
    day = lambda back: (today - timedelta(days=back)).isoformat()  # noqa: E731
    expected: list[tuple[dict[str, Any], list[str]]] = [
        ({"status": "Lost"}, ["lost"]),
        ({"status": "Lost,Won"}, ["won", "lost"]),
        ({"type": "private"}, ["own"]),
        ({"type": "partner_led,private"}, ["own", "lost"]),
        ({"type": "co_sell"}, ["late", "won", "asked"]),
        ({"type": "solution_assessment"}, []),
        ({"stage": "40"}, ["lost"]),
        ({"stage": "10,100"}, ["late", "won", "own", "asked"]),
        ({"registration": "action_required"}, ["won"]),
        ({"registration": "none"}, ["late", "own", "lost", "asked"]),
        ({"registration": "none,action_required"}, ["late", "won", "own", "lost", "asked"]),
        ({"vendor": "Accepted"}, ["won", "asked"]),
        ({"vendor": "Received"}, ["late"]),
        ({"vendor": "none"}, ["own", "lost"]),
        ({"vendor": "none,Received"}, ["late", "own", "lost"]),
        ({"country": "DE,GB"}, ["won", "lost"]),
        ({"country": "Germany"}, ["lost"]),
        ({"value_from": "20000", "value_to": "30000"}, ["own", "lost"]),
        ({"value_from": "30000.01"}, ["late", "won"]),
        ({"created_from": day(3)}, ["late", "won"]),
        ({"created_to": day(5)}, ["lost", "asked"]),
        ({"created_from": day(5), "created_to": day(4)}, ["own", "lost"]),
        ({"close_from": many.day(5).isoformat(), "close_to": many.day(29).isoformat()}, ["own"]),
        ({"close_from": many.day(31).isoformat()}, ["late"]),
        ({"solution": "contoso perakende"}, ["own"]),
        ({"solution": "SOL-90002-vnd"}, ["own"]),
        ({"member": "zoe@contoso.example"}, ["late"]),
        ({"member": "ZOE"}, ["late"]),
        ({"crm": "OPP-2"}, ["own"]),
        ({"crm": "OPP-"}, ["own", "asked"]),
        ({"status": "Accepted", "country": "TR", "value_from": "20000"}, ["late", "own"]),
        ({"status": "Won", "type": "private"}, []),
    ]
    with timezone.override(UTC):
        assert [(params, found(cast, **params)) for params, _names in expected] == expected


def test_closed_registrations_are_found_by_what_their_badge_says(live: Live) -> None:
    """REF-20, FLOW-5: the outcome; and by *closed*."""
    STATES["closed"](live)  # approved, then closed
    Referral.objects.update(name="closed")
    STATES["not_registered"](live)
    Referral.objects.exclude(name="closed").update(name="unregistered")
    assert found(live.cast, registration="approved") == ["closed"]
    assert found(live.cast, registration="not_registered") == ["unregistered"]
    assert sorted(found(live.cast, registration="closed")) == ["closed", "unregistered"]


def test_days_are_those_of_the_persons_zone(live: Live) -> None:
    """REF-20: created shortly before midnight UTC is the next day in Istanbul, where this person is."""
    live.deal(name="Ovens")
    Referral.objects.update(created_at=datetime(2026, 11, 9, 21, 30, tzinfo=UTC))
    owner = live.browser(OWNER)
    assert names(see(owner, created_from="2026-11-10", created_to="2026-11-10")) == ["Ovens"]
    assert names(see(owner, created_to="2026-11-09")) == []


HOSTILE = [
    "", "nonsense", "%00", "İ", "🙂", "-1", "1e400", "NaN", "9" * 40, "9999-12-31", "0001-01-01", "٣", "TR%00", "a,b",
    "' OR 1=1 --", "x" * 5000,
]  # fmt: skip


def test_bad_values_are_left_out_everywhere(live: Live) -> None:
    """REF-20: in every parameter, whatever it is; the list is as it would be without it, and never fails."""
    live.deal(name="Ovens")
    owner = live.browser(OWNER)
    text_filters = {item.name for item in filters.FILTERS if item.kind == "text"}
    for together in (filters.NAMES - text_filters, ["tab"], ["sort"], ["size"], ["after"], ["exact"]):
        assert names(see(owner, **dict.fromkeys(together, HOSTILE))) == ["Ovens"], together
    for name in sorted(text_filters):
        assert [found(live.cast, **{name: value}) for value in HOSTILE[1:]] == [[]] * len(HOSTILE[1:]), name
    deal = reverse("deal", args=[Referral.objects.get(company__name="Contoso Yazılım").public_id])
    for value in ["%00", "after=W10", "x" * 5000, "a=&" * 4000, "?status=Won&after=x"]:
        assert owner.get(deal, {"list": value}).status_code == 200, value


def test_at_most_fifty_countries(live: Live) -> None:
    """REF-20, F6.1. Names are taken as they are written in the reader's language, and hold no comma."""
    codes = list(countries())
    state = asked(live.cast, country=",".join(codes[:60])).state
    assert state["country"].split(",") == codes[:50]
    for language, name in (("en", "Germany"), ("tr", "ALMANYA"), ("tr", "türkiye")):
        with translation.override(language):
            assert asked(live.cast, country=name).state["country"] in {"DE", "TR"}
            assert not any("," in label for label in countries().values())


def test_active_filters_are_shown_and_removed_one_by_one(many: Live) -> None:
    """REF-20: each with its values in words and a link without it; *Clear all* takes all, also the remembered ones."""
    owner = many.browser(OWNER)
    start = see(owner, status="Accepted,Won,Lost", country="TR", value_from="20000", q="contoso")
    chips = start.one("div", id="found").all("a", class_="is-on")
    assert [chip.text for chip in chips] == [
        "Remove: Search: contoso",
        "Remove: Status: Accepted, Won, 1 more",
        "Remove: Country: Türkiye",
        "Remove: Value in USD: from 20,000 USD",
    ]
    assert names(start) == ["late", "own"]
    without_country = see(owner, chips[2].attrs["href"])
    assert names(without_country) == ["late", "won", "own", "lost"]
    left = without_country.one("div", id="found").all("a", class_="is-on")
    assert [chip.text.rpartition(":")[0] for chip in left] == [
        "Remove: Search",
        "Remove: Status",
        "Remove: Value in USD",
    ]
    cleared = next(a for a in start.all("a") if a.text == "Clear all").attrs["href"]
    assert len(names(see(owner, cleared))) == len(names(see(owner))) == 5


def test_filters_work_by_their_form_alone(many: Live) -> None:
    """REF-20: without JavaScript a link opens all menus, each with its button; what is chosen stays chosen."""
    owner = many.browser(OWNER)
    shut = see(owner, sort="name", size="25", status="Won,Lost").one("form", id="filters")
    assert shut.fields()["status"] == "Won,Lost"  # to search keeps what no menu was opened for
    assert shut.all("fieldset") == []
    opened = parse(owner.get(reverse("deals") + shut.one("a", class_="o-nojs").attrs["href"]))
    assert opened.one("form", id="filters").fields()["status"] == ["Won", "Lost"]
    form = see(owner, sort="name", size="25", exact="1", menu="filters").one("form", id="filters")
    assert len(form.all("button", class_="o-nojs")) == len(form.all("details", class_="o-filter"))
    sent = form.fields() | {"status": ["Won", "Lost"], "close_to": many.day(60).isoformat()}
    listed = see(owner, **sent)
    assert names(listed) == ["lost", "won"]
    again = listed.one("form", id="filters").fields()
    assert {name: again[name] for name in ("status", "sort", "size", "tab")} == {
        "status": ["Won", "Lost"], "sort": "name", "size": "25", "tab": "outbound"
    }  # fmt: skip


# Remembered


def test_the_list_is_remembered_until_cleared(many: Live) -> None:
    """REF-20: per person and company, on the next visit without parameters; a search from elsewhere ignores it."""
    owner, viewer = many.browser(OWNER), many.browser(VIEWER)
    see(owner, status="Lost,Won", sort="name", size="100")
    visit = see(many.browser(OWNER))
    assert names(visit) == ["lost", "won"]
    assert visit.one("form", id="filters").fields()["size"] == "100"
    assert names(see(owner, tab="outbound")) == ["lost", "won"]  # a link from home
    assert names(see(owner, q="contoso")) == ["asked", "late", "lost", "own", "won"]
    assert names(see(owner)) == ["lost", "won"]  # the search changed nothing
    assert len(names(see(viewer))) == 5
    see(owner, exact="1", sort="name", size="100")
    assert names(see(owner)) == ["asked", "late", "lost", "own", "won"]
    kept = ListView.objects.get()
    assert (kept.user, kept.company) == (many.cast.users[OWNER], many.cast.companies["contoso"])
    with writes() as written:
        see(owner, exact="1", sort="name", size="100")
    assert written == []


def test_what_was_remembered_once_may_mean_nothing_later(live: Live) -> None:
    """REF-20: a status or column that a new version no longer knows is left out."""
    live.deal(name="Ovens")
    ListView.objects.create(
        user=live.cast.users[OWNER],
        company=live.cast.companies["contoso"],
        name="deals",
        query={"status": "Paused", "sort": "colour", "size": 7, "value_from": None},
        columns=["colour", "crm"],
    )
    listed = see(live.browser(OWNER))
    assert names(listed) == ["Ovens"]
    assert heads(listed) == ["Deal", "CRM id"]


@contextmanager
def writes() -> Iterator[list[str]]:
    """The statements that write of what happens inside."""
    found: list[str] = []
    with CaptureQueriesContext(connection) as queries:
        yield found
    found += [q["sql"] for q in queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]


# Columns


def heads(listed: Element) -> list[str]:
    return [th.text for th in listed.one("thead").all("th")][1:]


def test_columns_are_chosen_and_remembered(live: Live) -> None:
    """REF-20, F6.1: up to nine, the deal's name always; the usual ones come back."""
    deal = live.deal(name="Ovens", crm_id="OPP-1", team=[build.member(), build.member("b@contoso.example")])
    owner = live.browser(OWNER)
    usual = ["Deal", "Customer", "Stage", "Value", "Close date", "Registration"]
    assert heads(see(owner)) == usual
    assert see(owner).all("form", action=reverse("choose_columns", args=["deals"])) == []  # only who opens the menu
    menu = see(owner, menu="view").one("form", action=reverse("choose_columns", args=["deals"]))
    assert menu.fields()["column"] == ["customer", "stage", "value", "close", "registration"]
    chosen = ["crm", "id", "created", "team", "location", "solutions", "sender", "country", "updated", "nonsense"]
    answer = owner.post(reverse("choose_columns", args=["deals"]), {**menu.fields(), "column": chosen})
    assert answer["Location"].startswith("/co-sell/?tab=outbound")
    listed = see(live.browser(OWNER))
    assert heads(listed) == ["Deal", "Country", "From", "Solutions", "Team", "Location", "CRM id", "Deal id", "Created"]
    row = listed.one("tbody").text
    for shown in ("Türkiye", "Contoso Factory Insights", "Umut Öztürk +1", "Istanbul", "OPP-1", str(deal.public_id)):
        assert shown in row
    assert heads(see(live.browser(VIEWER))) == usual
    owner.post(reverse("choose_columns", args=["deals"]), {"column": chosen, "reset": "1"})
    assert heads(see(owner)) == usual
    assert owner.post(reverse("choose_columns", args=["deals"]), {"next": "https://evil.example/"})["Location"] == "/"


def test_every_column_can_be_shown(live: Live) -> None:
    """REF-20: for every state of a deal, of both sides."""
    for state in ("received", "private", "lost", "expired", "sent_back"):
        STATES[state](live)
    for person in (OWNER, build.SELLER):
        browser, offered = live.browser(person), DEALS.columns_offered(live.cast.actor(person))[1:]
        for start in range(0, len(offered), 8):
            part = offered[start : start + 8]
            browser.post(reverse("choose_columns", args=["deals"]), {"column": [column.code for column in part]})
            for tab in ("inbound", "outbound" if person == OWNER else "partner_led"):
                listed = see(browser, tab=tab, exact="1")
                assert len(heads(listed)) == len(part) + 1
                assert {len(tr.all("td")) for tr in listed.one("tbody").all("tr")} == {len(part) + 2}


# Orders and pages


def _copy(row: Any, **changes: Any) -> Any:
    """Another row like this one, not yet saved: cheaper than the verbs where only the columns matter."""
    own = {"public_id", "creation_key", *changes}
    columns_ = [f for f in row._meta.concrete_fields if not (f.primary_key or f.generated or f.name in own)]
    return type(row)(**{f.attname: getattr(row, f.attname) for f in columns_}, **changes)


def _add(model: Referral, count: int, chance: random.Random, **changes: Any) -> list[Referral]:
    """Deals with many equal and missing keys, of every status."""
    letters = ["Çınar", "cam", "ığdır", "Iğdır", "İzmir", "zeytin", "Öz", "oz", "ısı", "Elma", "élan"]
    customers = list(type(model.engagement.customer).objects.order_by("pk"))
    engagements = [_copy(model.engagement, customer=chance.choice(customers)) for _n in range(count)]
    type(model.engagement).objects.bulk_create(engagements)
    made = []
    for engagement in engagements:
        substatus = chance.choice(Substatus.values)
        keys = {
            "name": f"{chance.choice(letters)} {chance.randint(1, 3)}",
            "value_usd": chance.choice([None, Decimal(5), Decimal("5.50"), Decimal(70_000)]),
            "close_date": date(2026, 11, chance.randint(1, 4)),
            "created_at": build.NOW - timedelta(hours=chance.randint(0, 9)),
            "stage": chance.choice(list(rules.STAGES)),
            "substatus": substatus,
            "closed_at": build.NOW if substatus in rules.TERMINAL else None,
            "expires_at": build.NOW,
        }
        made.append(_copy(model, engagement=engagement, **{**keys, **changes}))
    return Referral.objects.bulk_create(made)


@pytest.fixture
def model(cast: Cast) -> Referral:
    """One of fifty-five deals."""
    first = build.deal(cast, **PRIVATE)
    _add(first, 54, random.Random(7))  # noqa: S311
    return first


EXPECTED_KEYS = {
    "name": lambda r: fold(r.name),
    "customer": lambda r: fold(r.engagement.customer.name),
    "status": lambda r: list(rules.SUBSTATUSES).index(r.substatus),
    "stage": lambda r: r.stage if r.substatus in {"Accepted", "Won", "Lost"} else 0,
    "value": lambda r: r.value_usd or 0,
    "close": lambda r: r.close_date,
    "created": lambda r: r.created_at,
}


def walk(cast: Cast, sort: str, between: Any = None) -> Iterator[Referral]:
    """Every row of every page, from link to link; `between` happens after each page."""
    actor, view = cast.actor(OWNER), asked(cast, sort=sort, size=25)
    while True:
        page = rows.page(actor, view)
        yield from (row.referral for row in page.items)
        if page.next is None:
            return
        if between:
            between()
        view = ListQuery.at(DEALS, view.address(after=page.next), actor)


@pytest.mark.parametrize("direction", ["", "-"])
def test_every_order_is_paged_without_gap_or_repetition(cast: Cast, model: Referral, direction: str) -> None:
    """REF-20: equal keys; deals without a value, which count as nothing; Turkish letters stand by their plain ones."""
    every = {r.pk: r for r in Referral.objects.select_related("engagement__customer")}
    for sort, key in EXPECTED_KEYS.items():
        seen = [r.pk for r in walk(cast, direction + sort)]
        assert len(seen) == len(every) == 55, sort
        expected = sorted(every, key=lambda pk: (key(every[pk]), pk), reverse=bool(direction))
        assert seen == expected, sort


def test_pages_stay_in_step_while_deals_come_and_move(cast: Cast, model: Referral) -> None:
    """REF-20: what stays in its place is seen exactly once, in every order, whatever else happens between the pages."""
    chance = random.Random(11)  # noqa: S311
    for sort in SORTS:
        for direction in ("", "-"):
            moving = set(Referral.objects.values_list("pk", flat=True).order_by("?")[:10])
            staying = set(Referral.objects.values_list("pk", flat=True)) - moving

            def disturb() -> None:
                _add(model, 2, chance, name="AAA", created_at=build.NOW + timedelta(days=1))
                _add(
                    model, 2, chance, name="zzz", created_at=build.NOW - timedelta(days=9), close_date=date(2026, 12, 1)
                )
                Referral.objects.filter(pk__in=moving).update(  # noqa: B023
                    name=chance.choice(["AAA", "zzz"]), value_usd=chance.choice([None, 1, 9**9]), stage=60
                )

            seen = [r.pk for r in walk(cast, direction + sort, disturb)]
            assert sorted(pk for pk in seen if pk in staying) == sorted(staying), (sort, direction)


def test_rows_added_to_the_list_are_those_of_the_next_page(cast: Cast, model: Referral) -> None:
    """REF-20: *Load more* as htmx asks for it, and as a link without JavaScript; the page size is chosen."""
    owner = Client()
    owner.force_login(cast.users[OWNER])
    first = see(owner, size="25", sort="close")
    assert len(names(first)) == 25
    link = first.one("tr", class_="o-morerow").one("a").attrs
    assert link["href"] == link["hx-get"]
    more = owner.get(reverse("deals") + link["hx-get"], headers={"HX-Request": "true"})
    assert more["Vary"].count("HX-Request") == 1
    added, alone = parse(more), see(owner, link["href"])
    assert added.all("html") == added.all("form") == []
    assert [a.attrs["href"] for a in added.all("a", class_="o-rowlink")] == [
        a.attrs["href"] for a in alone.all("a", class_="o-rowlink")
    ]
    assert "Back to the beginning of the list" in alone.one("div", id="found").text
    last = see(owner, added.one("tr", class_="o-morerow").one("a").attrs["href"])
    assert len(names(last)) == 5
    assert last.all("tr", class_="o-morerow") == []
    assert len(names(see(owner, size="100"))) == 55
    assert len(names(see(owner, exact="1"))) == 50


def test_heads_say_and_turn_the_order(cast: Cast, model: Referral) -> None:
    """REF-20: a click on a column orders by it, another the other way round; what grows begins with the largest."""
    owner = Client()
    owner.force_login(cast.users[OWNER])
    listed = see(owner)
    heads_ = {th.text: th for th in listed.one("thead").all("th")}
    assert "aria-sort" not in heads_["Deal"].attrs
    assert heads_["Registration"].all("a") == []
    by_value = see(owner, heads_["Value"].one("a").attrs["href"])
    head = next(th for th in by_value.one("thead").all("th") if th.text == "Value")
    assert head.attrs["aria-sort"] == "descending"
    turned = see(owner, head.one("a").attrs["href"])
    assert next(th for th in turned.one("thead").all("th") if th.text == "Value").attrs["aria-sort"] == "ascending"
    orders = see(owner, exact="1", menu="view").one("nav", aria_labelledby="view-order")
    assert orders.one("a", aria_current="true").text == "Created"


@pytest.mark.parametrize("page", [1, 1000])
def test_the_newest_first_come_from_their_index(cast: Cast, page: int) -> None:
    """REF-20: without sorting, and a late page as the first: the row comparison is the index's condition."""
    build.deal(cast, **PRIVATE)
    view = asked(cast)
    found_ = rows.in_order(cast.actor(OWNER), view)
    if page > 1:
        found_ = view.order.beyond(found_, cursor.Cursor(build.NOW, 1))
    with connection.cursor() as database:
        # Few rows are quicker read and sorted; what is asked is whether the index could serve many. For so few
        # the index of all companies' deals costs the same, and statistics would choose; so only one may answer.
        database.execute("DROP INDEX referrals_newest")
        database.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"
        )
        plan = found_.with_context()[:51].explain(costs=False)
    assert "referrals_company_newest" in plan
    assert "Sort" not in plan
    assert ("ROW(created_at, id) < ROW(" in plan) == (page > 1)


def test_the_number_of_queries_depends_on_nothing_shown(cast: Cast, model: Referral) -> None:
    """REF-20: not on rows, columns, tabs or filters."""
    owner = Client()
    owner.force_login(cast.users[OWNER])
    see(owner)
    counts = []
    for query in (
        {"exact": "1"},
        {"size": "100", "sort": "customer"},
        {"status": "Won", "country": "TR", "type": "private"},
    ):
        see(owner, **query)
        with CaptureQueriesContext(connection) as queries:
            see(owner, **query)
        counts.append(len(queries))
    owner.post(
        reverse("choose_columns", args=["deals"]), {"column": ["solutions", "team", "vendor", "sender", "location"]}
    )
    see(owner, exact="1", size="25")
    with CaptureQueriesContext(connection) as queries:
        see(owner, exact="1", size="25")
    counts.append(len(queries))
    assert len(set(counts)) == 1, counts
    assert counts[0] <= 24


def test_counting_stops_where_nobody_reads_on(cast: Cast, model: Referral, monkeypatch: pytest.MonkeyPatch) -> None:
    """REF-19: the counts of long lists end in a plus; counting a million would take longer than showing them."""
    monkeypatch.setattr("portal.ui.listing.lists.MAX_COUNTED", 54)
    owner = Client()
    owner.force_login(cast.users[OWNER])
    listed = see(owner)
    assert tabs(listed)[1] == "Outbound 54+"
    assert listed.one("p", id="count").text == "more than 54 deals"


# The deal page within its list


def test_the_deal_page_leads_along_the_list(many: Live) -> None:
    """REF-20: previous and next in the list's own order and filters; also of a deal that left the list meanwhile."""
    owner = many.browser(OWNER)
    listed = see(owner, status="Accepted,Won", sort="name")
    assert names(listed) == ["asked", "late", "own", "won"]
    links = {a.text: a.attrs["href"] for a in listed.all("a", class_="o-rowlink")}
    come_from = "http://testserver" + reverse("deals") + "?status=Accepted,Won&sort=name&exact=1"

    def beside(url: str) -> tuple[list[str], Element]:
        page = parse(owner.get(url, headers={"Referer": come_from}))
        nav = page.one("nav", class_="o-beside")
        return [a.attrs["title"] for a in nav.all("a")], page

    assert beside(links["asked"])[0] == ["late"]
    around, page = beside(links["late"])
    assert around == ["asked", "own"]
    assert beside(links["won"])[0] == ["own"]
    onwards = page.one("nav", class_="o-beside").one("a", rel="next").attrs["href"]
    assert beside(onwards)[0] == ["late", "won"]
    back = page.one("nav", class_="o-crumbs").all("a")[-1].attrs["href"]
    assert names(see(owner, "?" + back.partition("?")[2])) == names(listed)
    lost = many.cast.actor(OWNER)
    do.lose(Referral.objects.get(name="own"), actor=lost, now=many.now, reason_code="budget")
    assert beside(links["own"])[0] == ["late", "won"]
    plain = parse(owner.get(links["late"].partition("?")[0]))
    assert plain.all("nav", class_="o-beside") == []
    query = parse_qs(onwards.partition("?")[2])["list"][0]
    assert QueryDict(query)["status"] == "Accepted,Won"
    elsewhere = owner.get(links["late"], headers={"Referer": come_from.replace("testserver", "evil.example")})
    assert parse(elsewhere).all("nav", class_="o-beside") == []
    remembered = owner.get(links["late"], headers={"Referer": "http://testserver" + reverse("deals")})
    assert parse(remembered).one("nav", class_="o-beside").all("a")


def test_neighbours_take_two_queries_besides_the_star(cast: Cast, model: Referral) -> None:
    """REF-20: and see no deal that the person may not see."""
    actor = cast.actor(OWNER)
    berlin = Referral.objects.exclude(pk=model.pk).order_by("-created_at", "-pk")[3]
    Referral.objects.filter(pk=berlin.pk).update(location=cast.locations[BERLIN])
    for view, expected in ((None, 1), (asked(cast), 3), (asked(cast, sort="customer", status="Won"), 3)):
        with CaptureQueriesContext(connection) as queries:
            neighbours(model, actor, view)
        assert len(queries) == expected
    Referral.objects.exclude(pk__in=[model.pk, berlin.pk]).update(location=cast.locations[BERLIN])
    Referral.objects.filter(pk=model.pk).update(location=cast.locations[ANKARA])
    ankara = cast.actor("ankara@contoso.example")
    alone = neighbours(model, ankara, asked(cast, by="ankara@contoso.example"))
    assert (alone.previous, alone.next) == (None, None)


def test_an_address_says_back_what_it_was_asked(cast: Cast) -> None:
    """REF-20: every view has one address, and it leads to the same view."""
    view = asked(cast, tab="favorites", q="Fırın & 7", status="Won,Lost", value_from="1.5", sort="-value", size="100")
    again = ListQuery.of(DEALS, values(QueryDict(view.address()[1:])), cast.actor(OWNER))
    assert (again.tab, again.query, dict(again.state), str(again.order), again.size) == (
        "favorites", "Fırın & 7", {"status": "Won,Lost", "value_from": "1.5"}, "-value", 100
    )  # fmt: skip
    assert again.address() == view.address()
    for sort in SORTS.values():
        assert cursor.parse("AAAA", sort) is cursor.parse("", sort) is cursor.parse("W10", sort) is None


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("value", "1E-20000"),
        ("value", "0E-99999"),
        ("created", "2026-01-01T00:00:00+23:59"),
        ("created", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_a_key_that_no_column_can_hold_fails_nothing(live: Live, sort: str, key: str) -> None:
    """REF-20: whatever the address names as the place to go on from."""
    after = str(cursor.Cursor(key, 1))
    assert live.browser(OWNER).get(reverse("deals"), {"sort": f"-{sort}", "after": after}).status_code == 200
