"""Fee rates: what the programme's managers say, and what follows for deals that waited for one (ISV-6)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from django.core.exceptions import PermissionDenied
from django.db import transaction

from isvconnect.models import FeeRate
from isvconnect.policies import may_set_rates
from portal.accounts.rules import Actor
from portal.events import services as events


@transaction.atomic
def set_rate(*, tag: str, effective_from: date, percent: Decimal, actor: Actor, now: datetime) -> FeeRate:
    """Say the fee rate of a tag from a day on, or correct it; deals whose fees are known keep them (ISV-6).

    Raises PermissionDenied.
    """
    if not may_set_rates(actor):
        raise PermissionDenied
    rate, created = FeeRate.objects.get_or_create(tag=tag, effective_from=effective_from, defaults={"percent": percent})
    before = {} if created else {"percent": str(rate.percent)}
    rate.percent = percent
    rate.save()
    after = {"tag": tag, "effective_from": effective_from.isoformat(), "percent": str(percent)}
    events.record_one(rate, "fee_rate.set", actor=actor, now=now, company_id=None, before=before, after=after)
    return rate


@transaction.atomic
def remove_rate(rate: FeeRate, *, actor: Actor, now: datetime) -> None:
    """Take a rate back; deals whose fees are known keep them (ISV-6). Raises PermissionDenied."""
    if not may_set_rates(actor):
        raise PermissionDenied
    before = {"tag": rate.tag, "effective_from": rate.effective_from.isoformat(), "percent": str(rate.percent)}
    events.record_one(rate, "fee_rate.removed", actor=actor, now=now, company_id=None, before=before)
    rate.delete()
