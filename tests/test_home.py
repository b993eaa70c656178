"""Home: every figure leads to what it counts, and what happened since the last visit is told once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.accounts import visits
from portal.accounts.models import Membership
from portal.catalog.models import Solution
from portal.demo.cast import ANKARA
from portal.ui import deadlines
from portal.ui.deadlines import DeadlineQuery
from referrals import rules
from referrals.models import Referral
from referrals.services import drafts
from tests import build, do
from tests.edge import STRANGER, Element, Live, parse
from tests.factories import PersonFactory, add_member

ONE_PLACE, VIEWER, ADMIN = "ankara@contoso.example", "viewer@contoso.example", "admin@contoso.example"
NORTHWIND = "referrals@northwind.example"
MINUTE = timedelta(minutes=1)


def home(client: Client) -> Element:
    return parse(client.get(reverse("home")))


@dataclass(frozen=True)
class Figure:
    """What a link says that its rows come to."""

    value: Decimal
    total: str
    url: str


def figures(page: Element) -> list[Figure]:
    """Every figure of the page, and where it leads."""
    links = [link.attrs for link in page.all("a") if "data-figure" in link.attrs]
    return [Figure(Decimal(link["data-figure"]), link.get("data-total", ""), link["href"]) for link in links]


def totals(page: Element) -> dict[str, Decimal]:
    """What a list comes to: the number of its rows, and what else it says, by name."""
    said = {data.attrs["data-total"]: Decimal(data.attrs["value"]) for data in page.all("data")}
    return {**said, "": Decimal(_number(page))}


def _number(page: Element) -> str:
    if page.all("table", id="result_list"):  # the administration's
        return str(len(page.one("table", id="result_list").one("tbody").all("tr")))
    if page.all("nav", id="tabs"):
        return page.one("nav", id="tabs").one("a", aria_current="page").one("span", class_="o-count").text
    if page.all("section", id="changes"):
        return page.one("nav", class_="o-toolbar").one("a", class_="is-on").one("span", class_="o-count").text
    if page.all("section", id="drafts"):
        return str(len(page.one("section", id="drafts").all("li")))
    return page.one("span", id="count").text.split()[0]


@pytest.fixture
def world(live: Live) -> Live:
    """More than a page shows of everything, in two places."""
    owner, there = live.cast.actor(build.CONTOSO), live.cast.locations[ANKARA]
    for number, stage in enumerate((10, 20, 20, 40, 80)):
        place = {"location": there} if number % 2 else {}
        deal = live.accepted(days=5, close_date=live.day(5 + number), name=f"Plant {number}", **place)
        if stage > rules.FIRST_STAGE:
            do.set_stage(deal, stage=stage, actor=owner, now=live.now)
    build.multiply(deal, 11)
    first = live.received()
    build.multiply(first, 10)
    build.accept(live.cast, live.received(days=3), at=live.ago(2), by=build.CONTOSO)
    do.expire(live.received(days=15), now=live.ago(0.5))
    do.lose(live.accepted(), actor=owner, now=live.now, reason_code="budget")
    live.won()
    live.sent_back()
    live.in_review()
    for _number in range(9):
        draft = drafts.new(owner, team=[], now=live.now)
        draft.save()
    Membership.objects.update(told_until=live.ago(20), seen_at=live.now)
    return live


def test_every_figure_of_home_leads_to_rows_that_add_up_to_it(world: Live) -> None:
    """ORG-2: whoever sees less counts less. The sums agree among themselves, too."""
    seen = {}
    for person in (build.CONTOSO, build.SELLER, ONE_PLACE, VIEWER, build.REVIEWER):
        client = world.browser(person)
        page = home(client)
        pages = {url: totals(parse(client.get(url))) for url in {figure.url for figure in figures(page)}}
        wrong = [figure for figure in figures(page) if pages[figure.url][figure.total] != figure.value]
        assert wrong == [], person
        seen[person] = {part: figures(page.one("section", id=part)) for part in ("pipeline", "deadlines", "events")}
        for part, found in seen[person].items():
            for total in {figure.total for figure in found}:
                *rows, last = [figure.value for figure in found if figure.total == total]
                assert sum(rows) == last, (person, part)
    assert seen[build.CONTOSO]["pipeline"] != seen[ONE_PLACE]["pipeline"] != seen[build.SELLER]["pipeline"]
    assert all(seen[person]["deadlines"] for person in (build.CONTOSO, build.SELLER, ONE_PLACE))


def test_needs_are_counted_beyond_those_shown(world: Live) -> None:
    page = home(world.browser(build.CONTOSO))
    waiting = Referral.objects.changeable_by(world.cast.actor(build.CONTOSO)).unanswered().count()
    assert waiting == 11
    assert f"{waiting + 2} things need you now" in page.one("header", class_="o-head").text
    first, *_others = page.one("section", id="needs").all("a", class_="o-need")
    assert first.text.startswith("Answer this deal"), "what ends first, before what ends some day"
    chips = page.one("section", id="needs").one("nav").text
    assert f"Deals to answer {waiting}" in chips
    assert "Deals to register 1" in chips


def test_a_figures_list_is_not_how_the_person_left_theirs(live: Live) -> None:
    live.accepted()
    client = live.browser(build.CONTOSO)
    client.get(next(figure.url for figure in figures(home(client)) if "status=Accepted" in figure.url))
    assert "Status" not in parse(client.get(reverse("deals"))).one("div", id="found").text.split("Deal")[0]
    tabs = parse(client.get(reverse("deals"))).one("nav", id="tabs").text
    assert "All" not in tabs


def test_the_vendors_deadlines_end_with_the_partners_sale(live: Live) -> None:
    """REF-11: what becomes of a sale is decided on the partner's copy; the vendor's stays accepted."""
    open_, sold, lost = (live.accepted(name=name, close_date=live.day(9)) for name in ("Open", "Sold", "Gone"))
    owner = live.cast.actor(build.CONTOSO)
    do.win(sold, actor=owner, now=live.now)
    do.lose(lost, actor=owner, now=live.now, reason_code="budget")
    seller = DeadlineQuery(live.cast.actor(build.SELLER), timezone.now())
    assert [found.name for found in deadlines.first(seller, 20)] == [open_.name]
    assert sum(deadlines.count(seller).values()) == 1


def test_home_shows_what_each_deadline_is_about_in_money(live: Live) -> None:
    live.accepted(close_date=live.day(3))
    card = home(live.browser(build.CONTOSO)).one("section", id="deadlines")
    assert "EUR" in card.one("li").text
    assert "1 in all" in card.text


# Since the last visit


def came(membership: Membership, *minutes: int, home_at: tuple[int, ...] = ()) -> Membership:
    """Requests after so many minutes, home among them at some."""
    start = datetime(2026, 11, 20, 8, tzinfo=timezone.get_default_timezone())
    for minute in minutes:
        membership = Membership.objects.get(pk=membership.pk)
        visits.note(membership, start + minute * MINUTE)
        if minute in home_at:
            visits.note_home(membership)
    return Membership.objects.get(pk=membership.pk)


def test_a_visit_ends_after_half_an_hour_and_tells_only_once(live: Live) -> None:
    member = Membership.objects.get(user__email=build.CONTOSO)
    start = datetime(2026, 11, 20, 8, tzinfo=timezone.get_default_timezone())
    member = came(member, 0, 3, 20, home_at=(0,))
    assert (member.told_until, member.seen_at) == (None, start + 20 * MINUTE)
    member = came(member, 49, 70, home_at=(49,))
    assert member.told_until is None, "still the same visit"
    member = came(member, 200)
    assert member.told_until == start + 70 * MINUTE
    member = came(member, 400, 401)
    assert member.told_until == start + 70 * MINUTE, "home wasn't seen in between"
    assert came(member, 402, 600, home_at=(402,)).told_until == start + 400 * MINUTE


def test_a_visit_writes_no_more_than_once_in_five_minutes(live: Live, django_assert_num_queries: Any) -> None:
    member = Membership.objects.get(user__email=build.CONTOSO)
    with django_assert_num_queries(1):
        visits.note(member, live.now)
        visits.note(member, live.now + 4 * MINUTE)
    with django_assert_num_queries(1):
        visits.note(member, live.now + 6 * MINUTE)


def test_home_tells_what_others_did_since_and_the_page_all_of_it(live: Live) -> None:
    """REF-3, REF-11, ORG-6: colleagues, partners and the programme, as the deals' pages tell it; never more."""
    before = live.accepted(name="Before", location=live.cast.locations[ANKARA])
    deal = live.deal(days=3, name="Waited for")
    Membership.objects.update(told_until=live.ago(2), seen_at=live.now)
    build.accept(live.cast, build.vendor_copy(deal), at=live.ago(1), by=build.SELLER)
    registration = live.in_review()
    live.decided(registration, "pass_review")
    do.add_note(before, text="Called", actor=live.cast.actor(build.CONTOSO), now=live.now)
    do.add_note(deal, text="Ours", actor=live.cast.actor(build.CONTOSO), now=live.now, shared=False)
    do.add_note(build.vendor_copy(deal), text="Theirs", actor=live.cast.actor(build.SELLER), now=live.now, shared=False)
    events = home(live.browser(build.CONTOSO)).one("section", id="events")
    assert events.one("h2").text == "Since your last visit"
    assert "Northwind" not in events.text
    told = parse(live.browser(build.CONTOSO).get(figures(events)[-1].url))
    assert "accepted" in told.text
    assert "Review passed" in told.text or "passed" in told.text
    assert "note" not in told.one("ol", class_="o-time").text.lower(), "one's own, and the vendor's private one"
    others = home(live.browser(ADMIN)).one("section", id="events")
    assert any("Notes 2" in chip.text for chip in others.all("a", class_="o-chip"))
    place = home(live.browser(ONE_PLACE)).one("section", id="events")
    assert {link.text for link in place.one("ol", class_="o-time").all("a")} == {"Before"}
    seller = home(live.browser(build.SELLER)).one("section", id="events").text
    assert "Waited for" not in seller or "note" not in seller
    for stranger in (STRANGER, NORTHWIND):
        assert "Since your last visit" not in home(live.browser(stranger)).text


def test_who_was_told_is_told_that_nothing_is_new(live: Live) -> None:
    live.accepted()
    Membership.objects.update(told_until=live.now, seen_at=live.now)
    events = home(live.browser(build.CONTOSO)).one("section", id="events").text
    assert "Nothing new since your last visit" in events


@pytest.mark.parametrize("since", ["", "x", "2026-11-01", "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00"])
def test_what_the_changes_address_cant_mean_is_left_out(live: Live, since: str) -> None:
    live.accepted()
    answer = live.browser(ADMIN).get(reverse("changes"), {"since": since, "kind": "x", "before": "y"})
    assert answer.status_code == 200


# First steps


def test_an_empty_company_is_told_what_to_do_first_and_by_whom(live: Live) -> None:
    """ORG-2: who can't take a step is told who can; each is ticked from the data, and the list goes."""
    northwind = live.cast.companies["northwind"]
    keeper = PersonFactory(email="keeper@northwind.example", first_name="Kai", last_name="Keeper")
    add_member(user=keeper, company=northwind, roles=["account_admin"])
    Solution.objects.filter(publisher=northwind).update(co_sell_ready=False)
    client = Client()
    client.force_login(keeper)
    steps = home(client).one("section", id="first-steps")
    ticked = [item.one("strong").text for item in steps.all("li", class_="is-done")]
    assert ticked == ["Enter your locations", "Invite your colleagues"]
    assert "ask the programme" in steps.text
    other = home(live.browser(NORTHWIND)).one("section", id="first-steps")
    assert reverse("new_deal") not in {link.attrs["href"] for link in other.all("a")}, "no solution yet"
    build.northwind_ready(live.cast)
    other = home(live.browser(NORTHWIND)).one("section", id="first-steps")
    assert reverse("new_deal") in {link.attrs["href"] for link in other.all("a")}
    assert "Who can do this" in home(client).one("section", id="first-steps").text
    client.post(reverse("hide_steps"))
    assert home(client).all("section", id="first-steps") == []
    assert home(live.browser(NORTHWIND)).all("section", id="first-steps") != []


def test_the_first_steps_are_gone_when_all_are_done(live: Live) -> None:
    live.submitted()
    assert home(live.browser(build.CONTOSO)).all("section", id="first-steps") == []
    assert home(live.browser(build.SELLER)).all("section", id="first-steps") == []
