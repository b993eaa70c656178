"""ISV Connect in the administration: deals, cancelling, invoices, fee rates and runs (ISV-5, ISV-6)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from dealreg.rules.acv import add_years
from isvconnect import sweeps
from isvconnect.models import FeeRate, Invoice, InvoiceRun, IsvDeal, Status
from isvconnect.rules.rates import in_force, rate_blockers
from isvconnect.services import fee_rates
from portal.events.models import Event
from portal.workflow.blockers import RuleViolation
from tests import do, isv
from tests.build import CONTOSO, REVIEWER
from tests.edge import Live, parse
from tests.isv import MANAGER

DEALS, INVOICES = "admin:isvconnect_isvdeal_changelist", "admin:isvconnect_invoice_changelist"
RATES, RUNS = "admin:isvconnect_feerate_changelist", "admin:isvconnect_invoicerun_changelist"
NEXT, PREVIEW = "admin:isvconnect_invoicerun_next", "admin:isvconnect_feerate_preview"


@pytest.fixture
def manager(live: Live) -> Client:
    return live.browser(MANAGER)


def reported(live: Live, *, days: float = 0, years: int = 1, **changes: Any) -> IsvDeal:
    """So many days ago, of a contract that was signed and started the day before."""
    start = live.day(-int(days) - 1)
    dates = {"signed": start, "start": start, "end": add_years(start, years) - timedelta(days=1)}
    return isv.deal(live.cast, now=live.ago(days), **{**dates, **changes})


def run(live: Live) -> InvoiceRun:
    return sweeps.issue_due(now=live.now)


def page(deal: IsvDeal) -> str:
    return reverse("admin:isvconnect_isvdeal_change", args=[deal.pk])


def cancel(client: Client, deal: IsvDeal, **given: Any) -> Any:
    version = given.pop("version", None) or isv.again(deal).version
    return client.post(page(deal), {"version": version, "reason": "The sale was rescinded.", **given})


def text_of(response: HttpResponse) -> str:
    return " ".join(parse(response).text.split())


def listed(client: Client, name: str, **asked: Any) -> set[int]:
    found = client.get(reverse(name), asked)
    assert found.status_code == 200
    return {row.pk for row in found.context["cl"].queryset}


# Deals ------------------------------------------------------------------------------------------------------------


def test_isv_5_the_list_is_filtered_by_state_tag_partner_and_what_comes_next(live: Live, manager: Client) -> None:
    waits = reported(live, days=3)
    isv.rates(live.cast, since=live.day(-3), now=live.now)
    due, later = reported(live, days=1), reported(live, solution=isv.tagged(live.cast, "standard").pk)
    gone = isv.cancelled(live.cast, of=reported(live), now=live.now)
    every = {waits.pk, due.pk, later.pk, gone.pk}
    assert listed(manager, DEALS) == every
    assert listed(manager, DEALS, state="open") == every - {gone.pk}
    assert listed(manager, DEALS, state="cancelled") == listed(manager, DEALS, state="closed") == {gone.pk}
    assert listed(manager, DEALS, tag__exact="standard") == {later.pk}
    assert listed(manager, DEALS, partner=live.cast.companies["contoso"].pk) == every
    assert listed(manager, DEALS, partner=live.cast.companies["fabrikam"].pk) == set()
    assert listed(manager, DEALS, next="rate") == {waits.pk}
    assert listed(manager, DEALS, next="now") == {due.pk}
    assert listed(manager, DEALS, next="week") == {later.pk}
    assert listed(manager, DEALS, q="Perakende") == every - {later.pk}


def test_isv_5_the_page_shows_values_schedule_invoices_and_history_to_everybody_there(live: Live) -> None:
    isv.rates(live.cast, now=live.now)
    deal = reported(live, days=2, years=2)
    run(live)
    for email in (MANAGER, REVIEWER, "council1@vendor.example"):
        shown = text_of(live.browser(email).get(page(deal)))
        for word in ("15,000 EUR", "16,500 USD", "20%", str(isv.TENANT), "Umut Öztürk", "ISV-000001", "Issued"):
            assert word in shown, (email, word)
        assert "Contoso Yazılım reported the ISV Connect deal" in shown
        assert ("Cancel the deal" in shown) == (email == MANAGER)
    assert live.browser("seller@vendor.example").get(page(deal)).status_code == 302
    assert live.browser(CONTOSO).get(page(deal)).status_code == 302
    assert live.browser(MANAGER).get(page(deal).replace(str(deal.pk), "0")).status_code == 302


def test_isv_5_a_manager_cancels_before_invoicing_with_a_reason(live: Live, manager: Client) -> None:
    deal = reported(live)
    assert "Credit the issued invoices" not in text_of(manager.get(page(deal)))
    refused = cancel(manager, deal, reason=" ")
    assert "Say why; the partner reads it." in text_of(refused)
    done = cancel(manager, deal)
    assert done.status_code == 302
    now = isv.again(deal)
    assert (now.status, now.cancel_reason) == (Status.CANCELLED, "The sale was rescinded.")
    shown = text_of(manager.get(page(deal)))
    assert "The sale was rescinded." in shown
    assert "There is nothing to do in this state." in shown


@pytest.mark.parametrize("credited", [True, False])
def test_isv_5_after_invoicing_the_manager_says_whether_the_invoices_are_credited(
    live: Live, manager: Client, credited: bool
) -> None:
    isv.rates(live.cast, now=live.now)
    deal = reported(live, days=2, years=2)
    run(live)
    assert "Credit the issued invoices" in text_of(manager.get(page(deal)))
    cancel(manager, deal, **({"credit_issued": "on"} if credited else {}))
    assert isv.numbers(deal) == ["ISV-000001", "ISV-C-000001"][: 1 + credited]
    shown = text_of(manager.get(page(deal)))
    assert ("ISV-C-000001" in shown) == credited


def test_flow_7_who_saw_an_older_version_is_told_and_keeps_what_they_typed(live: Live, manager: Client) -> None:
    isv.rates(live.cast, now=live.now)
    deal = reported(live, days=2, years=2)
    run(live)
    stale = cancel(manager, deal, version=deal.version, reason="Typed.")
    shown = text_of(stale)
    assert "Somebody changed this meanwhile." in shown
    assert "State: Submitted → Invoiced" in shown
    assert "Typed." in stale.content.decode()
    assert isv.again(deal).status == Status.INVOICED
    assert "Somebody changed this meanwhile." in text_of(manager.post(page(deal), {"reason": "No version."}))


def test_isv_5_only_programme_managers_cancel(live: Live) -> None:
    deal = reported(live)
    for email in (REVIEWER, "council1@vendor.example"):
        assert cancel(live.browser(email), deal).status_code == 403
    assert isv.again(deal).status == Status.SUBMITTED


# Invoices ---------------------------------------------------------------------------------------------------------


def test_isv_6_invoices_are_read_and_fetched_and_nothing_else(live: Live, manager: Client) -> None:
    isv.rates(live.cast, now=live.now)
    deal = isv.cancelled(live.cast, of=isv.invoiced(live.cast, now=live.ago(2)), credit_issued=True, now=live.now)
    invoice, note = Invoice.objects.order_by("pk")
    assert listed(manager, INVOICES, kind__exact="credit_note") == {note.pk}
    assert listed(manager, INVOICES, q="ISV-000001") == {invoice.pk}
    address = reverse("admin:isvconnect_invoice_change", args=[note.pk])
    shown = manager.get(address)
    assert invoice.number in text_of(shown)
    assert page(deal) in shown.content.decode()
    assert note.number in text_of(manager.get(address.replace(f"/{note.pk}/", f"/{invoice.pk}/")))
    assert manager.post(address, {"number": "X"}).status_code == 403
    pdf = manager.get(reverse("admin:isvconnect_invoice_pdf", args=[invoice.pk]))
    assert invoice.number in PdfReader(BytesIO(pdf.content)).pages[0].extract_text()
    csv = manager.get(reverse("admin:isvconnect_invoice_csv", args=[note.pk])).content.decode()
    assert note.number in csv
    chosen = {"action": "as_csv", "_selected_action": [invoice.pk, note.pk]}
    both = live.browser(REVIEWER).post(reverse(INVOICES), chosen).content.decode()
    assert invoice.number in both
    assert note.number in both
    for name in ("pdf", "csv"):
        file = reverse(f"admin:isvconnect_invoice_{name}", args=[invoice.pk])
        assert live.browser("seller@vendor.example").get(file).status_code == 302
        assert manager.get(file.replace(f"/{invoice.pk}/", "/0/")).status_code == 404


# Fee rates --------------------------------------------------------------------------------------------------------


def rate_form(day: date, percent: str = "20", tag: str = "premium") -> dict[str, str]:
    return {"tag": tag, "effective_from": str(day), "percent": percent}


def test_isv_6_managers_set_a_rate_and_the_change_is_kept_as_an_event(live: Live, manager: Client) -> None:
    add = reverse("admin:isvconnect_feerate_add")
    assert manager.post(add, rate_form(live.day(-9))).status_code == 302
    rate = FeeRate.objects.get()
    change = reverse("admin:isvconnect_feerate_change", args=[rate.pk])
    assert manager.post(change, {"percent": "21.5"}).status_code == 302
    rate.refresh_from_db()
    assert (rate.percent, rate.effective_from) == (Decimal("21.5"), live.day(-9))
    told = Event.objects.filter(verb__startswith="fee_rate").order_by("pk")
    assert [(e.verb, e.before.get("percent"), e.after["percent"], e.actor_name) for e in told] == [
        ("fee_rate.set", None, "20", "Mona Manager"),
        ("fee_rate.set", "20.000", "21.5", "Mona Manager"),
    ]
    assert "already" in text_of(manager.post(add, rate_form(live.day(-9))))
    assert manager.post(add, rate_form(live.day(1), "101")).status_code == 200
    reviewer = live.browser(REVIEWER)
    assert "21.5%" in text_of(reviewer.get(reverse(RATES)))
    for address in (add, change, reverse(PREVIEW), reverse("admin:isvconnect_feerate_remove", args=[rate.pk])):
        assert reviewer.post(address, rate_form(live.day(-9))).status_code == 403, address


def test_isv_6_a_rate_at_which_was_invoiced_stays(live: Live, manager: Client) -> None:
    """Changed, removed, or taken over by one that begins later but before the signing: each is refused with why."""
    isv.rates(live.cast, since=live.day(-30), now=live.now)
    reported(live, days=2)
    run(live)
    rate = FeeRate.objects.get(tag="premium")
    why = "are invoiced already, at the rate in force then."
    change = reverse("admin:isvconnect_feerate_change", args=[rate.pk])
    assert why in text_of(manager.post(change, {"percent": "1"}))
    add = reverse("admin:isvconnect_feerate_add")
    assert why in text_of(manager.post(add, rate_form(live.day(-20), "1")))
    remove = reverse("admin:isvconnect_feerate_remove", args=[rate.pk])
    shown = manager.get(remove)
    assert why in text_of(shown)
    assert not shown.content.decode().count('type="submit" value="Remove"')
    assert why in text_of(manager.post(remove))
    assert manager.post(add, rate_form(live.day(0), "1")).status_code == 302
    assert manager.post(add, rate_form(live.day(-60), "1")).status_code == 302
    other = FeeRate.objects.get(tag="standard")
    assert manager.post(reverse("admin:isvconnect_feerate_remove", args=[other.pk])).status_code == 302
    assert set(FeeRate.objects.values_list("tag", flat=True)) == {"premium"}
    assert FeeRate.objects.get(pk=rate.pk).percent == 20


def test_isv_6_the_services_refuse_the_same_and_take_managers_only(live: Live) -> None:
    isv.rates(live.cast, since=live.day(-30), now=live.now)
    reported(live, days=2)
    run(live)
    rate = FeeRate.objects.get(tag="premium")
    manager = {"actor": live.cast.actor(MANAGER), "now": live.now}
    with pytest.raises(RuleViolation) as refused:
        fee_rates.set_rate(tag="premium", effective_from=rate.effective_from, percent=Decimal(1), **manager)
    assert refused.value.codes == ["fee_rate_in_use"]
    with pytest.raises(RuleViolation):
        fee_rates.remove_rate(rate, **manager)
    day = {"tag": "premium", "effective_from": live.day(9), "percent": Decimal(1)}
    with pytest.raises(PermissionDenied):
        fee_rates.set_rate(**day, actor=live.cast.actor(REVIEWER), now=live.now)


days = st.dates(date(2026, 1, 1), date(2026, 12, 31))
rates_of_a_tag = st.dictionaries(days, st.sampled_from([Decimal(1), Decimal(2)]), max_size=4)


@given(rates_of_a_tag, rates_of_a_tag, st.sets(days, max_size=5))
def test_isv_6_a_change_of_rates_is_refused_exactly_where_it_moves_an_invoiced_one(
    was: dict[date, Decimal], becomes: dict[date, Decimal], invoiced: set[date]
) -> None:
    moved = [day for day in invoiced if in_force(was, day) != in_force(becomes, day)]
    found = list(rate_blockers(was, becomes, invoiced))
    assert bool(found) == bool(moved)
    if found:
        assert found[0].params == {"first": min(moved), "last": max(moved)}


def test_isv_6_the_preview_says_what_the_next_run_issues_and_it_does(live: Live, manager: Client) -> None:
    isv.rates(live.cast, since=live.day(-5), now=live.now)
    due, waits, early = reported(live, days=2), reported(live, days=9, years=2), reported(live, days=30)
    sent = rate_form(live.day(-15), "10")
    add = manager.get(reverse("admin:isvconnect_feerate_add"))
    assert reverse(PREVIEW) in add.content.decode()
    shown = manager.post(reverse(PREVIEW), sent)
    preview = shown.context["preview"]
    assert preview.rated == 1
    found = [(line.deal.pk, line.fee.amount, line.new) for line in preview.lines]
    assert found == [(due.pk, Decimal(2_400), False), (waits.pk, Decimal(600), True)]
    assert [str(money.amount) for money in preview.totals] == ["3000.00"]
    assert "1 deal that waits gets its fees by this." in text_of(shown)
    assert not FeeRate.objects.filter(effective_from=live.day(-15)).exists()
    assert manager.post(shown.context["save_url"], sent).status_code == 302
    run(live)
    issued = Invoice.objects.order_by("deal").values_list("deal", "amount")
    assert set(issued) == {(pk, amount) for pk, amount, _new in found}
    assert isv.again(early).percent is None
    wrong = manager.post(reverse(PREVIEW), rate_form(live.day(-15), "x"))
    assert wrong.status_code == 422
    used = manager.post(reverse(PREVIEW), rate_form(live.day(-5), "1"))
    assert (used.status_code, "are invoiced already" in text_of(used)) == (422, True)


# Runs -------------------------------------------------------------------------------------------------------------


def test_isv_6_the_page_of_the_next_run_and_the_reports_of_runs_lead_to_their_rows(live: Live, manager: Client) -> None:
    late = reported(live, days=9)
    waits = reported(live, days=30, solution=isv.tagged(live.cast, "standard").pk)
    isv.rates(live.cast, since=live.day(-12), now=live.now)
    reported(live, days=2, years=3)
    reported(live)
    shown = manager.get(reverse(NEXT))
    spans = {due.span: (due.deals, [money.amount for money in due.amounts]) for due, _url in shown.context["spans"]}
    assert spans == {"now": (1, [800]), "week": (1, [2_400]), "month": (0, []), "later": (0, [])}
    waiting = {str(label): count for label, count, _url in shown.context["waiting"]}
    assert waiting == {"Premium": 1, "Standard": 1}
    figures = [(due.deals, url) for due, url in shown.context["spans"]]
    figures += [(count, url) for _label, count, url in shown.context["waiting"]]
    for count, url in figures:
        assert manager.get(url).context["cl"].result_count == count, url
    done = run(live)
    assert (done.issued, done.rated, done.waiting) == (2, 1, 1)
    report = manager.get(reverse(RUNS))
    assert listed(manager, INVOICES, run=done.pk) == set(Invoice.objects.values_list("pk", flat=True))
    assert listed(manager, DEALS, run=done.pk) == set(Invoice.objects.values_list("deal", flat=True))
    assert listed(manager, DEALS, rated=done.pk) == {late.pk}
    assert listed(manager, DEALS, next="rate") == {waits.pk}
    for name, asked in ((INVOICES, {"run": done.pk}), (DEALS, {"run": done.pk}), (DEALS, {"rated": done.pk})):
        assert reverse(name, query=asked) in report.content.decode()
    assert manager.get(reverse("admin:isvconnect_invoicerun_change", args=[done.pk])).status_code == 200
    assert live.browser("seller@vendor.example").get(reverse(NEXT)).status_code == 302
    assert "No invoice is due." in text_of(manager.get(reverse(NEXT)))


def test_a_run_that_was_cut_off_says_so(live: Live, manager: Client) -> None:
    InvoiceRun.objects.create(started_at=live.now)
    assert "Not finished" in text_of(manager.get(reverse(RUNS)))


def test_isv_6_a_corrected_deal_waits_no_longer_than_its_signing_says(live: Live, manager: Client) -> None:
    isv.rates(live.cast, since=live.day(-5), now=live.now)
    deal = reported(live, days=9)
    assert listed(manager, DEALS, next="rate") == {deal.pk}
    form = isv.again(deal).claim
    do.correct_isv_deal(
        deal,
        form.__class__(**{**vars(form), "signed": live.day(-4), "start": live.day(-4)}),
        actor=live.cast.actor(CONTOSO),
        now=live.now,
    )
    assert listed(manager, DEALS, next="rate") == set()
