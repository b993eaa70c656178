"""ISV Connect deals by their verbs: reporting, correcting, invoicing, cancelling, and who hears of it (ISV-1 to 7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from dealreg.models import Registration
from dealreg.services import drafts
from isvconnect import policies, sweeps
from isvconnect.models import FeeRate, Installment, Invoice, InvoiceRun, InvoiceSeries, IsvDeal
from isvconnect.selectors import deals as selectors
from isvconnect.selectors.prefill import prefill
from isvconnect.services import deals as services
from isvconnect.services import fee_rates
from isvconnect.verbs import invoicing
from portal.accounts import services as accounts
from portal.accounts.rules import SYSTEM, Actor, Grant
from portal.catalog.models import Solution
from portal.demo.cast import ANKARA, ISTANBUL, Cast
from portal.events.models import Event
from portal.notify.models import Notice
from portal.workflow import services as workflow
from portal.workflow.blockers import Money, RuleViolation
from referrals import rules
from referrals.models import Referral
from tests import build, do, isv
from tests.factories import PersonFactory
from tests.isv import CONTOSO, DAY, MANAGER, NOW, TODAY

pytestmark = pytest.mark.django_db

PRIVATE = {"help_code": rules.NO_HELP, "vendor_may_view": False}


def codes(call: Any, *given: Any, **more: Any) -> list[str]:
    with pytest.raises(RuleViolation) as refused:
        call(*given, **more)
    return refused.value.codes


# Reporting


def test_isv_5_isv_6_from_the_report_to_the_last_invoice(cast: Cast) -> None:
    """ISV-5, ISV-6: one invoice for each contract year at its start, numbered, at the rate of the signing."""
    isv.rates(cast)
    deal = isv.deal(cast)
    assert (deal.status, deal.tag, deal.percent) == ("submitted", "premium", Decimal(20))
    assert [year.fee for year in deal.installments.in_order()] == [Decimal("800.00")] * 3
    states = []
    for year in range(3):
        run = sweeps.issue_due(now=NOW + DAY + year * 365 * DAY)
        states.append((run.deals, run.issued, isv.again(deal).status))
    assert states == [(1, 1, "invoiced"), (1, 1, "invoiced"), (1, 1, "completed")]
    assert isv.numbers(deal) == ["ISV-000001", "ISV-000002", "ISV-000003"]
    assert {i.amount for i in Invoice.objects.all()} == {Decimal("800.00")}
    assert isv.again(deal).completed_at == NOW + DAY + 2 * 365 * DAY
    assert not IsvDeal.objects.to_invoice((NOW + 2000 * DAY).date()).exists()


def test_isv_1_isv_2_a_private_won_deal_is_reported_too(cast: Cast) -> None:
    """ISV-1: no criterion of co-sell registration applies."""
    kept = build.deal(cast, solutions=[isv.tagged(cast, "standard")], **PRIVATE)
    referral = do.win(kept, actor=cast.actor(CONTOSO), now=NOW)
    assert not Registration.objects.filter(referral=referral).exists()
    deal = isv.deal(cast, referral=referral, solution=isv.tagged(cast, "standard").pk)
    assert (deal.referral, deal.group, deal.tag) == (referral, referral.event_group, "standard")


def test_isv_2_only_a_won_deal_is_reported(cast: Cast) -> None:
    open_deal = build.accepted(cast, solutions=[isv.tagged(cast)])
    assert codes(isv.deal, cast, referral=open_deal) == ["isv_not_won"]


def test_isv_2_from_a_referral_only_what_was_sold_there(cast: Cast) -> None:
    """ISV-2, ISV-3: the referral's tagged solutions, its customer and its location."""
    referral = isv.won(cast)
    field = isv.tagged(cast, "standard").pk
    other = cast.customers["ege"].pk
    ankara = cast.locations[ANKARA].pk
    found = codes(isv.deal, cast, referral=referral, solution=field, customer=other, location=ankara)
    assert found == ["location_of_referral", "customer_of_referral", "solution_not_tagged"]


def test_isv_3_solutions_are_the_companys_own_and_tagged(cast: Cast) -> None:
    Solution.objects.filter(pk=cast.solutions["twin"].pk).update(biz_apps="premium")
    for name in ("factory", "twin"):  # not tagged; Fabrikam's
        assert codes(isv.deal, cast, solution=cast.solutions[name].pk) == ["solution_not_tagged"]
    offered = selectors.tagged_solutions(cast.actor(CONTOSO))
    assert [s.name for s in offered] == ["Contoso Field Service", "Contoso Perakende Bulutu"]


def test_isv_3_org_6_a_customer_that_another_company_named_is_unknown(cast: Cast) -> None:
    customer = cast.customers["ege"]
    type(customer).objects.filter(pk=customer.pk).update(added_by=cast.companies["fabrikam"], confirmed_at=None)
    assert codes(isv.deal, cast, customer=customer.pk) == ["customer_unknown"]


def test_isv_7_at_most_one_standing_deal_of_a_referral(cast: Cast) -> None:
    """ISV-7: the second is refused, by the rules and by the database; after a cancellation there may be another."""
    referral = isv.won(cast)
    first = isv.deal(cast, referral=referral)
    assert codes(isv.deal, cast, referral=referral) == ["isv_deal_exists"]
    row = IsvDeal.objects.filter(pk=first.pk).values().get()
    same = {name: value for name, value in row.items() if name not in ("id", "public_id", "creation_key")}
    with pytest.raises(IntegrityError), transaction.atomic():
        IsvDeal.objects.create(**same)
    isv.cancelled(cast, of=first)
    assert isv.deal(cast, referral=referral).status == "submitted"


def test_isv_2_a_double_click_reports_one_deal(cast: Cast) -> None:
    key, actor = uuid4(), cast.actor(CONTOSO)
    found = [services.report(isv.form(cast), actor=actor, now=NOW, key=key) for _click in range(2)]
    assert found[0] == found[1]
    assert IsvDeal.objects.count() == 1


def test_fx_2_isv_1_the_rate_of_the_month_of_first_submission(cast: Cast) -> None:
    """FX-2, ISV-1: a correction in another month is judged at the rates of the first submission."""
    deal = isv.deal(cast, now=NOW)
    assert deal.rates == {"EUR": {"month": "2026-11-01", "usd_per_unit": "1.100000000000"}}
    later = do.correct_isv_deal(
        deal, isv.form(cast, tcv=Money(Decimal(20_000), "EUR")), actor=cast.actor(CONTOSO), now=NOW + 40 * DAY
    )
    assert (later.tcv_usd, later.solution_value_usd) == (Decimal("22000.00"), Decimal("13200.00"))
    assert later.rates == deal.rates


def test_isv_3_the_dry_run_is_the_report(cast: Cast) -> None:
    """ISV-3, ISV-6: it shows all violations and the invoices there would be, and writes nothing."""
    isv.rates(cast)
    actor, bad = cast.actor(CONTOSO), isv.form(cast, deployment=None, start=TODAY - 9 * DAY)
    found = services.check(bad, actor=actor, now=NOW)
    assert [b.code for b in found.violations] == ["deployment_required", "start_before_signed"]
    assert codes(do.report_isv_deal, bad, actor=actor, now=NOW) == [b.code for b in found.violations]
    good = services.check(isv.form(cast), actor=actor, now=NOW)
    assert (good.years[0].due_on, good.years[0].fee) == (TODAY + DAY, Decimal("800.00"))
    assert not IsvDeal.objects.exists()


# Who


def test_isv_7_who_reports_and_corrects(cast: Cast) -> None:
    """ISV-7, ORG-2, ORG-3: a referrals admin of the location; of a referral whoever may register it."""
    assert codes(isv.deal, cast, by="ankara@contoso.example") == ["location_not_yours"]
    deal = isv.deal(cast, by="ankara@contoso.example", location=cast.locations[ANKARA].pk)
    for email in ("user@contoso.example", "viewer@contoso.example", "admin@contoso.example", "seller@vendor.example"):
        with pytest.raises(PermissionDenied):
            isv.deal(cast, by=email)
        with pytest.raises(PermissionDenied):
            do.correct_isv_deal(deal, deal.claim, actor=cast.actor(email), now=NOW)
    on_team = isv.won(cast)  # its team lists user@contoso.example
    user = cast.actor("user@contoso.example")
    reported = isv.deal(cast, referral=on_team, by="user@contoso.example")
    assert do.correct_isv_deal(reported, reported.claim, actor=user, now=NOW).version == 2
    assert policies.may_manage_licences(user, reported)
    assert not policies.may_manage_licences(user, isv.again(deal))


def test_isv_7_who_reads(cast: Cast) -> None:
    """ISV-7, ORG-2, ORG-6: the scope's admins and viewers, the team of its referral, the vendor's people."""
    ankara = isv.deal(cast, location=cast.locations[ANKARA].pk)
    of_team = isv.deal(cast, referral=isv.won(cast))
    readers = {
        CONTOSO: [ankara, of_team],
        "viewer@contoso.example": [ankara, of_team],
        "admin@contoso.example": [ankara, of_team],
        "ankara@contoso.example": [ankara],
        "user@contoso.example": [of_team],
        "referrals@fabrikam.example": [],
        MANAGER: [ankara, of_team],
        "seller@vendor.example": [ankara, of_team],
    }
    for email, expected in readers.items():
        actor = cast.actor(email)
        assert list(IsvDeal.objects.visible_to(actor).order_by("pk")) == expected, email
        assert [d for d in (ankara, of_team) if policies.may_read(actor, isv.again(d))] == expected, email


def test_isv_5_programme_managers_cancel(cast: Cast) -> None:
    deal = isv.deal(cast)
    for email in (CONTOSO, "reviewer@vendor.example", "seller@vendor.example"):
        with pytest.raises(PermissionDenied):
            do.cancel_isv_deal(deal, "Why not?", actor=cast.actor(email), now=NOW)
    with pytest.raises(PermissionDenied):
        workflow.run(deal, isv_verb("issue_invoices"), actor=cast.actor(MANAGER), now=NOW)


def isv_verb(name: str) -> Any:
    return workflow.machine_of(IsvDeal()).by_name[name]


# The referral


def test_isv_1_isv_2_the_banner(cast: Cast) -> None:
    """ISV-1, ISV-2: before the win the criteria only; then the banner, until the deal is reported; again if it is
    cancelled."""
    actor, open_deal = cast.actor(CONTOSO), build.accepted(cast, solutions=[isv.tagged(cast)])
    offered = selectors.offer(open_deal, actor, NOW)
    assert [c.state for c in offered.criteria] == ["met", "met"]
    assert (offered.applies, [b.code for b in offered.blockers]) == (False, ["isv_not_won"])
    referral = isv.won(cast)
    offered = selectors.offer(referral, actor, NOW)
    assert (offered.applies, offered.allowed, offered.blockers) == (True, True, ())
    assert list(selectors.to_report(actor, now=NOW)) == [referral]
    deal = isv.deal(cast, referral=referral)
    offered = selectors.offer(referral, actor, NOW)
    assert (offered.applies, offered.deal) == (False, deal)
    assert not selectors.to_report(actor, now=NOW).exists()
    isv.cancelled(cast, of=deal)
    assert selectors.offer(referral, actor, NOW).applies
    assert list(selectors.to_report(actor, now=NOW)) == [referral]


def test_isv_1_the_banner_needs_value_and_tag(cast: Cast) -> None:
    small = isv.won(cast, value=Money(Decimal(5_000), "USD"))
    untagged = build.won(cast)
    actor = cast.actor(CONTOSO)
    assert [selectors.offer(r, actor, NOW).applies for r in (small, untagged)] == [False, False]
    assert not selectors.to_report(actor, now=NOW).exists()
    Solution.objects.filter(pk=cast.solutions["factory"].pk).update(biz_apps="standard")
    assert list(selectors.to_report(actor, now=NOW)) == [untagged]


def test_isv_2_with_both_registrations_the_co_sell_one_comes_first(cast: Cast) -> None:
    """ISV-2, ISV-4: while it isn't filed, and only where there is one."""
    both = isv.won(cast)
    only = isv.won(cast, solutions=[isv.tagged(cast, "standard")])
    actor = cast.actor(CONTOSO)
    assert selectors.offer(both, actor, NOW).order_hint
    assert not selectors.offer(only, actor, NOW).order_hint
    build.submitted(cast, both)
    assert not selectors.offer(both, actor, NOW).order_hint


# Prefilling


def test_isv_4_what_was_submitted_is_filled_in(cast: Cast) -> None:
    """ISV-4: customer, solution, amounts, deployment, tenant and dates; the start is the later of start and signing."""
    referral = isv.won(cast)
    signed = NOW.date() - timedelta(days=1)
    build.submitted(cast, referral, start=signed - timedelta(days=20), tcv=Money(Decimal(60_000), "EUR"))
    found = prefill(referral, now=NOW)
    assert (found.customer, found.location) == (referral.engagement.customer_id, referral.location_id)
    assert (found.solution, found.deployment, found.tenant) == (cast.solutions["retail"].pk, "azure", "customer")
    assert (found.tcv, found.solution_value) == (Money(Decimal(60_000), "EUR"), Money(Decimal(30_000), "EUR"))
    assert (found.signed, found.start) == (signed, signed)
    assert (found.contact_first_name, found.contact_email) == ("Umut", "user@contoso.example")
    complete = replace(found, tenant_guid=isv.TENANT)
    assert services.check(complete, referral, actor=cast.actor(CONTOSO), now=NOW).violations == ()


def test_isv_4_a_perpetual_contract_ends_after_six_years(cast: Cast) -> None:
    """ISV-4: RD's assumption, and the policy's number: six contract years, so six invoices."""
    referral = isv.won(cast)
    start = NOW.date() - timedelta(days=1)
    build.submitted(cast, referral, term="perpetual", end=None, start=start, tcv=Money(Decimal(900_000), "EUR"))
    found = prefill(referral, now=NOW)
    assert found.end == start.replace(year=start.year + 6) - timedelta(days=1)
    assert len(services.check(found, referral, actor=cast.actor(CONTOSO), now=NOW).years) == 6


def test_isv_4_reg_19_before_that_the_draft_and_the_referral(cast: Cast) -> None:
    """ISV-4: what was typed, as far as it can be read; of the rest what the referral says."""
    referral = isv.won(cast)
    assert prefill(referral, now=NOW).tcv == referral.money
    registration = Registration.objects.get(referral=referral)
    typed = {"tcv": "50.000,50", "tcv_currency": "EUR", "solution_value": "lots", "solution_value_currency": "EUR"}
    typed |= {"signed": "2026-11-10", "start": "soon", "tenant": "partner"}
    form = build.form(signed=date(2026, 11, 10))
    drafts.keep(registration, typed, form, actor=cast.actor(CONTOSO), now=NOW)
    found = prefill(referral, now=NOW)
    assert (found.tcv, found.solution_value) == (Money(Decimal("50000.50"), "EUR"), None)
    assert (found.signed, found.start, found.end, found.tenant) == (date(2026, 11, 10), None, None, "partner")


def test_isv_4_afterwards_neither_follows_the_other(cast: Cast) -> None:
    """ISV-4: whatever becomes of the co-sell registration."""
    referral = isv.won(cast)
    registration = build.submitted(cast, referral, in_review=True)
    deal = isv.deal(cast, referral=referral)
    do.decide(
        registration, "fail_review", actor=cast.actor(build.REVIEWER), now=NOW, reason_code="other", comment="No."
    )
    assert isv.again(deal).claim == deal.claim
    do.correct_isv_deal(deal, replace(deal.claim, deployment="other"), actor=cast.actor(CONTOSO), now=NOW)
    assert Registration.objects.get(referral=referral).deployment == "azure"


# Correcting


def test_isv_5_the_schedule_follows_a_correction(cast: Cast) -> None:
    """ISV-5: while it is submitted; tag and fee rate stay with solution and signing."""
    isv.rates(cast)
    deal = isv.deal(cast)
    Solution.objects.filter(pk=deal.solution_id).update(biz_apps="")
    isv.rates(cast, premium="50")
    actor = cast.actor(CONTOSO)
    value = replace(deal.claim, solution_value=Money(Decimal(6_000), "EUR"), **isv.one_year())
    corrected = do.correct_isv_deal(deal, value, actor=actor, now=NOW + DAY)
    assert (corrected.tag, corrected.percent, corrected.status) == ("premium", Decimal(20), "submitted")
    (year,) = corrected.installments.in_order()
    assert (year.share, year.fee, year.due_on) == (Decimal(6_000), Decimal(1_200), TODAY + DAY)
    earlier = replace(value, signed=TODAY - timedelta(days=2))
    assert do.correct_isv_deal(deal, earlier, actor=actor, now=NOW + DAY).percent == Decimal(50)
    field = replace(earlier, solution=isv.tagged(cast, "standard").pk)
    assert do.correct_isv_deal(deal, field, actor=actor, now=NOW + DAY).percent == Decimal(3)
    history = Event.objects.of_subject(deal).filter(verb="isv_deal.corrected").order_by("pk")
    assert [event.after.get("percent") for event in history] == [None, "50.000", "3.000"]


def test_isv_5_nothing_is_corrected_after_the_first_invoice(cast: Cast) -> None:
    isv.rates(cast)
    deal = isv.invoiced(cast)
    assert codes(do.correct_isv_deal, deal, deal.claim, actor=cast.actor(CONTOSO), now=NOW) == ["wrong_state"]


# Invoicing


def test_isv_6_never_before_the_day_after_submission(cast: Cast) -> None:
    isv.rates(cast)
    deal = isv.deal(cast)
    assert codes(do.issue_invoices, deal, now=NOW) == ["no_invoice_due"]
    assert sweeps.issue_due(now=NOW).pk is None
    midnight = (NOW + DAY).replace(hour=0, minute=0)
    assert sweeps.issue_due(now=midnight - timedelta(seconds=1)).pk is None
    assert sweeps.issue_due(now=midnight).issued == 1


def test_isv_6_years_that_passed_are_invoiced_together(cast: Cast) -> None:
    """ISV-6: each with an invoice of its own, in their order."""
    isv.rates(cast)
    start = TODAY - timedelta(days=800)
    deal = isv.invoiced(cast, signed=start, start=start, end=start + timedelta(days=4 * 365))
    issued = Invoice.objects.filter(deal=deal).order_by("number")
    assert [(i.number, i.year) for i in issued] == [("ISV-000001", 1), ("ISV-000002", 2), ("ISV-000003", 3)]
    (event,) = Event.objects.of_subject(deal).filter(verb="isv_deal.invoiced")
    assert event.after["years"] == [1, 2, 3]
    assert Decimal(event.after["amount"]) == sum(i.amount for i in issued)
    assert deal.next_due_on == deal.installments.in_order()[3].due_on


def test_isv_6_a_missing_rate_lets_invoices_wait(cast: Cast) -> None:
    """ISV-6: the deal is taken, managers are told once, and when a rate comes the invoices go out."""
    first, second = isv.deal(cast), isv.deal(cast, customer=cast.customers["ege"].pk)
    assert (first.percent, first.next_due_on, first.rate_missing_at) == (None, None, NOW)
    told = Notice.objects.filter(category="isv_fee_rates")
    assert [(n.email, n.params["customer"]) for n in told] == [(MANAGER, "Anadolu Cam Sanayi")]
    assert codes(do.issue_invoices, first, now=NOW + DAY) == ["fee_rate_missing"]
    run = sweeps.issue_due(now=NOW + DAY)
    assert (run.issued, run.waiting) == (0, 2)
    isv.rates(cast, since=TODAY)  # in force after the signing
    assert sweeps.issue_due(now=NOW + DAY).waiting == 2
    isv.rates(cast, since=TODAY - timedelta(days=1))
    run = sweeps.issue_due(now=NOW + DAY)
    assert (run.rated, run.deals, run.issued, run.waiting) == (2, 2, 2, 0)
    assert [year.fee for year in first.installments.in_order()] == [Decimal(800)] * 3
    assert (isv.again(second).percent, isv.again(second).rate_missing_at) == (Decimal(20), None)
    assert told.count() == 1


def test_isv_6_the_rate_in_force_at_the_signing(cast: Cast) -> None:
    for since, percent in ((date(2020, 1, 1), "2"), (TODAY - timedelta(days=1), "4"), (TODAY, "8")):
        isv.rates(cast, since=since, premium=percent)
    assert isv.deal(cast).percent == Decimal(4)
    assert isv.deal(cast, signed=TODAY, start=TODAY).percent == Decimal(8)


def test_isv_6_rates_are_the_managers(cast: Cast) -> None:
    """ISV-6: data with a day, each change an event, none ships; what was found for a deal stays."""
    assert not FeeRate.objects.exists()
    isv.rates(cast)
    deal = isv.deal(cast)
    isv.rates(cast, premium="30")
    assert FeeRate.objects.count() == 2
    rate = FeeRate.objects.get(tag="premium")
    with pytest.raises(PermissionDenied):
        fee_rates.remove_rate(rate, actor=cast.actor(CONTOSO), now=NOW)
    with pytest.raises(PermissionDenied):
        fee_rates.set_rate(tag="premium", effective_from=TODAY, percent=Decimal(1), actor=cast.actor(CONTOSO), now=NOW)
    fee_rates.remove_rate(rate, actor=cast.actor(MANAGER), now=NOW)
    said = Event.objects.filter(verb__startswith="fee_rate.").order_by("pk")
    premium = [event for event in said if "premium" in (event.before.get("tag"), event.after.get("tag"))]
    assert [(e.verb, e.before.get("percent"), e.after.get("percent")) for e in premium] == [
        ("fee_rate.set", None, "20"),
        ("fee_rate.set", "20.000", "30"),
        ("fee_rate.removed", "30.000", None),
    ]
    assert do.issue_invoices(deal, now=NOW + DAY).percent == Decimal(20)


def test_isv_6_an_invoice_says_what_was(cast: Cast) -> None:
    """ISV-6: amounts in the solution value's currency and in USD at the frozen rate, and all names as they were."""
    isv.rates(cast)
    invoice = Invoice.objects.get(deal=isv.completed(cast))
    assert (invoice.share, invoice.percent, invoice.amount, invoice.currency) == (12_000, 20, 2_400, "EUR")
    assert invoice.amount_usd == Decimal("2640.00")
    assert invoice.parties == {
        "vendor": "Microsoft",
        "company": "Contoso Yazılım",
        "company_country": "TR",
        "location": "Istanbul",
        "location_city": "Istanbul",
        "location_country": "TR",
        "mpn_id": "4301001",
        "customer": "Anadolu Cam Sanayi",
        "customer_address": "Büyükdere Caddesi 101",
        "customer_city": "Istanbul",
        "customer_country": "TR",
        "solution": "Contoso Perakende Bulutu",
        "solution_code": "SOL-10002-CTS",
    }


@pytest.mark.parametrize("statement", ["UPDATE isvconnect_invoice SET amount = 0", "DELETE FROM isvconnect_invoice"])
def test_isv_6_an_issued_invoice_never_changes(cast: Cast, statement: str) -> None:
    """ISV-6: not even by who owns the table."""
    isv.rates(cast)
    isv.completed(cast)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


# Cancelling


def test_isv_5_cancelled_before_invoicing(cast: Cast) -> None:
    """ISV-5: with a reason; nothing is ever issued, and the company reads why."""
    isv.rates(cast)
    deal, actor = isv.deal(cast), cast.actor(MANAGER)
    assert codes(do.cancel_isv_deal, deal, " ", actor=actor, now=NOW, credit_issued=True) == [
        "cancel_reason_required",
        "nothing_to_credit",
    ]
    done = isv.cancelled(cast, of=deal)
    assert (done.status, done.cancel_reason, done.next_due_on) == ("cancelled", "The sale was rescinded.", None)
    assert not Installment.objects.filter(deal=deal).exists()
    assert sweeps.issue_due(now=NOW + 900 * DAY).pk is None
    (notice,) = Notice.objects.filter(category="isv_invoices", email=CONTOSO)
    assert notice.params["reason"] == "The sale was rescinded."
    assert codes(do.cancel_isv_deal, deal, "Again", actor=actor, now=NOW) == ["wrong_state"]


@pytest.mark.parametrize("credited", [False, True])
def test_isv_5_cancelled_after_invoicing(cast: Cast, credited: bool) -> None:
    """ISV-5: what isn't issued is dropped; issued invoices are credited in full where the manager says so."""
    isv.rates(cast)
    deal = isv.invoiced(cast)
    isv.cancelled(cast, of=deal, credit_issued=credited, now=NOW + 2 * DAY)
    assert list(deal.installments.values_list("number", "issued")) == [(1, True)]
    assert isv.numbers(deal) == ["ISV-000001", *["ISV-C-000001"] * credited]
    notes = Invoice.objects.filter(kind="credit_note")
    assert [(n.amount, n.amount_usd, n.credits and n.credits.number) for n in notes] == [
        (Decimal("-800.00"), Decimal("-880.00"), "ISV-000001")
    ] * credited
    assert sweeps.issue_due(now=NOW + 900 * DAY).pk is None


def test_isv_5_a_completed_deal_can_still_be_credited(cast: Cast) -> None:
    isv.rates(cast)
    deal = isv.cancelled(cast, of=isv.completed(cast), credit_issued=True, now=NOW + 2 * DAY)
    assert (deal.status, isv.numbers(deal)) == ("cancelled", ["ISV-000001", "ISV-C-000001"])


# Who hears of it


def test_isv_6_ref_24_the_company_is_told_of_invoices(cast: Cast) -> None:
    """ISV-6, REF-24: who can report for the location, and the team that may see it; no stranger, no viewer."""
    isv.rates(cast)
    stranger = build.member("somebody@elsewhere.example")
    referral = isv.won(cast, team=[build.member(), stranger])
    isv.invoiced(cast, referral=referral)
    told = Notice.objects.filter(category="isv_invoices").order_by("email")
    assert [n.email for n in told] == [CONTOSO, "user@contoso.example"]
    assert told[0].params["numbers"] == "ISV-000001"
    assert told[0].link == f"/isvconnect/deals/{IsvDeal.objects.get().public_id}/"


def test_isv_6_without_a_referrals_admin_the_account_admins_are_told(cast: Cast) -> None:
    isv.rates(cast)
    deal = isv.deal(cast)
    contoso = cast.companies["contoso"]
    who: dict[str, Any] = {"actor": SYSTEM, "now": NOW}
    accounts.set_membership(user=cast.users[CONTOSO], company=contoso, grants=[Grant("viewer")], **who)
    do.issue_invoices(deal, now=NOW + DAY)
    assert [n.email for n in Notice.objects.filter(category="isv_invoices")] == ["admin@contoso.example"]


# Many


def issue_all(now: Any = NOW + DAY) -> int:
    with CaptureQueriesContext(connection) as asked:
        sweeps.issue_due(now=now)
    return len(asked)


def test_isv_6_job_many_are_issued_with_as_many_statements(cast: Cast) -> None:
    """JOB: a batch of thirty takes as many statements as one of three."""
    isv.rates(cast)
    counts = []
    for many in (3, 30):
        for _deal in range(many):
            isv.deal(cast)
        counts.append(issue_all())
    assert counts[1] <= counts[0]
    assert Invoice.objects.count() == 33
    assert InvoiceSeries.objects.get(prefix="ISV-").last == 33


def test_isv_6_a_run_says_what_it_did(cast: Cast) -> None:
    isv.rates(cast)
    for _deal in range(5):
        isv.deal(cast)
    run = sweeps.issue_due(now=NOW + DAY, limit=2)
    kept = InvoiceRun.objects.get()
    assert kept == run
    assert (kept.deals, kept.issued, kept.waiting, kept.finished_at) == (5, 5, 0, NOW + DAY)
    assert run.invoices.count() == 5


def test_isv_6_job_a_run_that_is_cut_off_loses_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """ISV-6, JOB: the batches that were committed count, the one that wasn't gives its numbers back."""
    isv.rates(cast)
    for _deal in range(3):
        isv.deal(cast)
    batches = iter([True, False])
    issue = invoicing.issue

    def dies(*given: Any, **more: Any) -> Any:
        done = issue(*given, **more)
        if not next(batches):
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(invoicing, "issue", dies)
    with pytest.raises(KeyboardInterrupt):
        sweeps.issue_due(now=NOW + DAY, limit=1)
    cut = InvoiceRun.objects.get()
    assert (cut.issued, cut.finished_at) == (1, None)
    monkeypatch.undo()
    sweeps.issue_due(now=NOW + DAY)
    assert sorted(Invoice.objects.values_list("number", flat=True)) == ["ISV-000001", "ISV-000002", "ISV-000003"]


def admin_of(cast: Cast, place: str) -> Actor:
    """Another referrals admin, of one location."""
    user = PersonFactory()
    cast.users[user.email] = user
    grants = [Grant("referrals_admin", cast.locations[place].pk)]
    accounts.set_membership(user=user, company=cast.companies["contoso"], grants=grants, actor=SYSTEM, now=NOW)
    return cast.actor(user.email)


def test_isv_7_locations_are_those_of_the_role(cast: Cast) -> None:
    assert [p.name for p in selectors.locations(admin_of(cast, ISTANBUL))] == ["Istanbul"]
    assert len(selectors.locations(cast.actor(CONTOSO))) == 3
    assert not selectors.locations(cast.actor("viewer@contoso.example"))
    assert Referral.objects.count() == 0
