"""The vendor's sellers send deals to partners: the page, what both companies have then, and the lists (REF-10)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from dealreg.selectors import registration as selectors
from portal.accounts.models import User
from portal.notify.models import Notice
from portal.policy import services as policies
from portal.workflow import text
from portal.workflow.blockers import Money
from referrals import rules
from referrals.models import Engagement, Note, Referral
from referrals.services import creation
from tests import build, do
from tests.edge import STRANGER, Live, parse
from tests.test_forms import HOSTILE, OWNER, errors, summary

SEND, SOLUTIONS = "/co-sell/send/", "/co-sell/send/solutions/"


def filled(live: Live, **changes: Any) -> dict[str, Any]:
    """The page's form as a seller fills it in."""
    cast = live.cast
    form = parse(live.browser(build.SELLER).get(SEND)).one("form", id="send").fields()
    given = {
        "customer": cast.customers["nordwerk"].public_id,
        "name": "Digital twin of the plant",
        "value": "50000",
        "currency": "EUR",
        "close_date": live.day(30).isoformat(),
        "partner": cast.companies["fabrikam"].public_id,
        "solutions": [cast.solutions["twin"].public_id],
        "help_code": build.HELP,
        "notes": HOSTILE,
    }
    return {**form, **given, **changes}


def test_a_seller_sends_a_deal_which_the_partner_answers(live: Live) -> None:
    """REF-10, REF-12, ELIG-7: the vendor's copy is accepted with its seller, the partner's received; the partner goes
    on as with any deal, and the vendor's answer doesn't have to be waited for."""
    seller, cast = live.browser(build.SELLER), live.cast
    answer = seller.post(SEND, filled(live))
    own = Referral.objects.get(company=cast.companies["vendor"])
    assert answer.headers["Location"] == reverse("deal", args=[own.public_id])
    copy = Referral.objects.get(company=cast.companies["fabrikam"])
    assert (own.substatus, own.stage, own.invited_by, own.expires_at) == (rules.ACCEPTED, 10, None, None)
    assert [(m.first_name, m.email) for m in own.team.all()] == [("Sam", build.SELLER)]
    assert (copy.substatus, copy.invited_by, copy.name) == (rules.RECEIVED, own.company, "Digital twin of the plant")
    assert (copy.expires_at - copy.created_at).days == 14
    assert [r.money for r in (own, copy)] == [Money(50_000, "EUR")] * 2
    assert [[s.solution for s in r.solutions.all()] for r in (own, copy)] == [[cast.solutions["twin"]]] * 2
    assert (copy.invite_help, copy.invite_notes, Note.objects.get().text) == (build.HELP, HOSTILE, HOSTILE)
    engagement = Engagement.objects.get()
    assert (engagement.deal_type, engagement.started_by) == (rules.CO_SELL, own.company)
    assert engagement.vendor_invited_at == engagement.created_at
    told = Notice.objects.filter(event__verb="referral.received").values_list("email", flat=True)
    assert set(told) == {STRANGER, build.SELLER}
    partner = parse(live.browser(STRANGER).get(reverse("deal", args=[copy.public_id])))
    assert "Microsoft sent you this deal" in partner.one("main").text
    assert HOSTILE in partner.one("section", id="notes").text
    assert partner.one("main").all("b") == []
    accepted = do.accept(
        copy,
        actor=cast.actor(STRANGER),
        now=live.now,
        name=copy.name,
        value=copy.money,
        close_date=copy.close_date,
        team=[build.member(STRANGER)],
    )
    judged = selectors.eligibility_of(accepted, policy=policies.current(live.now))
    assert {c.code: c.state for c in judged.criteria}["vendor_accepted"] == "met"


def test_who_may_send(live: Live) -> None:
    """ORG-2: the vendor's sellers only; the others see no button either."""
    for person, allowed in ((build.SELLER, True), (build.REVIEWER, False), (OWNER, False)):
        client = live.browser(person)
        assert client.get(SEND).status_code == (200 if allowed else 403)
        assert client.get(SOLUTIONS).status_code == (200 if allowed else 403)
        assert bool(parse(client.get(reverse("deals"))).all("a", href=SEND)) is allowed
        if not allowed:
            assert client.post(SEND, filled(live)).status_code == 403
            with pytest.raises(PermissionDenied):
                creation.send_deal(None, actor=live.cast.actor(person), now=live.now)  # type: ignore[arg-type]
    assert Engagement.objects.count() == 0


def test_a_double_click_sends_one_deal(live: Live) -> None:
    seller, form = live.browser(build.SELLER), filled(live)
    first, second = seller.post(SEND, form), seller.post(SEND, form)
    assert first.headers["Location"] == second.headers["Location"]
    assert (Engagement.objects.count(), Referral.objects.count(), Note.objects.count()) == (1, 2, 1)
    again = seller.post(SEND, {**form, "creation_key": uuid.uuid4()})
    assert again.headers["Location"] != first.headers["Location"]


def test_what_was_sent_is_listed_and_stands_apart_from_what_came_in(live: Live) -> None:
    """REF-19: inbound, outbound, and partner-led deals that may only be viewed."""
    live.deal(name="Asked for help")
    live.deal(name="Led by the partner", help_code=rules.NO_HELP)
    seller = live.browser(build.SELLER)
    seller.post(SEND, filled(live))
    for tab, name in (
        ("inbound", "Asked for help"),
        ("outbound", "Digital twin of the plant"),
        ("partner_led", "Led by the partner"),
    ):
        page = parse(seller.get(reverse("deals"), {"tab": tab}))
        assert [row.text for row in page.all("a", class_="o-rowlink")] == [name]
        (here,) = page.one("nav", id="tabs").all("a", aria_current="page")
        assert here.text.endswith(" 1")
    partner = parse(live.browser(OWNER).get(reverse("deals"), {"tab": "partner_led"}))
    assert partner.one("nav", id="tabs").one("a", aria_current="page").text.startswith("Outbound")


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "no customer": ({"customer": ""}, "customer", "Choose the customer from the directory."),
    "unknown customer": ({"customer": uuid.uuid4()}, "customer", "This customer is not in the directory"),
    "no name": ({"name": " "}, "name", "This has to be filled in."),
    "nothing": ({"value": "0"}, "value", "The estimated value must be above zero."),
    "too much": ({"value": "10000000000000000"}, "value", "At most 16 digits"),
    "past": ({"close_date": "2020-01-01"}, "close_date", "must be today or later."),
    "no partner": ({"partner": ""}, "partner", "Choose the partner from the list."),
    "forged partner": ({"partner": "x"}, "partner", "among the choices"),
    "no solution": ({"solutions": []}, "solutions", "Choose at least one solution"),
    "no help": ({"help_code": ""}, "help_code", "This has to be filled in."),
    "help none": ({"help_code": rules.NO_HELP}, "help_code", "Choose from the list."),
    "long notes": ({"notes": "x" * 10_001}, "notes", "Notes may have 10000 characters; these have 10001."),
}


def test_each_violation_stands_at_its_field_and_nothing_is_lost(live: Live) -> None:
    """REF-6, REF-8, REF-9."""
    seller, form, cast = live.browser(build.SELLER), filled(live), live.cast
    foreign, refused = cast.solutions["factory"].public_id, "This partner can't be invited"
    others = {
        "another's solution": ({"solutions": foreign}, "solutions", "Choose among the solutions of the partner"),
        "not in the ecosystem": ({"partner": cast.companies["northwind"].public_id}, "partner", refused),
        "the own company": ({"partner": cast.companies["vendor"].public_id}, "partner", refused),
    }
    for what, (changes, field, words) in {**WRONG, **others}.items():
        answer = seller.post(SEND, {**form, **changes})
        assert answer.status_code == 422, what
        page = parse(answer)
        assert words in errors(page).get(field, ""), (what, errors(page))
        assert any(words in line for line in summary(page)), what
        kept = page.one("form", id="send").fields()
        for name in {"customer", "name", "close_date", "partner", "solutions", "help_code"} - set(changes):
            expected = {"solutions": form["solutions"][0], "close_date": text.day(live.day(30))}.get(
                name, form.get(name)
            )
            assert kept.get(name) == str(expected) or (name == "solutions" and "partner" in changes), (what, name)
    assert Engagement.objects.count() == 0


def test_looking_up_without_javascript_keeps_everything_and_judges_nothing(live: Live) -> None:
    seller, cast = live.browser(build.SELLER), live.cast
    form = filled(live, find="1", name=HOSTILE, value="x", solutions=[], country="DE", customer_search="isar")
    form["partner_search"] = "contoso"
    page = parse(seller.post(SEND, form))
    assert (errors(page), summary(page)) == ({}, [])
    kept = page.one("form", id="send").fields()
    assert (kept["name"], kept["value"], kept["partner"]) == (HOSTILE, "x", str(cast.companies["fabrikam"].public_id))
    assert "Isar Pharma" in page.one("div", id="customers").text
    assert "Contoso Yazılım" in page.one("div", id="partners").text
    solutions = page.one("div", id="partner-solutions")
    assert solutions.text == "Fabrikam Digital Twin Fabrikam Energy Monitor"
    found = parse(seller.get(SOLUTIONS, {"partner": cast.companies["fabrikam"].public_id}))
    assert found.text == solutions.text
    assert "Choose the partner first." in parse(seller.get(SOLUTIONS)).text
    assert "no solution" in parse(seller.get(SOLUTIONS, {"partner": "x"})).text


def test_ref_7_a_seller_whose_account_has_no_phone_sends_nothing(live: Live) -> None:
    """The seller is the team of the vendor's copy, of whose people the partner reads; the page says what is missing."""
    User.objects.filter(email=build.SELLER).update(phone="")
    answer = live.browser(build.SELLER).post(SEND, filled(live))
    assert answer.status_code == 422
    assert "Every team member needs first name, last name, phone and e-mail." in summary(parse(answer))
    assert not Referral.objects.exists()
