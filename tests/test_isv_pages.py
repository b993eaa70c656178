"""The pages of ISV Connect deals: reported, checked, corrected, cancelled, and shown with their invoices (ISV-1..7)."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from isvconnect.models import IsvDeal
from isvconnect.web import parts
from portal.demo.cast import ANKARA, ISTANBUL
from portal.workflow import text
from portal.workflow.blockers import Money
from referrals.models import Referral
from referrals.web.deal import Part
from tests import build, do, isv
from tests.edge import STRANGER, Element, Live, parse

OWNER, TEAM, VIEWER, MANAGER = build.CONTOSO, "user@contoso.example", "viewer@contoso.example", isv.MANAGER
HOSTILE = '<b>Fırın</b> & "İçki" 🙂 شركة %(x)s {{ x }}'


@pytest.fixture
def owner(live: Live) -> Client:
    return live.browser(OWNER)


def filled(live: Live, **changes: Any) -> dict[str, Any]:
    """Three years from today on, of 15,000 EUR, as a browser sends it."""
    start = live.now.date()
    given = {
        "key": uuid.uuid4(),
        "location": live.cast.locations[ISTANBUL].pk,
        "country": "TR",
        "customer_search": "Anadolu",
        "customer": live.cast.customers["anadolu"].public_id,
        "solution": isv.tagged(live.cast).public_id,
        "tcv": "15.000,00",
        "tcv_currency": "EUR",
        "solution_value": "12000",
        "solution_value_currency": "EUR",
        "deployment": "azure",
        "tenant": "customer",
        "tenant_guid": isv.TENANT,
        "signed": start,
        "start": start,
        "end": years_later(start, 3) - timedelta(days=1),
        "contact_first_name": "Umut",
        "contact_last_name": "Öztürk",
        "contact_phone": "+90 212 555 01 00",
        "contact_email": "user@contoso.example",
    }
    return {**given, **changes}


def years_later(day: date, years: int) -> date:
    return day.replace(year=day.year + years, day=min(day.day, 28) if day.month == 2 else day.day)


def reported(live: Live, **changes: Any) -> IsvDeal:
    start = live.now.date()
    dates = {"signed": start, "start": start, "end": years_later(start, 3) - timedelta(days=1)}
    return isv.deal(live.cast, now=live.now, **{**dates, **changes})


def won(live: Live, **changes: Any) -> Referral:
    """With the banner: worth 44,000 USD, its solution carries both tags."""
    return live.won(**{"solutions": [isv.tagged(live.cast)], **changes})


def own(deal: IsvDeal) -> str:
    return reverse("isv_deal", args=[deal.public_id])


def verb(deal: IsvDeal, name: str) -> str:
    return reverse("isv_deal_action", args=[deal.public_id, name])


def of(referral: Referral) -> str:
    return reverse("report_isv_deal_of", args=[referral.public_id])


def page(response: Any, code: int = 200) -> Element:
    assert response.status_code == code, response.status_code
    return parse(response)


def said(form: Element, name: str) -> str:
    return form.one("div", id=f"id_{name}_error").text


REPORT = "/isvconnect/deals/new/"

# Reporting directly -----------------------------------------------------------------------------------------------


def test_isv_3_the_form_offers_tagged_solutions_only_and_says_the_minimum(live: Live, owner: Client) -> None:
    form = page(owner.get(REPORT))
    offered = [option.text for option in form.one("select", id="id_solution").all("option")]
    assert offered == [
        "Choose a solution",
        "Contoso Field Service (SOL-10003-CTS)",
        "Contoso Perakende Bulutu (SOL-10002-CTS)",
    ]
    assert "Check the tag of its offer." in form.one("div", id="id_solution_helptext").text
    assert "must be above 5,000 USD" in form.one("section", id="value").text
    fields = form.one("form", id="isv-form").fields()
    assert fields["contact_email"] == OWNER
    assert fields["location"] == ""


def test_isv_2_a_sale_is_reported_with_its_schedule(live: Live, owner: Client) -> None:
    isv.rates(live.cast)
    answer = owner.post(REPORT, filled(live))
    deal = IsvDeal.objects.get()
    assert answer["Location"] == own(deal)
    assert (deal.tcv, deal.solution_value, deal.referral) == (Decimal(15_000), Decimal(12_000), None)
    shown = page(owner.get(own(deal)))
    assert "The deal was submitted." in shown.text
    rows = [row.text for row in shown.one("section", id="invoices").one("tbody").all("tr")]
    assert len(rows) == 3
    assert all("4,000 800" in row for row in rows)
    assert "Total 12,000 2,400" in shown.one("section", id="invoices").one("tfoot").text


def test_isv_3_everything_wrong_stands_at_its_field_with_what_was_typed(live: Live, owner: Client) -> None:
    today = live.now.date()
    wrong = filled(
        live,
        customer="",
        tcv="4000",
        solution_value="4500",
        tenant_guid="my tenant",
        signed=today + timedelta(days=2),
        start=today,
        end=today - timedelta(days=9),
        contact_email="nobody",
        contact_last_name="",
        contact_first_name=HOSTILE,
    )
    form = page(owner.post(REPORT, wrong), 422)
    assert not IsvDeal.objects.exists()
    sent = form.one("form", id="isv-form").fields()
    for name in ("tcv", "solution_value", "tenant_guid", "contact_first_name", "contact_email", "customer_search"):
        assert sent[name] == str(wrong[name]), name
    for name, words in {
        "customer": "Choose the customer.",
        "tcv": "has to be above 5,000 USD",
        "solution_value": "can't be above the total contract value",
        "tenant_guid": "This is no tenant id",
        "signed": "can't have been signed after today",
        "start": "can't start before it was signed",
        "end": "can't end before it starts",
        "contact_last_name": "Give the last name",
        "contact_email": "not an e-mail address",
    }.items():
        assert words in said(form, name), name
    linked = [a.attrs["href"] for a in form.one("div", class_="o-errors").all("a") if "#" in a.attrs["href"]]
    assert {"#id_tcv", "#id_signed", "#id_customer"} <= set(linked)


def test_isv_3_an_empty_form_and_a_huge_one_are_refused_politely(live: Live, owner: Client) -> None:
    empty = page(owner.post(REPORT, {}), 422)
    assert "Choose the solution that was sold." in said(empty, "solution")
    for name in ("location", "tcv", "deployment", "tenant", "signed", "start", "end", "contact_phone"):
        assert said(empty, name), name
    huge = dict.fromkeys(("tcv", "solution_value", "contact_first_name", "contact_phone", "tenant_guid"), "9" * 5_000)
    form = page(owner.post(REPORT, filled(live, **huge, customer="no-uuid", solution="x", location="0" * 99)), 422)
    for name in (*huge, "customer", "solution", "location"):
        assert said(form, name), name
    assert not IsvDeal.objects.exists()


def test_isv_3_the_dry_run_saves_nothing_with_and_without_javascript(live: Live, owner: Client) -> None:
    isv.rates(live.cast)
    sent = filled(live, tcv="4000", contact_phone="", left="solution_value")
    typed = owner.post(REPORT, {**sent, "check": "typed"}, headers={"HX-Request": "true"})
    part = page(typed)
    assert "3 invoices" in part.one("section", id="schedule").text
    assert "Fee: 20% of the solution value" in part.one("section", id="schedule").text
    assert "can't be above the total contract value" in said(part, "solution_value")
    assert not said(part, "contact_phone")
    assert "1 answer is missing" in part.one("div", id="judgement").text
    whole = page(owner.post(REPORT, {**sent, "check": "yes"}))
    assert whole.one("form", id="isv-form").fields()["tcv"] == "4000"
    assert "has to be above 5,000 USD" in said(whole, "tcv")
    assert "Give the phone number" in said(whole, "contact_phone")
    good = page(owner.post(REPORT, {**filled(live), "check": "yes"}))
    assert "This deal can be submitted" in good.text
    assert not IsvDeal.objects.exists()


def test_isv_6_without_a_rate_in_force_the_form_says_so_and_the_deal_is_taken(live: Live, owner: Client) -> None:
    isv.rates(live.cast, since=live.day(1))
    part = page(owner.post(REPORT, {**filled(live), "check": "yes"}))
    assert "No fee rate was in force on the day of the signing." in part.one("section", id="schedule").text
    owner.post(REPORT, filled(live))
    shown = page(owner.get(own(IsvDeal.objects.get())))
    assert "The invoices wait for a fee rate." in shown.text
    assert shown.one("section", id="invoices").text.count("waits for a fee rate") == 3


def test_isv_3_a_long_contract_lists_its_first_invoices_only(live: Live, owner: Client) -> None:
    sent = filled(live, end=live.now.date() + timedelta(days=366 * 40), check="yes")
    part = page(owner.post(REPORT, sent))
    assert len(part.one("section", id="schedule").one("tbody").all("tr")) == 13
    assert "more" in part.one("section", id="schedule").text


def test_isv_2_a_form_sent_twice_reports_one_deal(live: Live, owner: Client) -> None:
    sent = filled(live)
    first, second = owner.post(REPORT, sent), owner.post(REPORT, sent)
    assert first["Location"] == second["Location"] == own(IsvDeal.objects.get())
    owner.post(REPORT, {**sent, "key": uuid.uuid4()})
    assert IsvDeal.objects.count() == 2


def test_isv_5_a_form_that_was_changed_and_sent_again_is_refused_and_comes_back(live: Live, owner: Client) -> None:
    sent = filled(live)
    owner.post(REPORT, sent)
    refused = page(owner.post(REPORT, {**sent, "contact_first_name": "Ayça"}), 422)
    assert "This form was sent already" in refused.text
    assert refused.one("form", id="isv-form").fields()["contact_first_name"] == "Ayça"
    assert IsvDeal.objects.get().contact_first_name != "Ayça"


def test_isv_3_without_javascript_the_customer_is_found_first(live: Live, owner: Client) -> None:
    form = page(owner.post(REPORT, {"country": "TR", "customer_search": "anadolu", "find": "1", "tcv": "7"}))
    assert len(form.one("div", id="customers").all("input")) == 2
    assert form.one("form", id="isv-form").fields()["tcv"] == "7"
    assert not form.all("div", class_="o-errors")


def test_isv_7_only_admins_of_a_location_report(live: Live) -> None:
    for person, code in {
        TEAM: 403,
        VIEWER: 403,
        MANAGER: 403,
        build.SELLER: 403,
        "ankara@contoso.example": 200,
    }.items():
        assert live.browser(person).get(REPORT).status_code == code, person
    ankara = live.browser("ankara@contoso.example")
    form = page(ankara.get(REPORT))
    assert [o.text for o in form.one("select", id="id_location").all("option")] == [str(live.cast.locations[ANKARA])]
    refused = page(ankara.post(REPORT, filled(live)), 422)
    assert said(refused, "location")
    assert not IsvDeal.objects.exists()


def test_isv_3_a_company_without_tagged_solutions_is_told(live: Live) -> None:
    shown = page(live.browser(STRANGER).get(REPORT))
    assert "No solution of your company has an ISV Connect tag." in shown.text
    assert not shown.all("form", id="isv-form")


# From a referral --------------------------------------------------------------------------------------------------


def panel(response: Any) -> str:
    found = page(response).all("section", id="isv-criteria")
    return found[0].text if found else ""


BANNER = "Registration for Business Applications ISV Connect is required on this sale"


def deal_page(client: Client, referral: Referral) -> Any:
    return client.get(reverse("deal", args=[referral.public_id]))


def test_isv_1_before_the_win_the_page_shows_the_criterion_as_met_or_not(live: Live, owner: Client) -> None:
    tagged = live.accepted(solutions=[isv.tagged(live.cast, "standard")])
    assert "Once this deal is won it has to be registered" in panel(deal_page(owner, tagged))
    small = live.accepted(solutions=[isv.tagged(live.cast)], value=Money(Decimal(4_545), "EUR"))
    assert "needn't be registered for ISV Connect" in panel(deal_page(owner, small))
    assert "4,999.50 USD" in panel(deal_page(owner, small))
    assert "Not met: no solution of yours" in panel(deal_page(owner, live.accepted()))
    assert BANNER not in deal_page(owner, tagged).content.decode()


def test_isv_2_after_the_win_the_banner_leads_to_the_form(live: Live, owner: Client) -> None:
    """Also of a private deal, to which no criterion of ELIG applies (ISV-1)."""
    secret = {"help_code": "Unknown", "vendor_may_view": False}
    deal = do.win(
        live.deal(solutions=[isv.tagged(live.cast, "standard")], **secret),
        actor=live.cast.actor(OWNER), now=live.now,
    )  # fmt: skip
    shown = page(deal_page(owner, deal))
    assert BANNER in shown.text
    assert "Do that first" not in shown.text
    link = shown.one("footer").one("a", class_="btn-primary")
    assert [a.attrs["href"] for a in (link, shown.one("div", class_="o-banner--warning").one("a"))] == [of(deal)] * 2
    assert link.text == "Register for ISV Connect"


def test_isv_2_where_both_registrations_apply_the_order_is_recommended(live: Live, owner: Client) -> None:
    deal = won(live)
    assert "Do that first: what you enter there is filled in here." in page(deal_page(owner, deal)).text
    form = page(owner.get(of(deal)))
    assert "File the co-sell registration first." in form.text
    assert reverse("registration", args=[deal.public_id]) in form.text or form.all("a", class_="btn")
    live.submitted(deal)
    assert "Do that first" not in page(deal_page(owner, deal)).text


def test_isv_2_nothing_shows_to_the_vendor_or_the_other_partner(live: Live) -> None:
    """ORG-6: whether a partner has to report is its own business."""
    deal = won(live)
    seller = live.browser(build.SELLER)
    for shown in (deal_page(seller, deal), deal_page(seller, build.vendor_copy(deal))):
        assert shown.status_code == 200
        assert "ISV Connect" not in page(shown).one("main").text
    assert live.browser(STRANGER).get(of(deal)).status_code == 404
    assert seller.get(of(deal)).status_code == 404


def test_isv_4_the_form_is_prefilled_from_the_registration(live: Live, owner: Client) -> None:
    deal = won(live)
    filed = live.submitted(deal, tenant="partner").claim
    form = page(owner.get(of(deal)))
    sent = form.one("form", id="isv-form").fields()
    assert (sent["tcv"], sent["solution_value"], sent["tenant"]) == ("40,000", "30,000", "partner")
    assert (sent["signed"], sent["end"]) == (text.day(filed.signed), text.day(filed.end))
    assert sent["solution"] == str(isv.tagged(live.cast).public_id)
    assert not {"customer", "location"} & set(sent)
    assert deal.engagement.customer.name in form.one("section", id="customer").text
    answer = owner.post(of(deal), {**sent, "tenant_guid": ""})
    made = IsvDeal.objects.get()
    assert answer["Location"] == own(made)
    assert (made.referral, made.customer, made.location) == (deal, deal.engagement.customer, deal.location)


def test_isv_7_one_deal_for_each_referral_and_links_both_ways(live: Live, owner: Client) -> None:
    deal = won(live)
    live.submitted(deal)
    sent = page(owner.get(of(deal))).one("form", id="isv-form").fields() | {"tenant_guid": isv.TENANT}
    first, second = owner.post(of(deal), sent), owner.post(of(deal), sent)
    made = IsvDeal.objects.get()
    assert first["Location"] == second["Location"] == own(made)
    assert owner.get(of(deal))["Location"] == own(made)
    shown = page(deal_page(owner, deal))
    assert BANNER not in shown.text
    assert own(made) in [a.attrs["href"] for a in shown.all("a")]
    back = page(owner.get(own(made)))
    assert reverse("deal", args=[deal.public_id]) in [a.attrs["href"] for a in back.all("a")]


def test_isv_2_what_is_not_won_or_not_tagged_gets_no_form(live: Live, owner: Client) -> None:
    early, untagged = live.accepted(solutions=[isv.tagged(live.cast)]), live.won()
    for deal, why in ((early, "once the deal is won"), (untagged, "carries the ISV Connect tag")):
        shown = page(owner.get(of(deal)))
        assert why in shown.text
        assert not shown.all("form", id="isv-form")
        assert owner.post(of(deal), filled(live)).status_code == 422
    assert not IsvDeal.objects.exists()


def test_isv_7_the_team_of_the_referral_reports_and_others_dont(live: Live) -> None:
    deal = won(live)
    assert live.browser(TEAM).get(of(deal)).status_code == 200
    assert live.browser(VIEWER).get(of(deal)).status_code == 403
    assert live.browser("ankara@contoso.example").get(of(deal)).status_code == 404
    shown = page(deal_page(live.browser(VIEWER), deal))
    assert BANNER in shown.text
    assert of(deal) not in [a.attrs["href"] for a in shown.all("a")]


# The deal's page --------------------------------------------------------------------------------------------------


def test_isv_5_each_state_shows_what_there_is_and_what_can_be_done(live: Live, owner: Client) -> None:
    isv.rates(live.cast)
    manager = live.browser(MANAGER)
    submitted = reported(live)
    shown = page(owner.get(own(submitted)))
    assert "Until then the deal can be corrected." in shown.text
    assert verb(submitted, "correct") in [a.attrs["href"] for a in shown.one("footer").all("a")]
    assert verb(submitted, "cancel") not in [a.attrs["href"] for a in shown.all("a")]
    seen = page(manager.get(own(submitted)))
    assert verb(submitted, "cancel") in [a.attrs["href"] for a in seen.one("footer").all("a")]
    do.issue_invoices(submitted, now=live.now + timedelta(days=1))
    shown = page(owner.get(own(submitted)))
    assert "In progress." in shown.text
    assert verb(submitted, "correct") not in [a.attrs["href"] for a in shown.all("a")]
    assert "1 of 3 invoices" in shown.one("section", class_="o-life__part").text
    cancelled = isv.cancelled(live.cast, of=IsvDeal.objects.get(), now=live.now, credit_issued=True)
    shown = page(owner.get(own(cancelled)))
    assert "The sale was rescinded." in shown.text
    assert "Credit note" in shown.one("section", id="invoices").text
    assert len(shown.one("section", id="invoices").one("tbody").all("tr")) == 1


def test_isv_6_invoices_are_downloaded_as_pdf_and_csv(live: Live, owner: Client) -> None:
    isv.rates(live.cast)
    deal = do.issue_invoices(reported(live), now=live.now + timedelta(days=1))
    invoice = deal.invoices.get()
    links = [a.attrs["href"] for a in page(owner.get(own(deal))).one("section", id="invoices").all("a")]
    kinds = {"application/pdf": b"%PDF", "text/csv; charset=utf-8": "\ufeff".encode()}
    found = {owner.get(link)["Content-Type"]: owner.get(link).content for link in links}
    assert set(found) == set(kinds)
    assert found["application/pdf"].startswith(b"%PDF")
    assert invoice.number.encode() in found["text/csv; charset=utf-8"]
    for name, key in (("isv_invoice", invoice), ("isv_invoice_csv", invoice), ("isv_invoices_csv", deal)):
        address = reverse(name, args=[key.public_id])
        assert f"{invoice.number}" in owner.get(address)["Content-Disposition"] or key is deal
        assert live.browser(MANAGER).get(address).status_code == 200
        for person in (STRANGER, "ankara@contoso.example"):
            assert live.browser(person).get(address).status_code == 404, (name, person)
        assert owner.get(reverse(name, args=[uuid.uuid4()])).status_code == 404


def test_isv_7_a_deal_of_another_company_or_location_is_unknown(live: Live) -> None:
    deal = reported(live)
    for person in (STRANGER, "ankara@contoso.example", TEAM):
        browser = live.browser(person)
        for address in (own(deal), verb(deal, "correct"), verb(deal, "cancel")):
            assert browser.get(address).status_code == 404, (person, address)
    for person, code in {VIEWER: 403, MANAGER: 403, OWNER: 200}.items():
        assert live.browser(person).get(own(deal)).status_code == 200, person
        assert live.browser(person).get(verb(deal, "correct")).status_code == code, person
    assert live.browser(OWNER).get(verb(deal, "cancel")).status_code == 403
    assert live.browser(MANAGER).get(verb(deal, "issue_invoices")).status_code == 404


def test_org_6_a_private_referral_is_not_named_to_the_vendor(live: Live) -> None:
    secret = {"help_code": "Unknown", "vendor_may_view": False, "name": "Between us"}
    deal = live.deal(solutions=[isv.tagged(live.cast)], **secret)
    do.win(deal, actor=live.cast.actor(OWNER), now=live.now)
    made = isv.deal(live.cast, referral=deal, now=live.now)
    assert "Between us" in page(live.browser(OWNER).get(own(made))).text
    assert "Between us" not in page(live.browser(MANAGER).get(own(made))).text


# Correcting and cancelling ----------------------------------------------------------------------------------------


def test_isv_5_a_submitted_deal_is_corrected_and_the_schedule_follows(live: Live, owner: Client) -> None:
    isv.rates(live.cast)
    deal = reported(live)
    form = page(owner.get(verb(deal, "correct")))
    sent = form.one("form", id="isv-form").fields()
    assert sent["customer"] == str(deal.customer.public_id)
    assert "location" not in sent
    end = years_later(live.now.date(), 2) - timedelta(days=1)
    answer = owner.post(verb(deal, "correct"), {**sent, "end": end, "contact_first_name": HOSTILE})
    assert answer["Location"] == own(deal)
    shown = page(owner.get(own(deal)))
    assert len(shown.one("section", id="invoices").one("tbody").all("tr")) == 2
    assert HOSTILE in shown.text


def test_isv_5_who_corrects_a_stale_page_sees_the_difference(live: Live, owner: Client) -> None:
    """REF-21: with the value there is now, and what was typed stays."""
    deal = reported(live)
    sent = page(owner.get(verb(deal, "correct"))).one("form", id="isv-form").fields()
    owner.post(verb(deal, "correct"), {**sent, "contact_phone": "1"})
    stale = page(owner.post(verb(deal, "correct"), {**sent, "contact_phone": "2"}), 422)
    assert "it is now “1”" in said(stale, "contact_phone")
    again = stale.one("form", id="isv-form").fields()
    assert again["contact_phone"] == "2"
    assert owner.post(verb(deal, "correct"), again)["Location"] == own(deal)
    assert IsvDeal.objects.get().contact_phone == "2"


def test_isv_5_after_the_first_invoice_there_is_no_correction(live: Live, owner: Client) -> None:
    isv.rates(live.cast)
    deal = reported(live)
    sent = page(owner.get(verb(deal, "correct"))).one("form", id="isv-form").fields()
    do.issue_invoices(deal, now=live.now + timedelta(days=1))
    for answer in (owner.get(verb(deal, "correct")), owner.post(verb(deal, "correct"), sent)):
        shown = parse(answer)
        assert "This can't be done now." in shown.text
        assert not shown.all("form", id="isv-form")
    assert IsvDeal.objects.get().version == isv.again(deal).version


def test_isv_5_the_manager_cancels_with_a_reason(live: Live) -> None:
    manager, deal = live.browser(MANAGER), reported(live)
    form = page(manager.get(verb(deal, "cancel")))
    assert "This is final." in form.text
    assert not form.all("input", name="credit_issued")
    refused = page(manager.post(verb(deal, "cancel"), {"reason": " ", "version": deal.version}), 422)
    assert said(refused, "reason")
    answer = manager.post(verb(deal, "cancel"), {"reason": HOSTILE, "version": deal.version})
    assert answer["Location"] == own(deal)
    assert HOSTILE in page(live.browser(OWNER).get(own(deal))).text


# Around it --------------------------------------------------------------------------------------------------------


def test_isv_2_home_names_what_has_to_be_reported(live: Live, owner: Client) -> None:
    deal = won(live, name="Bakery")
    live.won(name="Untagged")

    def needs(client: Client) -> dict[str, str]:
        found = page(client.get("/")).one("section", id="needs").all("a", class_="o-need")
        return {a.attrs["href"]: a.text for a in found if "ISV" in a.text}

    assert list(needs(owner)) == list(needs(live.browser(TEAM))) == [of(deal)]
    assert "Register for ISV Connect: Bakery" in needs(owner)[of(deal)]
    for person in (VIEWER, STRANGER, build.SELLER, MANAGER):
        assert needs(live.browser(person)) == {}, person
    isv.deal(live.cast, referral=deal, now=live.now)
    assert needs(owner) == {}


def test_isv_5_the_search_finds_deals_by_customer_id_and_referral(live: Live, owner: Client) -> None:
    direct = reported(live, customer=live.cast.customers["ege"].pk)
    referral = won(live, name="Bakery")
    from_referral = isv.deal(live.cast, referral=referral, now=live.now)

    def hits(client: Client, query: str) -> list[str]:
        found = page(client.get(reverse("search"), {"q": query})).all("section", id="isv-deals-found")
        return [a.attrs["href"] for section in found for a in section.all("a", class_="o-need")]

    assert hits(owner, "ege teks") == hits(owner, str(direct.public_id)) == [own(direct)]
    assert hits(owner, "bakery") == [own(from_referral)]
    assert hits(live.browser(MANAGER), "ege") == [own(direct)]
    assert hits(live.browser(STRANGER), "ege") == hits(live.browser(TEAM), "ege") == []


def test_isv_6_insights_count_value_fees_and_what_is_to_come(live: Live, owner: Client) -> None:
    isv.rates(live.cast)
    deal = reported(live)
    reported(live, solution=isv.tagged(live.cast, "standard").pk)
    isv.cancelled(live.cast, now=live.now)
    do.issue_invoices(deal, now=live.now + timedelta(days=1))

    def rows(client: Client, chart: str) -> list[str]:
        section = page(client.get(reverse("insights"))).one("section", id=chart)
        return [row.text for row in section.all("tr")]

    for client in (owner, live.browser(MANAGER)):
        assert rows(client, "isv-value")[1:] == [
            "Standard 1 16,500 13,200",
            "Premium 1 16,500 13,200",
            "All 2 33,000 26,400",
        ]
        assert "Waiting" not in " ".join(rows(client, "isv-open"))
        assert rows(client, "isv-open")[-1].split()[1] == "5"
    day = live.day(1)
    custom = {"period": "custom", "first": day.isoformat(), "last": day.isoformat()}
    fees = page(owner.get(reverse("insights"), custom)).one("section", id="isv-fees")
    assert fees.one("tfoot").text == "Entire period 0 880 880"
    assert [a.attrs["href"] for a in fees.one("tbody").all("a")]
    nobody = page(live.browser("referrals@northwind.example").get(reverse("insights")))
    assert not nobody.all("section", id="isv-value")


def test_another_app_adds_its_button_to_the_deals_page(
    live: Live, owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RD: where *Manage licences* stands; no app above is named here."""
    monkeypatch.setattr(parts.PARTS, "_places", {})
    shown = {parts.COMMANDS: "isvconnect/_hit_badge.html"}
    parts.PARTS.add("test", lambda deal, _actor, _now: Part({"hit": {"thing": deal}}, shown), order=1)
    commands = page(owner.get(own(reported(live)))).one("div", class_="o-commands")
    assert commands.text == "Submitted"


def test_pages_of_isv_connect_ask_as_often_for_many_rows_as_for_few(live: Live, owner: Client) -> None:
    isv.rates(live.cast)
    short, long = reported(live), reported(live, end=years_later(live.now.date(), 9))
    for deal in (short, long):
        do.issue_invoices(deal, now=live.now + timedelta(days=1))

    def asked(address: str) -> int:
        owner.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert owner.get(address).status_code == 200
        return len(queries)

    assert asked(own(short)) == asked(own(long)) <= 16
    assert asked(REPORT) <= 16
    assert asked(of(won(live))) <= 32
