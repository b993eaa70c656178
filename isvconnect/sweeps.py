"""What workers do to many ISV Connect deals: issue the invoices that are due (ISV-6)."""

from __future__ import annotations

from datetime import UTC, datetime, time

from django.db import transaction

from isvconnect import verbs
from isvconnect.models import InvoiceRun, IsvDeal, IsvDealQuerySet
from isvconnect.selectors.rates import to_rate
from portal.accounts.rules import SYSTEM
from portal.workflow import services as workflow

#: Deals in one transaction: whoever else issues waits for its numbers until the commit.
BATCH = 2_000


def issue_due(*, now: datetime, limit: int = BATCH) -> InvoiceRun:
    """Issue all invoices that are due, batch by batch, after giving deals the fees that were missing (ISV-6).

    A batch is counted in its own transaction, so that a run that is cut off says what it did. Two runs at once share
    the deals. Returns the run, which is kept unless there was nothing to issue, no fee to set, and nothing waits.
    """
    run, unrated = InvoiceRun(started_at=now), IsvDeal.objects.without_rate()
    today = datetime.combine(now.date(), time.min, UTC)
    waiting = unrated.filter(start__lte=today.date(), created_at__lt=today)  # a first invoice is due by now
    if not any(found.exists() for found in (waiting, to_rate(unrated), IsvDeal.objects.to_invoice(today.date()))):
        return run
    run.save()
    while _set_fees(run, now=now, limit=limit):
        pass
    while _issue(run, now=now, limit=limit):
        pass
    run.waiting, run.finished_at = waiting.count(), now
    run.save()
    return run


@transaction.atomic
def _set_fees(run: InvoiceRun, *, now: datetime, limit: int) -> int:
    """Give one batch of deals their fees, where a rate has come that was in force at their signing."""
    found = to_rate(IsvDeal.objects.without_rate()).order_by("pk")
    due = _with_only(found, "tag", "signed", "rate_missing_at").with_unissued()
    done = workflow.run_batch(due, verbs.SET_FEES, actor=SYSTEM, now=now, limit=limit)
    run.rated += done
    run.save()
    return done


@transaction.atomic
def _issue(run: InvoiceRun, *, now: datetime, limit: int) -> int:
    """Issue the invoices of one batch of deals, as the verb does for one. Returns how many deals."""
    due = _with_only(IsvDeal.objects.to_invoice(now.date()).order_by("next_due_on", "pk"), *_ISSUING).with_unissued()
    done = workflow.run_batch(due, verbs.ISSUE_INVOICES, verbs.Issuing(run), actor=SYSTEM, now=now, limit=limit)
    run.deals, run.issued = run.deals + done, run.invoices.count()
    run.save()
    return done


#: The columns that issuing reads or writes, beside those of every batch.
_ISSUING = ("invoiced_at", "completed_at", "rates", "solution_value_currency")


def _with_only(deals: IsvDealQuerySet, *columns: str) -> IsvDealQuerySet:
    """What a batch doesn't read isn't loaded."""
    return deals.only("company_id", "group", "status", "percent", "next_due_on", "updated_at", "version", *columns)
