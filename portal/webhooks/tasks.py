"""The Celery tasks of webhooks."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from portal.webhooks import sweeps


@shared_task
def deliver(**_ignored: Any) -> int:
    """Every few seconds: what is new in the feed becomes deliveries, and what is due is sent."""
    return sweeps.deliver_due(now=timezone.now())


@shared_task
def purge(**_ignored: Any) -> int:
    """Daily."""
    return sweeps.purge(now=timezone.now())
