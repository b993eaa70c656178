"""The workers' edge of accounts."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from portal.accounts import sweeps


@shared_task
def tell_account_holders(**_ignored: Any) -> int:
    """Every few seconds: what the sign-in pages left for the holders of accounts."""
    return sweeps.tell_account_holders(now=timezone.now())
