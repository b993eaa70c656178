"""The Celery tasks of referrals."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from portal.tasks import until_done
from referrals import sweeps


@shared_task
def expire_due(**_ignored: Any) -> int:
    """REF-13, every minute: batch by batch, until nothing is due."""
    return until_done(sweeps.expire_due)


@shared_task
def remind(**_ignored: Any) -> int:
    """FLOW-8, hourly: remind of whatever is due."""
    return sweeps.remind(now=timezone.now())


@shared_task
def win_scheduled(**_ignored: Any) -> int:
    """REF-18, every minute: win what was planned."""
    return sweeps.win_planned(now=timezone.now())


@shared_task
def revalue_open(**_ignored: Any) -> int:
    """FX-3, hourly and when rates arrive; a new month's rates are applied this way, too."""
    now = timezone.now()
    return sweeps.revalue_open(now=now) + sweeps.value_won(now=now)


@shared_task
def index_renamed_customers(**_ignored: Any) -> int:
    """REF-20, hourly: search finds deals by their customers' new names."""
    return sweeps.index_renamed_customers(now=timezone.now())
