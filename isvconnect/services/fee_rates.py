"""Fee rates as programme managers keep them: said, corrected, taken back while nothing is invoiced at them (ISV-6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from django.core.exceptions import PermissionDenied
from django.db import transaction

from isvconnect.models import FeeRate, InvoiceSeries
from isvconnect.policies import may_set_rates
from isvconnect.rules.rates import rate_blockers
from isvconnect.selectors import next_run
from portal.accounts.rules import Actor
from portal.events import services as events
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
    """Say the fee rate of a tag from a day on, or correct it; deals whose fees are known keep them (ISV-6).

    Raises PermissionDenied, RuleViolation.
    """
    _hold(actor)
    if blockers := setting_blockers(tag, effective_from, percent):
        raise RuleViolation(blockers)
    rate, created = FeeRate.objects.get_or_create(tag=tag, effective_from=effective_from, defaults={"percent": percent})
    before = {} if created else {"percent": str(rate.percent)}
    rate.percent = percent
    rate.save()
    after = {"tag": tag, "effective_from": effective_from.isoformat(), "percent": str(percent)}
    events.record_one(rate, "fee_rate.set", actor=actor, now=now, company_id=None, before=before, after=after)
    return rate


@transaction.atomic
def remove_rate(rate: FeeRate, *, actor: Actor, now: datetime) -> None:
    """Take a rate back; deals whose fees are known keep them (ISV-6). Raises PermissionDenied, RuleViolation."""
    _hold(actor)
    if blockers := removal_blockers(rate):
        raise RuleViolation(blockers)
    before = {"tag": rate.tag, "effective_from": rate.effective_from.isoformat(), "percent": str(rate.percent)}
    events.record_one(rate, "fee_rate.removed", actor=actor, now=now, company_id=None, before=before)
    rate.delete()


def _hold(actor: Actor) -> None:
    """Who issues invoices holds their series until the commit: what is being issued is seen here."""
    if not may_set_rates(actor):
        raise PermissionDenied
    list(InvoiceSeries.objects.select_for_update().order_by("pk"))
