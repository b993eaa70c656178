"""What stale tabs, team buttons, hidden fields and forged addresses once got through forms (FLOW-7, REF-7, REG-19)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from dealreg.models import RegistrationDraft
from exceptions_council.models import ExceptionDraft
from portal.accounts.models import User
from portal.days import read_day
from portal.workflow.blockers import Money
from referrals import rules
from referrals.models import Referral
from tests import build, do
from tests.edge import Live, parse
from tests.test_exceptions_pages import ineligible
from tests.test_exceptions_pages import url as exc_url
from tests.test_forms import OWNER, registration_url, summary
from tests.test_isv_pages import filled as isv_filled
from tests.test_registration_form import USER, form_of, opened

UMUT = "umut@contoso.example"


def accepting(live: Live) -> tuple[Referral, Client, str, dict[str, str]]:
    live.deal(team=[build.member(UMUT)])
    deal, owner = live.received(), live.browser(OWNER)
    url = reverse("act", args=[deal.public_id, "accept"])
    return deal, owner, url, fields(owner.get(url))


def fields(response: HttpResponse) -> dict[str, str]:
    return parse(response).one("main").one("form").fields()


def test_ref_7_a_button_of_the_team_keeps_ones_own_row(live: Live) -> None:
    deal, owner, url, form = accepting(live)
    form = fields(owner.post(url, {**form, "person": UMUT}))
    assert owner.post(url, form).status_code == 302
    assert {m.email for m in Referral.objects.get(pk=deal.pk).team.all()} == {OWNER, UMUT}


def test_ref_7_a_blank_row_beside_ones_own_is_nobody(live: Live) -> None:
    _deal, owner, url, form = accepting(live)
    assert owner.post(url, fields(owner.post(url, {**form, "add": "1"}))).status_code == 302


def test_ref_7_a_button_for_somebody_gone_accepts_nothing(live: Live) -> None:
    deal, owner, url, form = accepting(live)
    owner.post(url, {**form, "person": "gone@contoso.example"})
    assert Referral.objects.get(pk=deal.pk).substatus == rules.RECEIVED


def test_flow_7_a_button_of_the_team_makes_nobody_agree_with_what_they_did_not_see(live: Live) -> None:
    deal, owner, url, form = accepting(live)
    refs = reverse("act", args=[deal.public_id, "set-references"])
    theirs = next(f.fields() for f in parse(owner.get(refs)).one("main").all("form") if "crm_id" in f.fields())
    owner.post(refs, {**theirs, "crm_id": "THEIRS"})
    owner.post(url, fields(owner.post(url, {**form, "person": UMUT})))
    assert Referral.objects.get(pk=deal.pk).crm_id == "THEIRS"


def test_flow_7_nor_does_a_day_that_is_none(live: Live) -> None:
    back, owner = live.sent_back(), live.browser(OWNER)
    mine = form_of(opened(live, OWNER, back.referral))
    changed = live.form(tcv=Money(Decimal(3_000_000), "EUR"), tenant="partner")
    again = do.resubmit(back, changed, actor=live.cast.actor(OWNER), now=live.now)
    live.decided(again, "require_action", "other", "The tenant is wrong.")
    url = registration_url(back.referral)
    held = form_of(parse(owner.post(url, {**mine, "signed": "31 Feb 2026"})))
    assert owner.post(url, {**held, "signed": mine["signed"]}).status_code == 422


def test_isv_3_what_is_not_asked_refuses_nothing(live: Live) -> None:
    sent = isv_filled(live, tenant="partner", tenant_guid="3f2504e0")
    answer = live.browser(OWNER).post(reverse("report_isv_deal"), sent)
    assert answer.status_code == 302, summary(parse(answer))


def test_exc_3_to_leave_a_field_saves_no_draft(live: Live) -> None:
    deal, owner = ineligible(live), live.browser(OWNER)
    page = parse(owner.get(exc_url("ask_exception", deal))).one("main")
    form = next(f.fields() for f in page.all("form") if "justification" in f.fields())
    owner.post(exc_url("exception_check", deal), form | {"left": "signed"})
    assert not ExceptionDraft.objects.exists()


def test_reg_19_to_leave_a_field_takes_over_no_draft(live: Live) -> None:
    deal = live.won(team=[build.member(USER)])
    owner, user = live.browser(OWNER), live.browser(USER)
    held = form_of(parse(owner.get(registration_url(deal))))
    owner.post(registration_url(deal, "registration_check"), {**held, "signed": str(live.day(-3))})
    user.post(registration_url(deal, "registration_check"), {**form_of(opened(live, USER, deal)), "left": "tcv"})
    assert RegistrationDraft.objects.get().saved_by.email == OWNER


@pytest.mark.parametrize("amount", ["1" * 19, "9" * 300, "-0", "-5", "1.2340"])
def test_reg_19_nor_does_an_amount_that_is_refused(live: Live, amount: str) -> None:
    """Kept and shown it is one amount, in either language; of three hundred digits every one stays as it was typed."""
    deal = live.won(team=[build.member(USER)])
    owner, user = live.browser(OWNER), live.browser(USER)
    held = form_of(parse(owner.get(registration_url(deal))))
    owner.post(registration_url(deal, "registration_check"), {**held, "tcv": amount})
    User.objects.filter(email=USER).update(language="tr")
    found = form_of(opened(live, USER, deal))
    user.post(registration_url(deal, "registration_check"), {**found, "left": "tcv"})
    assert RegistrationDraft.objects.get().saved_by.email == OWNER
    assert found["tcv"] == ("1.111.111.111.111.111.111" if len(amount) == 19 else amount.replace("-0", "0"))


@pytest.mark.parametrize("here", ["//[", "http://[::1"])
def test_an_address_that_is_none_is_no_page(live: Live, here: str) -> None:
    owner, deal = live.browser(OWNER), live.deal()
    assert owner.get(reverse("palette"), {"here": here}).status_code == 200
    for page in (reverse("palette"), reverse("deal", args=[deal.public_id])):
        assert owner.get(page, headers={"Referer": here}).status_code == 200


def test_ref_20_an_address_in_a_field_brings_no_character_that_no_text_holds(live: Live) -> None:
    owner, deals = live.browser(OWNER), reverse("deals")
    sent = {"list": "q=%00a&exact=1", "name": "n", "is_default": "on"}
    assert owner.post(reverse("save_view", args=["deals"]), sent).status_code == 302
    assert owner.post(reverse("save_view", args=["deals"]), sent).status_code == 302, "the button was pressed twice"
    assert owner.get(deals, follow=True).status_code == 200
    assert owner.post(reverse("save_view", args=["deals"]), sent | {"name": "\u200b"}).status_code == 422


@pytest.mark.parametrize("campaign", ["Q4  fair", "Q4\u00a0fair", "Fuar \U0001f468\u200d\U0001f469"])
def test_ref_17_every_character_of_a_campaign_counts(live: Live, campaign: str) -> None:
    live.deal(campaign_id=campaign)
    page = parse(live.browser(OWNER).get(reverse("insights")))
    of_campaign = [a.attrs for a in page.all("a") if "campaign=" in a.attrs["href"]]
    (link,) = {a["href"] for a in of_campaign if a.get("data-figure") == "1" and "won" not in a["href"]}
    assert len(parse(live.browser(OWNER).get(link)).one("tbody").all("a", class_="o-rowlink")) == 1


def test_a_year_in_which_nobody_sold_is_no_day() -> None:
    assert [read_day(typed) for typed in ("5.11.0026", "0001-01-01", "5 Nov 26")] == [None] * 3
    assert read_day("1 Jan 1990") == date(1990, 1, 1)
