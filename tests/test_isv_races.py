"""Many at once around ISV Connect deals, on real connections: numbers without gaps, everything once (ISV-5 to 7)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection

from isvconnect import sweeps
from isvconnect.models import Invoice, InvoiceRun, InvoiceSeries, IsvDeal
from portal.demo.cast import Cast
from portal.events.models import Event
from tests import do, isv
from tests.isv import CONTOSO, DAY, MANAGER, NOW
from tests.test_concurrency import at_once, held

pytestmark = pytest.mark.django_db(transaction=True)

DEAL = "SELECT 1 FROM isvconnect_isvdeal WHERE id = %s FOR UPDATE"
REFERRAL = "SELECT 1 FROM referrals_engagement WHERE id = %s FOR UPDATE"


def together(calls: list[Callable[[], object]]) -> list[BaseException]:
    """Run them on a connection each; returns what went wrong."""
    errors: list[BaseException] = []
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> None:
        try:
            start.wait()
            call()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)
    return errors


def without_gap(count: int) -> list[str]:
    return [f"ISV-{number:06}" for number in range(1, count + 1)]


def test_isv_6_fifty_concurrent_issues_leave_no_gap_and_repeat_none(cast: Cast) -> None:
    isv.rates(cast)
    deals = [isv.deal(cast) for _deal in range(50)]

    def issuing(deal: IsvDeal) -> Callable[[], object]:
        return lambda: do.issue_invoices(deal, now=NOW + DAY)

    assert together([issuing(deal) for deal in deals]) == []
    assert sorted(Invoice.objects.values_list("number", flat=True)) == without_gap(50)
    assert InvoiceSeries.objects.get(prefix="ISV-").last == 50
    assert Event.objects.filter(verb="isv_deal.invoiced").count() == 50


def test_isv_6_job_two_sweeps_at_once_issue_each_invoice_once(cast: Cast) -> None:
    isv.rates(cast)
    for _deal in range(20):
        isv.deal(cast)
    found: list[InvoiceRun] = []
    sweep: Callable[[], object] = lambda: found.append(sweeps.issue_due(now=NOW + DAY, limit=3))  # noqa: E731
    assert together([sweep] * 2) == []
    sweeps.issue_due(now=NOW + DAY)  # what one skipped because the other just held it, and both then ended
    assert sorted(Invoice.objects.values_list("number", flat=True)) == without_gap(20)
    assert sum(run.issued for run in InvoiceRun.objects.all()) == 20


def correcting(cast: Cast, deal: IsvDeal) -> Callable[[], Any]:
    form, actor = replace(deal.claim, **isv.one_year()), cast.actor(CONTOSO)
    return lambda: do.correct_isv_deal(deal, form, actor=actor, now=NOW + DAY).status


def issuing(deal: IsvDeal) -> Callable[[], Any]:
    return lambda: do.issue_invoices(deal, now=NOW + DAY).status


@pytest.mark.parametrize("first", ["correct", "issue"])
def test_isv_5_correct_against_issue(cast: Cast, first: str) -> None:
    """ISV-5: a correction comes before the first invoice, which follows it, or is refused."""
    isv.rates(cast)
    deal = isv.deal(cast)
    calls = [correcting(cast, deal), issuing(deal)]
    found = at_once(DEAL, [deal.pk], *(calls if first == "correct" else calls[::-1]), in_turn=True)
    assert found == (["submitted", "completed"] if first == "correct" else ["invoiced", ["wrong_state"]])
    (invoice,) = Invoice.objects.all()
    assert invoice.amount == (2400 if first == "correct" else 800)


@pytest.mark.parametrize("first", ["cancel", "issue"])
def test_isv_5_cancel_against_issue(cast: Cast, first: str) -> None:
    """ISV-5: either nothing was issued, or what was is there to be credited."""
    isv.rates(cast)
    deal, manager = isv.deal(cast), cast.actor(MANAGER)

    def cancel() -> str:
        return do.cancel_isv_deal(deal, "Rescinded.", actor=manager, now=NOW + DAY).status

    calls = [cancel, issuing(deal)]
    found = at_once(DEAL, [deal.pk], *(calls if first == "cancel" else calls[::-1]), in_turn=True)
    assert found == (["cancelled", ["wrong_state"]] if first == "cancel" else ["invoiced", "cancelled"])
    assert Invoice.objects.count() == (first == "issue")


def test_isv_5_credit_notes_at_once_leave_no_gap(cast: Cast) -> None:
    isv.rates(cast)
    deals = [isv.completed(cast) for _deal in range(10)]
    manager = cast.actor(MANAGER)

    def crediting(deal: IsvDeal) -> Callable[[], object]:
        return lambda: do.cancel_isv_deal(deal, "Rescinded.", actor=manager, now=NOW + DAY, credit_issued=True)

    assert together([crediting(deal) for deal in deals]) == []
    notes = Invoice.objects.filter(kind="credit_note")
    assert sorted(notes.values_list("number", flat=True)) == [f"ISV-C-{number:06}" for number in range(1, 11)]


def test_isv_7_two_reports_of_one_referral_at_once(cast: Cast) -> None:
    """ISV-7: one is taken, the other is told that it is reported."""
    referral = isv.won(cast)
    form = isv.form(cast, customer=referral.engagement.customer_id)

    def reporting(email: str) -> Callable[[], Any]:
        actor = cast.actor(email)
        return lambda: do.report_isv_deal(form, referral, actor=actor, now=NOW).status

    calls = [reporting(CONTOSO), reporting("user@contoso.example")]
    assert at_once(REFERRAL, [referral.engagement_id], *calls, in_turn=True) == ["submitted", ["isv_deal_exists"]]
    assert IsvDeal.objects.count() == 1


def test_isv_6_job_the_run_waits_for_nobody(cast: Cast) -> None:
    """JOB: what somebody is just working on is skipped, and goes out with the next run."""
    isv.rates(cast)
    held_deal, free = isv.deal(cast), isv.deal(cast)
    with held(DEAL, held_deal.pk):
        errors = together([lambda: sweeps.issue_due(now=NOW + DAY)])
        assert list(Invoice.objects.values_list("deal", flat=True)) == [free.pk]
    assert errors == []
    assert sweeps.issue_due(now=NOW + DAY).issued == 1
    assert sorted(Invoice.objects.values_list("number", flat=True)) == without_gap(2)
