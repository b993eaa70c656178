"""The list of exceptions on the kit of lists (REF-20, EXC-10): orders, what is remembered, files, search."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import factory
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation
from openpyxl import load_workbook

from exceptions_council.models import ExceptionRequest
from exceptions_council.rules import states
from exceptions_council.web.listing import EXCEPTIONS
from portal.customers.rules import fold
from portal.demo.cast import ANKARA, Cast
from portal.notify.models import Notice
from portal.pages.models import Export
from portal.pages.services import exports as services
from portal.ui.listing import rows
from portal.ui.listing.query import ListQuery
from portal.ui.models import ListView
from referrals.models import Referral
from tests import build, exceptions
from tests.build import DAY, NOW
from tests.edge import STRANGER, Element, Live, parse
from tests.test_listing import HOSTILE

OWNER, COUNCIL, SELLER = build.CONTOSO, exceptions.COUNCIL[0], build.SELLER


def asked(cast: Cast, name: str = "Ovens", **changes: Any) -> ExceptionRequest:
    deal = exceptions.ineligible(cast, name=name, **changes.pop("deal", {}))
    return exceptions.asked(cast, deal, **changes)


def see(client: Client, **query: Any) -> Element:
    response = client.get(reverse("exceptions"), query)
    assert response.status_code == 200
    return parse(response)


def names(listed: Element) -> list[str]:
    return [a.text for a in listed.all("a", class_="o-rowlink")]


def heads(listed: Element) -> list[str]:
    return [th.text for th in listed.one("thead").all("th")][1:]


def query(cast: Cast, by: str = OWNER, **params: Any) -> ListQuery:
    return ListQuery.of(EXCEPTIONS, {name: [str(value)] for name, value in params.items()}, cast.actor(by))


KEYS: dict[str, Any] = {
    "name": lambda r: fold(r.referral.name),
    "customer": lambda r: r.referral.engagement.customer.search_text,
    "company": lambda r: fold(r.referral.company.name),
    "kind": lambda r: list(states.KINDS).index(r.kind),
    "status": lambda r: list(states.STATES).index(r.status),
    "created": lambda r: r.created_at,
    "due": lambda r: r.due_on,
}


def many(cast: Cast, count: int) -> None:
    """More requests like one, each of a deal of its own."""
    one = ExceptionRequest.objects.select_related("referral__engagement").earliest("pk")
    groups = [engagement.pk for engagement in build.alike(one.referral.engagement, count)]
    deals = build.alike(one.referral, count, engagement_id=factory.Iterator(groups))
    build.alike(
        one,
        count,
        referral_id=factory.Iterator([deal.pk for deal in deals]),
        created_at=factory.Sequence(lambda n: NOW - timedelta(hours=n // 2)),
        due_on=factory.Sequence(lambda n: NOW.date() + timedelta(days=n % 5)),
    )


def walk(cast: Cast, sort: str, between: Any = None) -> list[int]:
    """The rows of all pages, from link to link; `between` happens after each page."""
    actor, shown, seen = cast.actor(OWNER), query(cast, sort=sort, size=25), []
    while True:
        page = rows.page(actor, shown)
        seen += [request.pk for request in page.items]
        if page.next is None:
            return seen
        if between:
            between()
        shown = ListQuery.at(EXCEPTIONS, shown.address(after=page.next), actor)


@pytest.mark.parametrize("direction", ["", "-"])
def test_ref_20_every_column_that_sorts_is_paged_without_gap_or_repetition(cast: Cast, direction: str) -> None:
    asked(cast)
    exceptions.denied(cast, asked(cast, "Çini", now=NOW - DAY))
    many(cast, 60)
    assert set(KEYS) == set(EXCEPTIONS.sorts)
    every = {r.pk: r for r in EXCEPTIONS.with_context(ExceptionRequest.objects.all())}
    for sort, key in KEYS.items():
        expected = sorted(every, key=lambda pk: (key(every[pk]), pk), reverse=bool(direction))
        assert walk(cast, direction + sort) == expected, sort


def test_ref_20_pages_stay_in_step_while_requests_come_and_are_decided(cast: Cast) -> None:
    asked(cast)
    many(cast, 60)
    staying = set(ExceptionRequest.objects.values_list("pk", flat=True))

    def disturb() -> None:
        late = asked(cast, "AAA", now=NOW)
        exceptions.denied(cast, late)

    for sort in ("created", "-due", "status"):
        seen = walk(cast, sort, disturb)
        assert len(seen) == len(set(seen))
        assert staying <= set(seen), sort


def test_ref_20_headings_sort_and_what_was_left_is_remembered(live: Live) -> None:
    for name in ("Ovens", "Kilns"):
        asked(live.cast, name)
    owner = live.browser(OWNER)
    assert names(see(owner)) == ["Kilns", "Ovens"]
    assert heads(see(owner)) == ["Deal", "Customer", "Kind", "State", "Requested", "Decision"]
    link = next(a for a in see(owner).one("thead").all("a") if a.text == "Deal")
    turned = parse(owner.get(reverse("exceptions") + link.attrs["href"]))
    assert names(turned) == ["Kilns", "Ovens"]
    assert [th.attrs.get("aria-sort") for th in turned.one("thead").all("th")][1] == "ascending"
    assert names(see(owner, sort="-name", kind="update", exact="1")) == []
    visit = see(live.browser(OWNER))
    assert names(visit) == []
    assert [a.text for a in visit.one("div", class_="o-active").all("a", class_="is-on")] == [
        "Remove: Kind: Update of a registration"
    ]
    assert names(see(owner, q="oven")) == ["Ovens"]  # what is looked for isn't hidden
    assert names(see(owner, exact="1")) == ["Kilns", "Ovens"]
    assert {view.name for view in ListView.objects.all()} == {"exceptions"}
    url = reverse("choose_columns", args=["exceptions"])
    owner.post(url, {"column": ["id", "open", "nonsense"]})
    assert heads(see(owner)) == ["Deal", "Open until", "Deal id"]
    owner.post(url, {"reset": "1"})
    assert len(heads(see(owner))) == 6
    assert owner.post(reverse("choose_columns", args=["nothing"])).status_code == 404


def test_ref_20_filters_find_what_they_say(live: Live) -> None:
    old = exceptions.denied(live.cast, asked(live.cast, "Ovens", now=NOW - 9 * DAY), now=NOW - 5 * DAY)
    asked(live.cast, "Kilns")
    owner = live.browser(OWNER)

    def found(**params: Any) -> list[str]:
        return names(see(owner, exact="1", **params))

    assert found(created_to=(NOW - DAY).date()) == found(due_to=old.due_on) == found(status="denied") == ["Ovens"]
    assert found(created_from=(NOW - DAY).date()) == found(status="submitted,evidence_requested") == ["Kilns"]
    assert found(country="TR") == ["Kilns", "Ovens"] or found(country="DE") == ["Kilns", "Ovens"]
    assert found(country="JP") == found(kind="rejected") == []
    assert found(company="fabrikam") == ["Kilns", "Ovens"]  # the vendor's people filter by it
    council = live.browser(COUNCIL)
    assert names(see(council, company="conto")) == ["Kilns", "Ovens"]
    assert names(see(council, company="fabrikam")) == []
    assert heads(see(council, exact="1"))[2] == "Company"


def test_ref_20_bad_values_are_left_out_everywhere(live: Live) -> None:
    asked(live.cast)
    owner, council = live.browser(OWNER), live.browser(COUNCIL)
    typed = [name for item in EXCEPTIONS.filters for name in item.names if item.kind != "text"]
    for name in [*typed, "tab", "sort", "size", "after", "exact"]:
        assert names(see(owner, **{name: HOSTILE})) == ["Ovens"], name
    for value in HOSTILE[1:]:
        assert names(see(council, company=value)) == [], value
        assert see(owner, q=value) is not None


def test_exc_10_others_requests_are_in_no_list_file_or_search(live: Live) -> None:
    """ORG-2, ORG-6: another company's people, a location's, and sellers."""
    hidden = asked(live.cast)
    for person in (STRANGER, SELLER, "ankara@contoso.example", "referrals@northwind.example"):
        browser = live.browser(person)
        assert names(see(browser)) == [], person
        searched = parse(browser.get(reverse("search"), {"q": "ovens"}))
        assert [hit for card in searched.all("section", id="exceptions-found") for hit in card.all("a")] == [], person
        assert browser.get(reverse("exception", args=[hidden.public_id])).status_code == 404
        chosen = {"format": "csv", "row": str(hidden.public_id)}
        browser.post(reverse("export_list", args=["exceptions"]), chosen)
        assert not Export.objects.exists(), person  # nothing of what was asked for is there
    for person in (OWNER, COUNCIL, build.REVIEWER):
        assert names(see(live.browser(person))) == ["Ovens"]
    deal = hidden.referral
    Referral.objects.filter(pk=deal.pk).update(location=live.cast.locations[ANKARA])
    assert names(see(live.browser("ankara@contoso.example"))) == ["Ovens"]


def test_ref_20_the_search_finds_exceptions_by_their_deal(live: Live) -> None:
    request = asked(live.cast, "Fırın kameraları")
    for person, about in ((OWNER, "Nobody's account · Pre-registration"), (COUNCIL, "Contoso Yazılım")):
        card = parse(live.browser(person).get(reverse("search"), {"q": "firin kam"})).one(
            "section", id="exceptions-found"
        )
        hit = card.one("a", class_="o-hit")
        assert hit.attrs["href"] == reverse("exception", args=[request.public_id])
        assert about in hit.text
        assert "Submitted" in hit.text


# Files


def made(cast: Cast, address: str = "", *, kind: str = "csv", by: str = OWNER) -> Export:
    export = services.request_export(address, listing="exceptions", kind=kind, actor=cast.actor(by), now=NOW)
    assert services.make_export(export.pk, now=NOW)
    return Export.objects.with_state().get(pk=export.pk)


def lines(export: Export) -> list[dict[str, str]]:
    if export.finished_at is None:
        services.make_export(export.pk, now=NOW)
    content = bytes(Export.objects.get(pk=export.pk).content or b"").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content, newline="")))


def test_ref_20_the_file_holds_what_the_list_shows_in_its_order(live: Live) -> None:
    cast = live.cast
    first = asked(cast, "Ovens", now=NOW - DAY)
    exceptions.denied(cast, asked(cast, "=1+1"))
    found = lines(made(cast, "tab=all&sort=name"))
    assert [line["Deal name"] for line in found] == ["'=1+1", "Ovens"]
    assert found[1] == {
        "Deal id": str(first.referral.public_id),
        "Deal name": "Ovens",
        "Customer": "Nobody's account",
        "Country": first.referral.engagement.customer.country,
        "Company": "Contoso Yazılım",
        "Kind": "Pre-registration",
        "Status": "Submitted",
        "Requested (UTC)": "2026-11-17 12:00",
        "Due": first.due_on.isoformat(),
        "Decided (UTC)": "",
        "Open until": "",
    }
    assert [line["Deal name"] for line in lines(made(cast, "tab=open"))] == ["Ovens"]
    assert lines(made(cast, "kind=update")) == []
    content = Export.objects.get(pk=made(cast, "sort=name", kind="xlsx").pk).content
    sheet = load_workbook(io.BytesIO(bytes(content or b""))).active
    values = list(sheet.iter_rows(values_only=True))
    assert (sheet.title, values[1][0], values[2][7].date()) == ("Exceptions", "=1+1", first.due_on)
    assert sheet.cell(2, 1).data_type == "s"
    notice = Notice.objects.filter(user=cast.users[OWNER], event__verb=services.FINISHED).latest("pk")
    assert ("exceptions is ready" in notice.body, notice.params["count"]) == (True, 2)


def test_ref_20_the_form_asks_the_worker_and_the_page_leads_back(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _second = asked(live.cast, "Ovens"), asked(live.cast, "Kilns")
    monkeypatch.setattr("portal.pages.services.exports.send_soon", lambda name, **kwargs: None)
    owner = live.browser(OWNER)
    form = see(owner, tab="open", exact="1").one("form", id="picked")
    sent = {**form.fields(), "format": "csv", "row": [str(first.public_id)]}
    answer = owner.post(form.attrs["action"], sent)
    export = Export.objects.get()
    assert answer["Location"] == reverse("export", args=[export.public_id])
    assert [line["Deal name"] for line in lines(export)] == ["Ovens"]
    page = parse(owner.get(answer["Location"]))
    assert "The file has 1 exception." in page.text
    assert page.one("ol").all("a")[1].attrs["href"].startswith(reverse("exceptions") + "?tab=open")
    file = owner.get(reverse("download_export", args=[export.public_id]))
    assert 'filename="exceptions-' in file["Content-Disposition"]
    assert owner.post(form.attrs["action"], {"format": "exe"}).status_code == 404
    assert owner.post(form.attrs["action"], {"edit": "deals.csv"}).status_code == 404
    assert owner.post(reverse("export_list", args=["nothing"]), {"format": "csv"}).status_code == 404


def test_ref_20_the_list_asks_as_often_for_many_rows_as_for_few(live: Live) -> None:
    asked(live.cast)
    budgets = {OWNER: 14, COUNCIL: 14}
    address = reverse("exceptions") + "?exact=1&size=100"

    def count(person: str) -> int:
        browser = live.browser(person)
        browser.get(address)
        with CaptureQueriesContext(connection) as queries:
            browser.get(address)
        return len(queries)

    many(live.cast, 9)
    few = {person: count(person) for person in budgets}
    many(live.cast, 990)
    assert {person: count(person) for person in budgets} == few
    assert {person: n for person, n in few.items() if n > budgets[person]} == {}


def test_ref_20_counts_end_in_a_plus_and_speak_turkish(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Ovens", "Kilns"):
        asked(live.cast, name)
    monkeypatch.setattr("portal.ui.listing.lists.MAX_COUNTED", 1)
    listed = see(live.browser(OWNER))
    assert listed.one("nav", id="tabs").all("a")[0].text == "All 1+"
    assert listed.one("p", id="count").text == "more than 1 exception"
    with translation.override("tr"):
        assert EXCEPTIONS.counted(5) == "5 özel durum"
