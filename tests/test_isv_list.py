"""The list of ISV Connect deals (ISV-5, ISV-7): its three filters, orders, search, files, and who sees what."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import Any

import factory
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from isvconnect.models import IsvDeal
from isvconnect.rules import states
from isvconnect.web.listing import ISV_DEALS, TO_REPORT
from portal.accounts.rules import Actor
from portal.customers.rules import fold
from portal.demo.cast import ANKARA, Cast
from portal.pages.models import Export
from portal.pages.services import exports as services
from portal.ui.listing import rows
from portal.ui.listing.lists import Listing
from portal.ui.listing.query import ListQuery
from referrals.models import Referral
from tests import build, isv
from tests.build import DAY, NOW
from tests.edge import STRANGER, Element, Live, parse
from tests.test_listing import HOSTILE

OWNER, VIEWER, ADMIN = build.CONTOSO, "viewer@contoso.example", "admin@contoso.example"
URL = "/isvconnect/deals/"


def see(client: Client, **query: Any) -> Element:
    response = client.get(reverse("isv_deals"), query)
    assert response.status_code == 200
    return parse(response)


def names(listed: Element) -> list[str]:
    return [a.text for a in listed.all("a", class_="o-rowlink")]


def leads(listed: Element) -> list[str]:
    return [a.attrs["href"] for a in listed.all("a", class_="o-rowlink")]


def tabs(listed: Element) -> list[str]:
    return [a.text for a in listed.one("nav", id="tabs").all("a")]


def own(deal: IsvDeal) -> str:
    return reverse("isv_deal", args=[deal.public_id])


# The three filters


def test_isv_5_won_deals_to_report_those_in_progress_and_closed_ones_each_in_its_tab(live: Live) -> None:
    cast = live.cast
    isv.rates(cast)
    waiting, reported = isv.won(cast, name="Ovens"), isv.won(cast, name="Kilns")
    deals = {
        "submitted": isv.deal(cast, referral=reported),
        "invoiced": isv.invoiced(cast),
        "completed": isv.completed(cast),
        "cancelled": isv.cancelled(cast),
    }
    owner = live.browser(OWNER)
    first = see(owner)
    assert tabs(first) == ["Action required 1", "Submitted 2", "Closed 2"]
    assert set(leads(first)) == {own(deals["submitted"]), own(deals["invoiced"])}
    assert set(leads(see(owner, tab="closed"))) == {own(deals["completed"]), own(deals["cancelled"])}
    assert leads(see(owner, tab="closed", status="cancelled")) == [own(deals["cancelled"])]
    required = see(owner, tab="action_required", exact="1")
    assert names(required) == ["Ovens"]
    assert tabs(required)[0] == "Action required 1"
    button = required.one("tbody").one("a", class_="btn")
    assert button.attrs["href"] == reverse("report_isv_deal_of", args=[waiting.public_id])
    isv.cancelled(cast, of=IsvDeal.objects.get(pk=deals["submitted"].pk))
    assert sorted(names(see(owner, tab="action_required", exact="1"))) == ["Kilns", "Ovens"]


def test_isv_5_the_tabs_count_what_search_and_shared_filters_leave(live: Live) -> None:
    cast = live.cast
    isv.won(cast, name="Fırın")
    deal = isv.deal(cast)
    owner = live.browser(OWNER)
    assert tabs(see(owner, q="firin")) == ["Action required 1", "Submitted 0", "Closed 0"]
    link = see(owner, q="firin").one("nav", id="tabs").all("a")[0].attrs["href"]
    assert names(parse(owner.get(reverse("isv_deals") + link))) == ["Fırın"]
    assert tabs(see(owner, country="JP", exact="1")) == ["Action required 0", "Submitted 0", "Closed 0"]
    assert tabs(see(owner, country=deal.customer.country, exact="1"))[1] == "Submitted 1"


def test_the_rail_leads_to_the_list_behind_co_sell_opportunities(live: Live) -> None:
    rail = parse(live.browser(OWNER).get(reverse("isv_deals"))).one("nav", id="rail")
    shown = [a.text for a in rail.all("a")]
    assert shown[:4] == ["Home", "Co-sell opportunities", "ISV Connect deals", "Exceptions"]
    assert rail.one("a", href=URL).attrs["aria-current"] == "page"


# Orders


def many(count: int) -> None:
    one = IsvDeal.objects.earliest("pk")
    build.alike(
        one,
        count,
        referral_id=None,
        created_at=factory.Sequence(lambda n: NOW - timedelta(hours=n // 2)),
        solution_value_usd=factory.Sequence(lambda n: 6_000 + n % 7),
        end=factory.Sequence(lambda n: one.end + timedelta(days=n % 5)),
    )


KEYS: dict[str, Any] = {
    "customer": lambda d: d.customer.search_text,
    "company": lambda d: fold(d.company.name),
    "solution": lambda d: fold(d.solution.name),
    "status": lambda d: list(states.STATES).index(d.status),
    "value": lambda d: d.solution_value_usd,
    "signed": lambda d: d.signed,
    "start": lambda d: d.start,
    "end": lambda d: d.end,
    "due": lambda d: d.next_due_on or date.max,
    "created": lambda d: d.created_at,
}


def walk(listing: Listing, actor: Actor, between: Any = None, **params: str) -> list[int]:
    shown = ListQuery.of(listing, {name: [value] for name, value in {"size": "25", **params}.items()}, actor)
    seen: list[int] = []
    while True:
        page = rows.page(actor, shown)
        seen += [getattr(row, "referral", row).pk if listing is TO_REPORT else row.pk for row in page.items]
        if page.next is None:
            return seen
        if between:
            between()
        shown = ListQuery.at(listing, shown.address(after=page.next), actor)


@pytest.mark.parametrize("direction", ["", "-"])
def test_ref_20_every_column_that_sorts_is_paged_without_gap_or_repetition(cast: Cast, direction: str) -> None:
    isv.rates(cast)
    isv.deal(cast)
    isv.invoiced(cast)
    many(60)
    assert set(KEYS) == set(ISV_DEALS.sorts)
    every = {deal.pk: deal for deal in IsvDeal.objects.with_context()}
    for sort, key in KEYS.items():
        expected = sorted(every, key=lambda pk: (key(every[pk]), pk), reverse=bool(direction))
        assert walk(ISV_DEALS, cast.actor(OWNER), sort=direction + sort) == expected, sort


def test_ref_20_pages_stay_in_step_while_deals_come_and_are_cancelled(cast: Cast) -> None:
    isv.deal(cast)
    many(60)
    staying = set(IsvDeal.objects.values_list("pk", flat=True))

    def disturb() -> None:
        isv.deal(cast, now=NOW + DAY)
        isv.cancelled(cast)

    for sort in ("created", "-value", "customer"):
        seen = walk(ISV_DEALS, cast.actor(OWNER), disturb, sort=sort)
        assert len(seen) == len(set(seen))
        assert staying <= set(seen), sort


def test_ref_20_what_is_to_be_reported_is_paged_in_each_order(cast: Cast) -> None:
    wins = [isv.won(cast, name=name, at=NOW - n * DAY) for n, name in enumerate(("Ovens", "Çini", "Kilns"), 1)]
    actor = cast.actor(OWNER)
    by_name = [wins[1].pk, wins[2].pk, wins[0].pk]
    assert walk(TO_REPORT, actor, sort="name") == by_name
    assert walk(TO_REPORT, actor, sort="-name") == by_name[::-1]
    assert walk(TO_REPORT, actor) == [win.pk for win in wins[::-1]]  # who waits longest comes first
    for sort in TO_REPORT.sorts:
        assert set(walk(TO_REPORT, actor, sort=sort)) == {win.pk for win in wins}


# Filters and search


def test_ref_20_filters_and_search_find_what_they_say(live: Live) -> None:
    cast = live.cast
    old = NOW.date() - timedelta(days=10)
    premium = isv.deal(cast)
    standard = isv.deal(cast, solution=isv.tagged(cast, "standard").pk, now=NOW - 9 * DAY, signed=old, start=old)
    first, second = own(isv.again(premium)), own(isv.again(standard))
    owner = live.browser(OWNER)

    def found(**params: Any) -> list[str]:
        return leads(see(owner, exact="1", **params))

    assert found(tag="premium") == found(created_from=(NOW - DAY).date()) == [first]
    assert found(tag="standard") == found(created_to=(NOW - DAY).date()) == [second]
    assert found(solution=standard.solution.code) == found(solution=standard.solution.name[1:9].upper()) == [second]
    assert found(value_from="10000000") == found(signed_to="2001-01-01") == found(country="JP") == []
    assert found(q="anadolu") == found(value_from="1", value_to="10000000") == [first, second]
    assert found(q=f"anadolu {standard.solution.name.split()[-1]}") == [second]
    assert found(q=str(premium.public_id)) == [first]
    assert found(q="nobody") == found(q="anadolu nobody") == []
    referred = isv.deal(cast, referral=isv.won(cast, name="Fırın kameraları"))
    assert found(q="firin kam") == [own(referred)]


def test_ref_20_bad_values_are_left_out_everywhere(live: Live) -> None:
    isv.won(live.cast, name="Ovens")
    isv.deal(live.cast)
    owner, manager = live.browser(OWNER), live.browser(isv.MANAGER)
    for tab, listing, shown in (("submitted", ISV_DEALS, 1), ("action_required", TO_REPORT, 1)):
        known = [name for item in listing.filters for name in item.names if item.kind != "text"]
        for together in (known, ["sort"], ["size"], ["after"], ["exact"]):
            assert len(names(see(owner, tab=tab, **dict.fromkeys(together, HOSTILE)))) == shown, together
        for value in HOSTILE[1:]:
            see(owner, tab=tab, q=value)
            assert owner.get(reverse("isv_deals"), {"tab": value}).status_code == 200
    for value in HOSTILE[1:]:
        see(manager, solution=value)
        in_name = fold(value) in fold("Contoso Yazılım")
        assert bool(names(see(manager, company=value))) == in_name, value


# Who sees what


def test_isv_7_foreign_companies_rows_are_in_no_tab_and_no_file(live: Live) -> None:
    """ORG-2, ORG-6: nor what another location's people report; account admins hold no role for deals."""
    cast = live.cast
    hidden, waiting = isv.deal(cast), isv.won(cast)
    for person in (STRANGER, "referrals@northwind.example", "ankara@contoso.example"):
        browser = live.browser(person)
        assert [tab.split()[-1] for tab in tabs(see(browser))] == ["0", "0", "0"], person
        assert names(see(browser)) == names(see(browser, tab="action_required")) == []
        for code, row in (("isv_deals", hidden), ("isv_to_report", waiting)):
            browser.post(reverse("export_list", args=[code]), {"format": "csv", "row": str(row.public_id)})
            assert not Export.objects.exists(), person  # nothing of what was asked for is there
    IsvDeal.objects.filter(pk=hidden.pk).update(location=cast.locations[ANKARA])
    assert leads(see(live.browser("ankara@contoso.example"))) == [own(hidden)]


def test_isv_7_the_vendors_people_see_all_companies_and_have_nothing_to_report(live: Live) -> None:
    isv.won(live.cast)
    deal = isv.deal(live.cast)
    for person in (isv.MANAGER, build.SELLER):
        listed = see(live.browser(person))
        assert tabs(listed) == ["Submitted 1", "Closed 0"]
        assert leads(listed) == [own(deal)]
        assert [th.text for th in listed.one("thead").all("th")][2] == "Company"
        assert "Contoso Yazılım" in listed.one("tbody").text
        assert leads(see(live.browser(person), tab="action_required")) == [own(deal)]  # it knows no such tab
        assert listed.all("a", href=reverse("report_isv_deal")) == []
    assert names(see(live.browser(isv.MANAGER), company="fabrikam")) == []
    assert "Company" not in see(live.browser(OWNER), exact="1").one("thead").text


def test_isv_7_only_who_may_report_gets_the_buttons(live: Live) -> None:
    won = isv.won(live.cast)
    for person, may in ((OWNER, True), (VIEWER, False), (ADMIN, False)):
        listed = see(live.browser(person), tab="action_required", exact="1")
        assert bool(listed.all("a", href=reverse("report_isv_deal"))) == may, person
        register = reverse("report_isv_deal_of", args=[won.public_id])
        assert bool(listed.all("a", href=register)) == may, person


# Files


def lines(export: Export) -> list[dict[str, str]]:
    if export.finished_at is None:
        services.make_export(export.pk, now=NOW)
    content = bytes(Export.objects.get(pk=export.pk).content or b"").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content, newline="")))


def made(cast: Cast, address: str = "", *, listing: str = "isv_deals", kind: str = "csv", by: str = OWNER) -> Export:
    export = services.request_export(address, listing=listing, kind=kind, actor=cast.actor(by), now=NOW)
    assert services.make_export(export.pk, now=NOW)
    return Export.objects.get(pk=export.pk)


def test_ref_20_the_file_holds_the_deal_as_the_list_shows_it(cast: Cast) -> None:
    isv.rates(cast)
    deal = isv.again(isv.deal(cast, referral=isv.won(cast)))
    assert lines(made(cast)) == [
        {
            "Id": str(deal.public_id),
            "Deal id": str(deal.referral.public_id) if deal.referral else "",
            "Company": "Contoso Yazılım",
            "Location": "Istanbul (4301001)",
            "Customer": "Anadolu Cam Sanayi",
            "City": "Istanbul",
            "Country": "TR",
            "D-U-N-S": "510000011",
            "Solution": deal.solution.name,
            "Solution id": deal.solution.code,
            "Incentive": "Premium",
            "Status": "Submitted",
            "Total contract value": "15000.00",
            "Currency of the total contract value": "EUR",
            "Total contract value in USD": "16500.00",
            "Solution value": "12000.00",
            "Currency of the solution value": "EUR",
            "Solution value in USD": "13200.00",
            "Fee (%)": "20.000",
            "Contract signed": "2026-11-17",
            "Contract start": "2026-11-17",
            "Contract end": "2029-11-16",
            "Next invoice": deal.next_due_on.isoformat() if deal.next_due_on else "",
            "Where is the solution deployed?": "Azure",
            "Tenant type": deal.get_tenant_display(),
            "Reported (UTC)": "2026-11-18 12:00",
            "Cancelled (UTC)": "",
            "Reason": "",
        }
    ]
    assert lines(made(cast, "tab=closed")) == lines(made(cast, "tag=standard")) == []
    sheet = load_workbook(io.BytesIO(bytes(made(cast, kind="xlsx").content or b""))).active
    assert (sheet.title, sheet.cell(2, 28).value) == ("ISV Connect deals", str(deal.public_id))
    assert sheet.cell(2, 14).value == 12000


def test_ref_20_what_is_to_be_reported_has_a_file_too(live: Live) -> None:
    won = isv.won(live.cast, name="Ovens")
    owner = live.browser(OWNER)
    form = see(owner, tab="action_required").one("form", id="picked")
    assert form.attrs["action"] == reverse("export_list", args=["isv_to_report"])
    owner.post(form.attrs["action"], {**form.fields(), "format": "csv"})
    export = Export.objects.get()
    (line,) = lines(export)
    assert line == line | {"Deal id": str(won.public_id), "Deal name": "Ovens", "Value": "40000.00", "Currency": "EUR"}
    page = parse(owner.get(reverse("export", args=[export.public_id])))
    back = page.one("ol").all("a")[1].attrs["href"]
    assert names(parse(owner.get(back))) == ["Ovens"]
    assert Export.objects.get().file_name.startswith("isv-to-report-")


def test_ref_20_the_list_asks_as_often_for_many_rows_as_for_few(live: Live) -> None:
    isv.deal(live.cast)
    won = isv.won(live.cast)
    budgets = {(OWNER, "submitted"): 14, (isv.MANAGER, "submitted"): 12, (OWNER, "action_required"): 16}

    def asked(person: str, tab: str) -> int:
        browser, address = live.browser(person), reverse("isv_deals") + f"?exact=1&size=100&tab={tab}"
        browser.get(address)
        with CaptureQueriesContext(connection) as queries:
            browser.get(address)
        return len(queries)

    many(9)
    few = {place: asked(*place) for place in budgets}
    many(990)
    groups = [engagement.pk for engagement in build.alike(won.engagement, 90)]
    deals = [deal.pk for deal in build.alike(won, 90, engagement_id=factory.Iterator(groups))]
    for kind in (won.team, won.solutions):
        for row in kind.all():
            build.alike(row, 90, referral_id=factory.Iterator(deals))
    assert Referral.objects.filter(pk__in=deals, solutions__isnull=False).exists()
    assert {place: asked(*place) for place in budgets} == few
    assert {place: n for place, n in few.items() if n > budgets[place]} == {}
