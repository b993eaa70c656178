"""Stage and close date, changed where the list shows them (REF-14, REF-20, REF-21)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import reverse

from portal.demo.cast import Cast
from portal.events.models import Event
from referrals.models import Referral
from referrals.services import editing
from tests import build, do
from tests.edge import STRANGER, Element, Live, parse
from tests.test_listing import OWNER, PRIVATE, TEAM, VIEWER, see

HTMX = {"HX-Request": "true"}


@pytest.fixture
def live(cast: Cast) -> Live:
    return Live(cast)


def _url(deal: Referral) -> str:
    return reverse("edit_row", args=[deal.public_id])


def _fresh(deal: Referral) -> Referral:
    return Referral.objects.get(pk=deal.pk)


def _offered(listed: Element) -> dict[str, int]:
    """How much of each row can be changed, by the deal's name, where something can."""
    found = {row.one("a").text: len(row.all("td", class_="is-edit")) for row in listed.one("tbody").all("tr")}
    return {name: number for name, number in found.items() if number}


def _send(live: Live, deal: Referral, *, version: int, by: str = OWNER, **given: Any) -> HttpResponse:
    sent = {"stage": str(deal.stage), "close_date": deal.close_date.isoformat(), "version": str(version), **given}
    return live.browser(by).post(_url(deal), {"list": "tab=outbound&exact=1", **sent}, headers=HTMX)


def test_ref_20_stage_and_close_date_are_changed_in_the_row(live: Live) -> None:
    """By the same verbs, each with its event; what was left alone writes none. Without a script it is a page."""
    deal = live.deal(name="Ovens", **PRIVATE)
    live.won(name="Sold")
    live.received(name="Sent")
    owner = live.browser(OWNER)
    assert _offered(see(owner)) == {"Ovens": 2}  # stage and day of the one that is open; none of what is won
    assert [_offered(see(live.browser(by))) for by in (VIEWER, "admin@contoso.example")] == [{}, {}]
    assert _offered(see(owner, tab="inbound")) == {}
    row = owner.get(_url(deal), {"list": "tab=outbound&exact=1"}, headers=HTMX).content.decode()
    assert 'data-row-edit="' + reverse("deal", args=[deal.public_id]) in row
    assert 'form="row-edit"' in row
    saved = _send(live, deal, version=deal.version, stage="40")
    assert saved.status_code == 200
    assert "is-s40" in saved.content.decode()
    assert _fresh(deal).stage == 40
    later = live.day(60)
    _send(live, _fresh(deal), version=_fresh(deal).version, close_date=later.isoformat())
    assert (_fresh(deal).stage, _fresh(deal).close_date) == (40, later)
    before = Event.objects.count()
    assert _send(live, _fresh(deal), version=_fresh(deal).version).status_code == 200
    assert Event.objects.count() == before
    told = Event.objects.of_subject(deal).exclude(verb="referral.created").order_by("pk")
    assert [event.verb for event in told] == ["referral.stage_set", "referral.edited"]
    cancelled = owner.get(_url(deal), {"as": "row", "list": "tab=outbound&exact=1"}, headers=HTMX).content.decode()
    assert cancelled.startswith("<tr><td>")
    here = f"{reverse('deals')}?tab=outbound&exact=1"
    ticked = owner.post(reverse("change_selected"), {"do": "edit", "row": str(deal.public_id), "list": "exact=1"})
    assert ticked["Location"] == _url(deal)
    page = parse(owner.get(_url(deal), headers={"Referer": f"http://testserver{here}"}))
    form = page.one("form", class_="o-narrow").fields()
    answer = owner.post(_url(deal), {**form, "stage": "60"})
    assert (answer["Location"], _fresh(deal).stage) == (here, 60)


def test_ref_21_a_row_that_was_changed_meanwhile_says_both(live: Live) -> None:
    """Two who change different things of it both get theirs; of the same thing the second sees the other's first."""
    deal = live.deal(name="Ovens", **PRIVATE)
    actor = live.cast.actor(OWNER)
    do.set_stage(_fresh(deal), actor=actor, now=live.now, stage=60)
    later = live.day(60)
    assert _send(live, deal, version=deal.version, close_date=later.isoformat()).status_code == 200
    assert (_fresh(deal).stage, _fresh(deal).close_date) == (60, later)
    refused = _send(live, deal, version=deal.version, stage="20", close_date=later.isoformat())
    assert refused.status_code == 422
    text = parse(refused).text
    assert "it is now “" in text
    assert "Proposed" in text
    row = refused.content.decode()
    assert '<option value="20" selected>' in row
    assert f'value="{_fresh(deal).version}"' in row
    assert _fresh(deal).stage == 60
    again = _send(live, deal, version=_fresh(deal).version, stage="20", close_date=later.isoformat())
    assert (again.status_code, _fresh(deal).stage) == (200, 20)


def test_ref_14_a_refused_row_stays_open_with_its_reason(live: Live) -> None:
    """Nothing of it is written, whichever of the two is refused; whose deal it isn't, and who only reads, can't."""
    deal = live.deal(name="Ovens", **PRIVATE)
    for given in ({"stage": "99"}, {"close_date": "soon"}, {"close_date": ""}, {"version": "x"}):
        refused = _send(live, deal, **{"version": deal.version, "stage": "40", **given})
        assert refused.status_code == 422, given
    assert _fresh(deal).stage == 10
    do.lose(_fresh(deal), actor=live.cast.actor(OWNER), now=live.now, reason_code="budget")
    lost = _send(live, deal, version=deal.version, stage="40")
    assert lost.status_code == 422
    assert 'role="alert"' in lost.content.decode()
    other = live.deal(name="Kilns", **PRIVATE)
    answers = [_send(live, other, by=by, version=other.version, stage="40").status_code for by in (STRANGER, VIEWER)]
    assert answers == [404, 403]
    assert _send(live, other, by=TEAM, version=other.version, stage="40").status_code == 200
    day = date(2030, 1, 1)
    with pytest.raises(editing.RuleViolation):
        editing.edit_progress(
            other,
            stage=99,
            close_date=day,
            seen_version=_fresh(other).version,
            actor=live.cast.actor(OWNER),
            now=live.now,
        )
    assert _fresh(other).close_date != day
    assert build.CONTOSO == OWNER
