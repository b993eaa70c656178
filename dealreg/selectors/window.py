"""Until when won deals can be registered, of one and in queries of many (FLOW-8)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Case, DateField, DateTimeField, F, Q, Value, When
from django.db.models.functions import Cast, Coalesce, Least, TruncDate

from dealreg.models import Registration, RegistrationDraft, RegistrationQuerySet
from dealreg.rules import SigningFacts, Window, register_until
from dealreg.rules.window import DAY, FAR, closed_periods
from dealreg.selectors.waivers import waiver_of
from portal.policy.rules import Policy


def window_of(registration: Registration, policy: Policy) -> Window:
    """The window of a registration that waits to be filed; two queries."""
    referral = registration.referral
    draft, waiver = RegistrationDraft.objects.filter(registration=registration).first(), waiver_of(referral)
    won = referral.closed_at or registration.created_at
    known = SigningFacts(
        won=won.astimezone(UTC).date(),
        signed=(draft.signed if draft else None) or referral.signed_on,
        start=draft.start if draft else None,
        payg=draft.payg if draft else False,
        waived_until=waiver.until if waiver else None,
    )
    return register_until(known, policy)


def with_window(registrations: RegistrationQuerySet, policy: Policy) -> Any:
    """Annotates `last_day`, and `until`, its last second in UTC; both are None where there is no window.

    Unless `exact`, they only suppose that the contract was signed on the day of the win.
    """
    counted = Coalesce("draft__signed", "referral__signed_on", TruncDate("referral__closed_at", tzinfo=UTC))
    signed = Q(draft__signed__isnull=False) | Q(referral__signed_on__isnull=False)
    known = When(signed | Q(draft__payg=True) | Q(referral__waiver__isnull=False), then=True)
    started = Least("draft__start", Value(FAR)) + timedelta(days=policy.start_window_days)
    signed_until = Least(counted, Value(FAR)) + policy.register_within
    last = Cast(Least(signed_until, started), DateField())  # LEAST passes over what is null
    periods = [When(counted_day__range=(p.first, p.last), then=Value(p.first - DAY)) for p in closed_periods(policy)]
    open_day = Case(When(draft__payg=True, then=None), *periods, default=F("counted_day"), output_field=DateField())
    found = registrations.annotate(exact=Case(known, default=False), counted_day=last)
    found = found.annotate(last_day=Coalesce("referral__waiver__until", open_day))
    return found.annotate(until=Cast(F("last_day") + _TO_ITS_END, DateTimeField()))


_TO_ITS_END = timedelta(days=1) - timedelta(seconds=1)


def last_day_of(until: datetime) -> date:
    """The day of which that is the last second."""
    return until.astimezone(UTC).date()
