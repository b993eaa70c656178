"""Fee rates as programme managers keep them: said, corrected, taken back while nothing is invoiced at them (ISV-6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from isvconnect.models import FeeRate, InvoiceSeries
from isvconnect.rules.rates import rate_blockers
from isvconnect.selectors import next_run
from isvconnect.services import rates
from portal.accounts.rules import Actor
from portal.workflow.blockers import Blocker, RuleViolation


def setting_blockers(tag: str, effective_from: date, percent: Decimal) -> Sequence[Blocker]:
    """Why a tag can't have this rate from this day on."""
    was = next_run.rates_of(tag)
    return list(rate_blockers(was, {**was, effective_from: percent}, next_run.invoiced_days(tag)))


def removal_blockers(rate: FeeRate) -> Sequence[Blocker]:
    """Why a rate can't be taken back."""
    was = next_run.rates_of(rate.tag)
    becomes = {day: percent for day, percent in was.items() if day != rate.effective_from}
    return list(rate_blockers(was, becomes, next_run.invoiced_days(rate.tag)))


@transaction.atomic
def set_rate(*, tag: str, effective_from: date, percent: Decimal, actor: Actor, now: datetime) -> FeeRate:
    """Say or correct the rate of a tag from a day on. Raises PermissionDenied, RuleViolation."""
    _hold()
    if blockers := setting_blockers(tag, effective_from, percent):
        raise RuleViolation(blockers)
    return rates.set_rate(tag=tag, effective_from=effective_from, percent=percent, actor=actor, now=now)


@transaction.atomic
def remove_rate(rate: FeeRate, *, actor: Actor, now: datetime) -> None:
    """Take a rate back. Raises PermissionDenied, RuleViolation."""
    _hold()
    if blockers := removal_blockers(rate):
        raise RuleViolation(blockers)
    rates.remove_rate(rate, actor=actor, now=now)


def _hold() -> None:
    """Who issues invoices holds their series until the commit: what is being issued is seen here."""
    list(InvoiceSeries.objects.select_for_update().order_by("pk"))
