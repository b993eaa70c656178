"""Accepting a deal: three prefilled answers, and a team put together by the buttons of the wizard (REF-7, REF-12)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.urls import reverse

from portal.accounts.models import User
from portal.workflow.blockers import Money
from referrals import rules
from referrals.models import Referral
from tests import build
from tests.edge import Element, Live, parse
from tests.test_forms import OWNER, errors


def rows(page: Element) -> list[str]:
    return [e.attrs.get("value", "") for e in page.one("details", id="people").all("input", type="email")]


def shut(page: Element) -> list[bool]:
    return ["open" not in fold.attrs for fold in page.all("details", class_="o-fold")]


def test_ref_12_three_answers_are_asked_and_the_team_is_picked_as_in_the_wizard(live: Live) -> None:
    """Buttons change the rows and nothing else: what was typed stays, nothing is judged, the deal is still received."""
    live.deal(team=[build.member("umut@contoso.example")])
    deal, owner = live.received(), live.browser(OWNER)
    address = reverse("act", args=[deal.public_id, "accept"])
    page = parse(owner.get(address)).one("main")
    assert (rows(page), shut(page)) == ([OWNER], [True, True])
    form = page.one("form").fields() | {"name": " ", "notes": "Welcome"}

    def press(form: dict[str, Any], **button: str) -> Element:
        answer = owner.post(address, {**form, **button})
        assert answer.status_code == 200
        shown = parse(answer).one("main")
        assert errors(shown) == {}
        assert (shown.one("form").fields()["name"], shown.one("form").fields()["notes"]) == (" ", "Welcome")
        return shown

    page = press(form, person="umut@contoso.example")
    assert (rows(page), shut(page)) == ([OWNER, "umut@contoso.example"], [False, False])
    typed = page.one("form").fields() | {"team-1-email": "UMUT@CONTOSO.EXAMPLE", "team-0-email": "İLKER@x.example"}
    page = press(typed, person="umut@contoso.example")
    assert rows(page) == ["İLKER@x.example", "umut@contoso.example"]
    page = press(page.one("form").fields() | {"team-0-email": OWNER}, add="1")
    assert rows(page) == [OWNER, "umut@contoso.example", ""]
    page = press(page.one("form").fields(), remove="0")
    assert rows(page) == ["umut@contoso.example", ""]
    stranger = press(page.one("form").fields() | {"person": "nobody@contoso.example"}, remove="1")
    assert rows(stranger) == ["umut@contoso.example"]
    assert Referral.objects.get(pk=deal.pk).substatus == rules.RECEIVED
    refused = owner.post(address, stranger.one("form").fields())
    assert (refused.status_code, set(errors(parse(refused)))) == (422, {"name"})
    answer = owner.post(address, stranger.one("form").fields() | {"name": "Ovens"})
    assert answer.status_code == 302
    done = Referral.objects.get(pk=deal.pk)
    assert (done.substatus, [m.email for m in done.team.all()]) == (rules.ACCEPTED, ["umut@contoso.example"])


def test_ref_12_the_amount_and_the_day_stand_as_the_reader_writes_them(live: Live) -> None:
    """And are taken as they stand."""
    deal, owner = live.received(value=Money(Decimal("40000.50"), "EUR")), live.browser(OWNER)
    User.objects.filter(email=OWNER).update(language="tr")
    address = reverse("act", args=[deal.public_id, "accept"])
    form = parse(owner.get(address)).one("main").one("form").fields()
    assert form["value"] == "40.000,50"
    assert owner.post(address, form).status_code == 302
    done = Referral.objects.get(pk=deal.pk)
    assert (done.value, done.close_date) == (deal.value, deal.close_date)
