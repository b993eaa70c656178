"""What workers do to many referrals at once. Set-based and idempotent; safe beside other workers and people."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import DecimalField, F, Func, Q
from django.db.models.functions import TruncMonth

from portal.accounts.rules import SYSTEM
from portal.customers.models import Customer
from portal.money import services as money
from portal.notify import reminders
from portal.policy import services as policies
from portal.workflow import services as workflow
from portal.workflow.blockers import RuleViolation
from referrals import rules, verbs
from referrals.models import Referral, ReferralQuerySet
from referrals.verbs import search_index

#: Twice the time between two turns, so that one may fail.
RENAMED_WITHIN = timedelta(hours=2)


def expire_due(*, now: datetime, limit: int = 1000) -> int:
    """Close one batch of unanswered referrals whose time is over, as the verb does to one (REF-13)."""
    due = Referral.objects.due_to_expire(now).order_by("expires_at")
    due = _with_only(due, "substatus", "win_at", "signed_on", "closed_at", "updated_at", "version")
    return workflow.run_batch(due, verbs.EXPIRE, actor=SYSTEM, now=now, limit=limit)


def _with_only(referrals: ReferralQuerySet, *columns: str) -> ReferralQuerySet:
    """With what their events tell whose they are, and these columns: what a sweep doesn't read isn't loaded."""
    marks = ("last_modified_via", "last_run_id")  # what every change of a copy sets
    return referrals.select_related("engagement").only("company", "engagement__public_id", *marks, *columns)


def remind(*, now: datetime, limit: int = 2000) -> int:
    """Remind of unanswered referrals before they expire (REF-13, FLOW-8), `limit` a transaction. Returns how many."""
    unanswered, until = Referral.objects.unanswered(), F("expires_at")
    return reminders.remind(
        unanswered, verb="referral.reminded", until=until, since=F("created_at"), now=now, limit=limit
    )


def win_planned(*, now: datetime) -> int:
    """Win the deals whose planned instant has come (REF-18). Returns how many.

    Where a rule stands in the way the plan ends, so each plan is looked at once.
    """
    due = Referral.objects.filter(win_at__lte=now).order_by("win_at")
    return sum(_win_or_end(planned, now) for planned in due.only("pk"))


def _win_or_end(planned: Referral, now: datetime) -> bool:
    try:
        workflow.run(planned, verbs.WIN, verbs.Signing(), actor=SYSTEM, now=now)
    except RuleViolation:
        with suppress(RuleViolation):  # another worker was first, or somebody closed it or cancelled the plan
            workflow.run(planned, verbs.END_WIN_PLAN, actor=SYSTEM, now=now)
        return False
    return True


def revalue_open(*, now: datetime) -> int:
    """Update the USD value of every open deal to the current month's rates; one statement a currency (FX-3).

    Without a rate the value becomes unknown (FX-2). Returns how many deals changed.
    """
    open_deals = Referral.objects.open()
    currencies = sorted(set(open_deals.order_by().values_list("currency", flat=True)))
    rates = money.rates_for(currencies, month=now.date(), policy=policies.current(now))
    changed = 0
    for currency in currencies:
        rows = open_deals.filter(currency=currency)
        if rate := rates.get(currency):
            usd = Func(F("value") * rate.usd_per_unit, 2, function="round", output_field=DecimalField())
            stale = ~Q(usd_rate_month=rate.month) | Q(usd_rate_month=None) | ~Q(value_usd=usd)
            changed += _set_value(rows.filter(stale), usd, rate.month)
        else:
            changed += _set_value(rows.exclude(value_usd=None), None, None)
    return changed


@transaction.atomic
def _set_value(rows: ReferralQuerySet, usd: Any, month: date | None) -> int:
    """Update the deals that nobody else has locked; the others follow in the next run.

    Waiting for a lock could deadlock: whoever changes one copy may go on to lock the engagement's other copies.
    """
    free = rows.order_by().select_for_update(skip_locked=True).values("pk")
    return Referral.objects.filter(pk__in=free).update(value_usd=usd, usd_rate_month=month)


def value_won(*, now: datetime) -> int:
    """Set the USD value of won deals that had no rate, at the rate of the month of the win, once it is known (FX-2).

    One statement per currency and month. Returns how many deals changed.
    """
    waiting = Referral.objects.filter(substatus=rules.WON, value_usd=None).annotate(
        month=TruncMonth("closed_at", tzinfo=UTC)
    )
    valued = 0
    for currency, month in waiting.order_by().values_list("currency", "month").distinct():
        try:
            rate = money.rate_for(currency, month.date(), policy=policies.current(now))
        except money.RateMissing:
            continue
        usd = Func(F("value") * rate.usd_per_unit, 2, function="round", output_field=DecimalField())
        valued += _set_value(waiting.filter(currency=currency, month=month), usd, rate.month)
    return valued


def index_renamed_customers(*, now: datetime) -> int:
    """Update the search text of deals whose customer was renamed lately (REF-20). Returns how many.

    The customer directory doesn't know deals and is imported in bulk, so its changes are looked up here.
    """
    changed = Customer.objects.filter(updated_at__gte=now - RENAMED_WITHIN).exclude(updated_at=F("created_at"))
    referrals = Referral.objects.filter(engagement__customer__in=changed).only("pk")
    search_index.index(referrals)
    return len(referrals)
