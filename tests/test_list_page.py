"""The page of a list: its budget, the way back to where one was, and what is done with many rows at once (REF-20)."""

from __future__ import annotations

import random
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from portal.demo.cast import Cast
from portal.ui.models import ListView
from referrals.models import Referral
from tests import build
from tests.edge import Element, Live, parse
from tests.test_listing import OWNER, PRIVATE, _add, heads, names, see

BUDGET = 54 * 1024


@pytest.fixture
def live(cast: Cast) -> Live:
    return Live(cast)


def _page(client: Client, **query: Any) -> str:
    response = client.get(reverse("deals"), query)
    assert response.status_code == 200
    return response.content.decode()


def test_ref_20_fifty_rows_stay_in_their_budget_of_bytes(live: Live) -> None:
    """Each row says only what is its own; what many show is drawn once."""
    _add(live.deal(**PRIVATE), 59, random.Random(7), name="Kestirimci bakım")  # noqa: S311
    owner = live.browser(OWNER)
    page = _page(owner, exact="1", size="50", sort="name")
    assert page.count('name="row"') == 50
    assert len(page.encode()) <= BUDGET
    rows = page[page.index("<tbody>") : page.index("</tbody>")]
    assert rows.count("<path") == 0
    assert "data-label" not in rows


def test_ref_20_a_menu_asks_for_what_it_holds_and_a_search_for_the_list_alone(live: Live) -> None:
    """With what the form says by then; nothing of it is remembered, and no frame is drawn again."""
    live.deal(**PRIVATE)
    owner, by_script = live.browser(OWNER), {"HX-Request": "true"}

    def part(**query: str) -> Element:
        response = owner.get(reverse("deals"), {"exact": "1", "tab": "outbound", **query}, headers=by_script)
        assert response.status_code == 200
        assert b"<html" not in response.content
        return parse(response)

    status = part(menu="status", status="Won,Lost")
    assert status.fields() == {"status": ["Won", "Lost"]}
    assert not ListView.objects.exists()
    more = part(menu="more", crm="OPP-7")
    assert more.fields()["crm"] == "OPP-7"
    look = part(menu="view", status="Won").one("form", action=reverse("choose_columns", args=["deals"]))
    assert "status=Won" in look.fields()["list"]
    assert [button.attrs["value"] for button in part(menu="export").all("button", name="format")] == ["csv", "xlsx"]
    searched = part(q="firin", menu="filters")
    assert [searched.one(id=code) for code in ("tabs", "found", "count", "views", "look", "picked-list", "picked-all")]
    assert searched.all(id="rail") == []


def test_ref_20_the_usual_columns_are_full_and_say_who_sent_a_deal(live: Live) -> None:
    """The sender where deals were sent; a registration, or what a win would come to, in every row."""
    live.received(name="Sent")
    live.deal(name="Own", **PRIVATE)
    owner = live.browser(OWNER)
    assert heads(see(owner)) == ["Deal", "Customer", "Stage", "Value", "Close date", "Registration"]
    inbound = see(owner, tab="inbound")
    assert heads(inbound) == ["Deal", "Customer", "From", "Stage", "Value", "Close date", "Registration"]
    for listed in (see(owner), inbound):
        assert all(cell.text for row in listed.one("tbody").all("tr") for cell in row.all("td")[1:])
    assert re.search(r"Answer · \d+ days", inbound.one("tbody").text)


def test_ref_11_the_vendor_sees_how_far_the_partner_is_and_how_it_ended(live: Live) -> None:
    """What the partner sells stands in the vendor's list; of a deal that they don't share, nothing does."""
    seller = live.browser(build.SELLER)
    sold = {
        copy.name: copy
        for copy in (build.vendor_copy(live.won(name="Sold")), build.vendor_copy(live.deal(name="Open")))
    }
    shown = {row.one("a").text: row.text for row in see(seller, tab="inbound").one("tbody").all("tr")}
    assert set(shown) == set(sold)
    assert "Won" in shown["Sold"]
    assert "Won" not in shown["Open"]
    assert "Partner's stage" in heads(see(seller, tab="inbound"))


def test_ref_20_back_shows_as_many_rows_as_were_loaded(live: Live) -> None:
    """The address says how many stand there; one query brings them again, and *Load more* goes on below."""
    _add(live.deal(**PRIVATE), 69, random.Random(7))  # noqa: S311
    owner = live.browser(OWNER)
    first = see(owner, size="25", exact="1", sort="name")
    link = first.one("tr", class_="o-morerow").one("a").attrs["hx-get"]
    more = owner.get(reverse("deals") + link, headers={"HX-Request": "true"})
    address = more["HX-Replace-Url"]
    again = see(owner, address)
    assert names(again) == names(first) + names_of(more)
    assert len(names(again)) == 50
    third = again.one("tr", class_="o-morerow").one("a").attrs["hx-get"]
    last = owner.get(reverse("deals") + third, headers={"HX-Request": "true"})
    every = see(owner, last["HX-Replace-Url"])
    assert len(names(every)) == 70
    assert every.all("tr", class_="o-morerow") == []
    counts = []
    for asked in ("?size=25&exact=1", address):
        with CaptureQueriesContext(connection) as queries:
            see(owner, asked)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert len(names(see(owner, shown="9" * 30, size="25", exact="1"))) == 25
    assert len(names(see(owner, shown="5000", size="25", exact="1"))) == 70


def names_of(response: Any) -> list[str]:
    return [a.text for a in parse(response).all("a", class_="o-rowlink")]


def test_ref_20_a_long_address_leads_back_to_where_one_was(live: Live) -> None:
    """Of letters that an address spells with six characters each, a search and some filters are more than 2,048."""
    owner, long = live.browser(OWNER), "ş" * 200
    here = reverse("deals") + "?" + urlencode({"q": long, "solution": long[:100], "crm": long[:100], "exact": "1"})
    assert len(here) > 2_048
    assert owner.post(reverse("set_theme"), {"theme": "dark", "next": here})["Location"] == here
    hosts = ("https://evil.example/", "//evil.example", "\\\\evil.example?")
    for elsewhere in (*(host + here for host in hosts), "/" + "a" * 20_000):
        assert owner.post(reverse("set_theme"), {"theme": "dark", "next": elsewhere})["Location"] == "/"


def test_ref_20_rows_are_compact_for_who_wants_that(live: Live) -> None:
    live.deal(**PRIVATE)
    owner = live.browser(OWNER)
    compact = see(owner, menu="view").one("nav", aria_labelledby="view-rows").all("a")[1]
    assert "is-compact" in see(owner, compact.attrs["href"]).one("table").attrs["class"]
    assert "is-compact" in see(owner).one("table").attrs["class"]  # remembered


@pytest.mark.parametrize("sort", ["status", "stage", "name", "close"])
def test_ref_20_every_order_of_many_deals_has_its_index(cast: Cast, sort: str) -> None:
    from portal.ui.listing import rows
    from tests.test_listing import asked

    build.deal(cast, **PRIVATE)
    found = rows.in_order(cast.actor(OWNER), asked(cast, sort=sort))
    with connection.cursor() as database:
        database.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"
        )
        plan = found[:51].explain(costs=False)
    assert "Sort" not in plan, plan
    assert Referral._meta.db_table in plan


@pytest.mark.parametrize(
    ("typed", "read"),
    [("40k", "40000"), ("1,2 m", "1200000"), ("40.000", "40000"), ("1200.5", "1200.5"), ("soon", ""), ("-5", "")],
)
def test_ref_20_values_are_typed_as_in_every_form(cast: Cast, typed: str, read: str) -> None:
    """And stand in the address as a plain number, which is the same in every language."""
    from tests.test_listing import asked

    assert asked(cast, value_from=typed).state.get("value_from", "") == read
