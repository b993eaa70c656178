"""About which rejections an exception can still be asked for, and until when (EXC-2, FLOW-8)."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

from django.db.models import DateField, DateTimeField, F
from django.db.models.functions import Cast, Greatest, TruncDate

from dealreg.models import Registration, Status
from dealreg.rules import states
from portal.policy.rules import Policy
from referrals import rules as referral_rules

_TO_ITS_END = timedelta(days=1) - timedelta(seconds=1)


def to_ask(policy: Policy) -> Any:
    """Rejected, closed registrations without a request. Annotates `last_day` to ask, and `until`, its last second in
    UTC."""
    filed, decided = (TruncDate(name, tzinfo=UTC) for name in ("first_submitted_at", "decided_at"))
    last = Greatest(
        filed + timedelta(days=policy.exception_after_registration_days),
        decided + timedelta(days=policy.exception_after_rejection_days),
    )
    rejected = Registration.objects.filter(
        status=Status.CLOSED,
        outcome__in=states.BAD,
        referral__substatus=referral_rules.WON,
        referral__exception_request=None,
    )
    found = rejected.annotate(last_day=Cast(last, DateField()))
    return found.annotate(until=Cast(F("last_day") + _TO_ITS_END, DateTimeField()))
