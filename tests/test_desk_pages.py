"""The desk's pages: queues, filters, claims by button, the bulk pass, figures that agree with their rows (FLOW-12)."""

from __future__ import annotations

import re
from typing import Any

import factory
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from dealreg.models import Registration
from portal.desk import services as desk
from portal.desk.models import Case
from portal.events.models import Event
from portal.ui.models import SavedView
from tests import build
from tests.edge import Element, Live, parse
from tests.factories import PersonFactory, add_member

LIST = reverse("admin:desk_case_changelist")
ACT, PASS, FILTERS = (reverse(f"admin:desk_{name}") for name in ("act", "pass", "filters"))
SECOND = "second@vendor.example"
NAMES = ("Amber", "Birch", "Cedar", "Dune", "Elm")


@pytest.fixture
def live(cast: Any) -> Live:
    return Live(cast)


@pytest.fixture
def reviewer(live: Live) -> Client:
    return live.browser(build.REVIEWER)


def several(live: Live, count: int = 3) -> list[Registration]:
    return [live.in_review(live.won(name=name)) for name in NAMES[:count]]


def rows(page: Element) -> list[str]:
    return [link.text for link in page.all("a", class_="o-rowlink")]


def queues(page: Element) -> dict[str, int]:
    lines = page.one("nav", class_="o-desk__queues").all("a")
    return {line.all("span")[0].text: int(line.one("b").text) for line in lines if line.all("b")}


def found(client: Client, **asked: Any) -> list[str]:
    return rows(parse(client.get(LIST, {"exact": "1", **asked})))


def test_flow_12_queues_filters_and_search(live: Live, reviewer: Client) -> None:
    first, second, third = several(live)
    live.marketplace()
    live.decided(second, "fail_review", "not_deployed_on_azure", "Elsewhere.")
    Case.objects.of("registration", first.pk).update(due_on=live.day(-1), opened_at=live.ago(7))
    page = parse(reviewer.get(LIST))
    assert rows(page)[:2] == ["Amber", "Cedar"]
    shown = queues(page)
    assert (shown["Mine"], shown["Unassigned"], shown["All open"], shown["Marketplace"]) == (0, 3, 3, 1)
    assert (shown["High contract value"], shown["Decided"]) == (2, 1)
    assert page.one("strong", class_="o-desk__late").text.endswith("overdue")
    code = first.solution.code if first.solution else ""
    assert "Amber" in found(reviewer, q=code)
    assert found(reviewer, q="birch") == ["Birch"]  # among what was decided, as nothing open is called so
    assert found(reviewer, tab="decided", outcome="passed") == []
    rita = live.cast.users[build.REVIEWER]
    assert found(reviewer, tab="decided", outcome="failed", decider=str(rita.pk)) == ["Birch"]
    assert found(reviewer, due="overdue") == found(reviewer, age="5-9") == ["Amber"]
    assert found(reviewer, tab="registration.marketplace_sale") == ["Plant monitoring"]
    assert found(reviewer, value_from="100000000") == []
    assert found(reviewer, filer__password__startswith="x") == found(reviewer)
    kept = reviewer.post(FILTERS, {"queue": "?due=overdue&exact=1", "name": "Late"})
    assert kept.status_code == 302
    assert SavedView.objects.get().address == "?due=overdue&exact=1"
    assert "Late" in parse(reviewer.get(LIST)).one("nav", class_="o-desk__queues").text
    reviewer.post(FILTERS, {"queue": "", "forget": str(SavedView.objects.get().pk)})
    assert not SavedView.objects.exists()
    redirected = reviewer.get(reverse("admin:desk_case_change", args=[Case.objects.get(object_id=third.pk).pk]))
    assert redirected["Location"] == reverse("admin:dealreg_registration_change", args=[third.pk])


def test_flow_13_buttons_claim_release_skip_and_take_next(live: Live, reviewer: Client) -> None:
    cases = [Case.objects.get(object_id=r.pk) for r in several(live)]
    for day, case in enumerate(cases, 1):
        Case.objects.filter(pk=case.pk).update(due_on=live.day(day))
    colleague = PersonFactory(email=SECOND)
    add_member(user=colleague, company=live.cast.companies["vendor"], roles=["reviewer"])
    live.cast.users[SECOND] = colleague
    other, now = live.cast.actor(SECOND), timezone.now()
    queue = "?tab=unassigned&exact=1"
    desk.claim(cases[0], actor=other, now=now)
    taken = reviewer.post(ACT, {"do": "next", "queue": queue})
    assert taken["Location"].startswith(reverse("admin:dealreg_registration_change", args=[cases[1].object_id]))
    assert "queue=" in taken["Location"]
    skipped = reviewer.post(ACT, {"do": "skip", "case": cases[1].pk, "queue": queue})
    assert str(cases[2].object_id) in skipped["Location"]
    assert Case.objects.get(pk=cases[1].pk).claimed_by is None
    reviewer.post(ACT, {"do": "claim", "case": [cases[0].pk, cases[1].pk], "queue": queue})
    page = parse(reviewer.get(LIST))
    assert queues(page)["Mine"] == 2
    assert "has claimed this" in page.one("ul", class_="messagelist").text
    assert str(colleague) in page.one("section", class_="o-desk__main").text
    reviewer.post(ACT, {"do": "take_over", "case": cases[0].pk, "from": "page"})
    assert Case.objects.get(pk=cases[0].pk).claimed_by.email == build.REVIEWER
    reviewer.post(ACT, {"do": "release", "case": cases[0].pk})
    assert Case.objects.get(pk=cases[0].pk).claimed_by is None
    assert reviewer.post(ACT, {"do": "claim", "case": "999999999"}).status_code == 404
    assert reviewer.post(ACT, {"do": "delete"}).status_code == 400
    for held in (cases[1], cases[2]):
        desk.claim(held, actor=other, now=now, take_over=True)
    desk.claim(cases[0], actor=other, now=now, take_over=True)
    assert reviewer.post(ACT, {"do": "next", "queue": queue})["Location"].startswith(LIST)


def test_flow_12_several_are_passed_each_by_its_own_verb(live: Live, reviewer: Client) -> None:
    """One is a colleague's, one was decided meanwhile, one was sent in anew; the others pass all the same."""
    registrations = several(live, 5)
    cases = [Case.objects.get(object_id=r.pk) for r in registrations]
    colleague = PersonFactory(email=SECOND)
    add_member(user=colleague, company=live.cast.companies["vendor"], roles=["reviewer"])
    live.cast.users[SECOND] = colleague
    asked = parse(reviewer.get(PASS, {"case": [case.pk for case in cases], "queue": ""}))
    desk.claim(cases[2], actor=live.cast.actor(SECOND), now=timezone.now())
    live.decided(registrations[3], "require_action", "evidence_missing", "The contract?")
    form = asked.one("div", id="content-main").one("form").fields()
    stale = form[f"version_{cases[4].pk}"]
    form[f"version_{cases[4].pk}"] = str(int(stale) - 1)
    page = parse(reviewer.post(PASS, {**form, "comment": "All in order."}))
    results = [(line.one("strong").text, line.one("span").text) for line in page.one("ul", class_="o-checks").all("li")]
    told = dict(results)
    assert told["Amber"] == told["Birch"] == "Passed"
    assert "has claimed this" in told["Cedar"]
    assert "left the desk" in told["Dune"]
    assert len(told) == 5
    assert not any(name not in {"Amber", "Birch"} and said == "Passed" for name, said in told.items())
    passed = Event.objects.filter(verb="registration.passed")
    assert [(event.comment, event.after["validated_by"]) for event in passed] == [("All in order.", "figures")] * 2
    assert live.browser("manager@vendor.example").get(PASS).status_code == 403


def test_flow_12_every_figure_leads_to_its_rows_and_the_sums_agree(live: Live, reviewer: Client) -> None:
    registrations = several(live, 5)
    live.marketplace()
    live.decided(registrations[0], "pass_review")
    live.decided(registrations[1], "fail_review", "not_deployed_on_azure", "Elsewhere.")
    live.decided(registrations[2], "require_action", "evidence_missing", "The contract?")
    Case.objects.of("registration", registrations[0].pk).update(closed_at=live.ago(9))
    Case.objects.of("registration", registrations[3].pk).update(due_on=live.day(-2), opened_at=live.ago(3))
    page = parse(reviewer.get(reverse("admin:desk_figures")))
    assert page.one("section", id="decided").one("dl").text.endswith("Pass rate 50%")
    for part in ("open", "ages", "by-reason", "decided", "weeks"):
        for link in page.one("section", id=part).all("a"):
            if link.text.endswith("%"):
                continue
            assert len(rows(parse(reviewer.get(link.attrs["href"])))) == int(link.text), (part, link.attrs["href"])
    for part in ("open", "ages"):
        numbers = [int(link.text) for link in page.one("section", id=part).all("a")]
        assert sum(numbers) == (6 if part == "open" else 3)
    cells = [int(re.sub(r"\D", "", cell.text)) for cell in page.one("section", id="weeks").all("td")]
    assert sum(cells) == 6  # each in its person's column, and altogether


def test_the_desk_asks_as_much_at_10_cases_as_at_1000(live: Live, reviewer: Client) -> None:
    live.in_review()
    case = Case.objects.get()
    asked = []
    for more in (10, 1_000):
        build.alike(case, more, object_id=factory.Sequence(lambda n, base=more: base * 10_000 + n))
        counted = {}
        for address in (LIST, f"{LIST}?tab=decided&exact=1", reverse("admin:desk_figures")):
            reviewer.get(address)
            with CaptureQueriesContext(connection) as queries:
                assert reviewer.get(address).status_code == 200
            counted[address] = len(queries)
        asked.append(counted)
    assert asked[0] == asked[1]
    second = parse(reviewer.get(LIST)).one("a", rel="next").attrs["href"]
    with CaptureQueriesContext(connection) as queries:
        page = parse(reviewer.get(LIST + second))
    assert len(rows(page)) == 50
    assert not any(" OFFSET " in query["sql"] for query in queries)
