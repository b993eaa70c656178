"""Events in the admin: the timeline's sentences with their deals, found by what is known of them, page by page."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from portal.accounts.models import User
from portal.accounts.rules import SYSTEM
from portal.catalog import services as catalog
from portal.customers import services as customers
from portal.events import services as events
from portal.events.models import Event
from portal.pages.services import uploads
from portal.policy import services as policies
from portal.programme import services as programme
from portal.workflow import timeline
from referrals import rules
from tests import build, do
from tests.edge import Live, parse

EVENTS = "admin:events_event_changelist"


@pytest.fixture
def reviewer(live: Live) -> Client:
    return live.browser(build.REVIEWER)


def rows(client: Client, **query: str) -> list[Any]:
    return parse(client.get(reverse(EVENTS), query)).one("table", id="result_list").one("tbody").all("tr")


def sentences(client: Client, **query: str) -> set[str]:
    table = parse(client.get(reverse(EVENTS), query)).all("td", class_="field-sentence")
    return {cell.text for cell in table}


def test_an_event_reads_as_on_the_timeline_and_leads_to_its_deal(live: Live, reviewer: Client) -> None:
    deal = live.deal(name="Ovens")
    (row,) = rows(reviewer, q=str(deal.public_id), verb="referral.created", company__id__exact=str(deal.company_id))
    created = Event.objects.of_subject(deal).get()
    assert row.one("td", class_="field-sentence").text == timeline.entry(created)["text"]
    assert (row.one("td", class_="field-whose").text, row.one("td", class_="field-by").text) == (
        "Contoso Yazılım",
        str(live.cast.users[build.CONTOSO]),
    )
    link = row.one("td", class_="field-record").one("a")
    assert (link.text, link.attrs["href"]) == ("Ovens", reverse("deal", args=[deal.public_id]))
    assert reviewer.get(link.attrs["href"]).status_code == 200


def test_what_happened_is_chosen_in_words(live: Live, reviewer: Client) -> None:
    live.deal(name="Ovens")
    links = parse(reviewer.get(reverse(EVENTS))).one(id="changelist-filter").all("a")
    named = {link.attrs["href"]: link.text for link in links if "verb=" in link.attrs["href"]}
    assert named["?verb=referral.created"] == "… created the deal"
    assert [name for name in named.values() if "." in name or "%" in name] == []
    assert list(named.values()) == sorted(named.values(), key=lambda name: name.lstrip("… ").lower())
    User.objects.filter(email=build.REVIEWER).update(language="tr")
    links = parse(reviewer.get(reverse(EVENTS))).one(id="changelist-filter").all("a")
    assert "… anlaşmayı oluşturdu" in {link.text for link in links}


def test_kinds_that_say_the_same_are_told_apart(live: Live, reviewer: Client) -> None:
    for verb in ("person.changed", "company.changed"):
        events.record_one(live.cast.companies["contoso"], verb, company_id=None, actor=SYSTEM, now=live.now)
    links = parse(reviewer.get(reverse(EVENTS))).one(id="changelist-filter").all("a")
    alike = [link.text for link in links if link.text.startswith("The details of …")]
    assert alike == [f"The details of … were changed ({verb})" for verb in ("company.changed", "person.changed")]


def shown(client: Client, **query: str) -> set[int]:
    """The numbers of the events listed."""
    cells = parse(client.get(reverse(EVENTS), query)).all("th", class_="field-when")
    return {int(cell.one("a").attrs["href"].split("/")[4]) for cell in cells}


def test_events_are_found_by_deal_company_person_and_what_happened(live: Live, reviewer: Client) -> None:
    ovens, looms = live.deal(name="Ovens"), live.deal(name="Looms")
    seller = live.cast.actor(build.SELLER)
    do.decline(build.vendor_copy(looms), actor=seller, now=live.now, reason_code="timeline")
    of_ovens, of_looms = (set(Event.objects.of_subject(deal).values_list("pk", flat=True)) for deal in (ovens, looms))
    declined = set(Event.objects.filter(verb="referral.declined").values_list("pk", flat=True))
    for query in ("ovens", "OVENS", str(ovens.public_id), str(ovens.public_id)[:13]):
        assert of_ovens <= shown(reviewer, q=query), query
        assert not of_looms & shown(reviewer, q=query), query
    for query in ("declined", "referral.decl", str(live.cast.users[build.SELLER]), build.SELLER):
        assert declined <= shown(reviewer, q=query), query
        assert not of_ovens & shown(reviewer, q=query), query
    assert of_ovens | of_looms <= shown(reviewer, q="contoso yaz")
    assert not shown(reviewer, q="fabrikam nothing")


def test_ref_3_a_private_deal_is_found_by_nothing(live: Live, reviewer: Client) -> None:
    private = live.deal(name="Secretovens", help_code=rules.NO_HELP, vendor_may_view=False)
    secret = Event.objects.of_subject(private).get()
    for query in ("Secretovens", str(private.public_id), "Contoso", ""):
        assert secret.pk not in shown(reviewer, q=query), query
    assert reviewer.get(reverse("admin:events_event_change", args=[secret.pk])).status_code == 302


def test_flow_7_policy_and_rates_are_told_number_by_number(live: Live, reviewer: Client) -> None:
    """Before and after, by the names of the office."""
    manager, now = live.cast.actor("manager@vendor.example"), timezone.now()
    for values in ({"minimum_acv_usd": "30000"}, {"minimum_acv_usd": "30000", "answer_days": 9}):
        programme.add_policy_version(values=values, effective_from=None, note="Stricter", actor=manager, now=now)
    file = io.BytesIO(f"currency,month,usd_per_unit\nAZN,{now:%Y-%m},0.59\n".encode())
    file.name = "rates.csv"
    programme.upload_rates(file, confirmed=True, actor=manager, now=now)
    told = sentences(reviewer, q="policy")
    assert {text.partition(",")[0] for text in told} == {f"Version {n} of the policy was published" for n in (1, 2)}
    assert sentences(reviewer, q="AZN") == set()
    assert f"The rate of AZN for {now:%Y-%m} was added: 0.59 USD" in sentences(reviewer, verb="rate.added")
    newest = Event.objects.filter(verb="policy.version_added").latest("pk")
    page = parse(reviewer.get(reverse("admin:events_event_change", args=[newest.pk])))
    changes = page.one("div", class_="field-changes").text
    assert "Time to answer a deal received REF-13 : 14 days → 9 days" in changes.replace("REF-13:", "REF-13 :")
    assert "Annual contract value" not in changes
    assert page.one("div", class_="field-record").one("a").attrs["href"].endswith("/change/")
    assert policies.current(now).answer_days == 9


def test_what_changed_reads_in_words(live: Live, reviewer: Client) -> None:
    deal = live.deal(name="Plant monitoring")
    actor = live.cast.actor(build.CONTOSO)
    do.edit_details(deal, name="Ovens", close_date=live.day(40), crm_id="OPP-7", actor=actor, now=live.now)
    edited = Event.objects.get(verb="referral.edited")
    page = parse(reviewer.get(reverse("admin:events_event_change", args=[edited.pk])))
    changes = page.one("div", class_="field-changes").text
    assert "Plant monitoring → Ovens" in changes
    assert f"→ {live.day(40):%-d %b %Y}" in changes
    assert "OPP-7" not in changes


def test_pages_go_on_by_key_with_as_many_queries_for_any_number(live: Live, reviewer: Client) -> None:
    """Nothing is counted further than a page; *older* misses none and repeats none."""
    live.deal()
    few = Event.objects.count()
    reviewer.get(reverse(EVENTS))
    with CaptureQueriesContext(connection) as asked:
        reviewer.get(reverse(EVENTS))
    template = Event.objects.latest("pk")
    more = [Event(**{f.attname: getattr(template, f.attname) for f in Event._meta.concrete_fields
                     if f.attname not in {"id", "public_id", "xid"}}) for _n in range(120)]  # fmt: skip
    Event.objects.bulk_create(more)
    with CaptureQueriesContext(connection) as again:
        page = parse(reviewer.get(reverse(EVENTS)))
    assert len(again) == len(asked)
    assert not [q["sql"] for q in again if "COUNT(*)" in q["sql"] and "events_event" in q["sql"]]
    seen: list[str] = []
    for _turn in range(9):
        seen += [cell.one("a").attrs["href"].split("?")[0] for cell in page.all("th", class_="field-when")]
        older = [link for link in page.all("a") if link.text == "Older events"]
        if not older:
            break
        page = parse(reviewer.get(reverse(EVENTS) + older[0].attrs["href"]))
    assert len(seen) == len(set(seen)) == few + 120
    assert "Back to the newest" in page.text
    assert reviewer.get(reverse(EVENTS), {"all": ""}).content.count(b"field-when") == 50
    assert reviewer.get(reverse(EVENTS), {"before": "x"}).status_code == 200


@pytest.mark.django_db
def test_every_event_of_the_programmes_own_data_has_a_sentence() -> None:
    verbs = {
        *(catalog.ADDED, catalog.TAGS_CHANGED, catalog.PLAN_ADDED, catalog.PLAN_CHANGED, catalog.ASSESSMENT_TYPE_ADDED),
        *(customers.ADDED, customers.IMPORTED, customers.NAMED, customers.CONFIRMED, customers.MERGED),
        *(customers.CHANGED, customers.MANAGED_CHANGED, programme.RATE_ADDED, programme.RATE_CHANGED),
        *(programme.VERSION_ADDED, programme.VERSION_WITHDRAWN, uploads.CHECKED, uploads.FINISHED, uploads.REFUSED),
    }
    assert {verb for verb in verbs if timeline.entry(Event(verb=verb, subject_type="x.y"))["text"] == verb} == set()
