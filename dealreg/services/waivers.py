"""Approved exceptions, as far as registrations are concerned (ELIG-8, REG-12, EXC-12)."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from dealreg.models import Waiver
from dealreg.selectors.registration import unregistered
from dealreg.services.registration import open_registrations
from referrals.models import Referral


@transaction.atomic
def grant(referral: Referral, *, by: str, until: date, now: datetime) -> Waiver:
    """Let the deal be registered in spite of what an exception replaces; `until` is the last day on which it waives
    (EXC-12). Opens the registration of a won deal at once (ELIG-9). `by`: who approved it, as people read it.

    Who approves, and the event that says so, is the caller's.
    """
    granted = {"granted_by": by, "granted_at": now, "until": until}
    waiver, _created = Waiver.objects.update_or_create(referral=referral, defaults=granted)
    open_registrations(unregistered().filter(pk=referral.pk), now=now)
    return waiver
