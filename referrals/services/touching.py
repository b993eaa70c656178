"""Tells that something changed which a deal's API answer shows, though no column of the deal did (wire.md)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F

from referrals.models import Referral


def hold(referral_ids: Iterable[int]) -> set[int]:
    """Lock these deals, never waiting; returns those that nobody else had locked."""
    found = Referral.objects.filter(pk__in=set(referral_ids)).order_by("pk")
    return set(found.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True))


def touch(referral_ids: Iterable[int], *, now: datetime) -> None:
    """Give these deals, which the caller has locked, a new version; one statement for all.

    Their own columns stay, so a page that was open before is not refused (workflow.run_from_page).
    """
    Referral.objects.filter(pk__in=set(referral_ids)).update(version=F("version") + 1, updated_at=now)
