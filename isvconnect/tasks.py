"""The Celery tasks of ISV Connect."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from isvconnect import sweeps


@shared_task
def issue_due(**_ignored: Any) -> int:
    """ISV-6: hourly, and as soon as a fee rate was given. Returns how many invoices were issued."""
    return sweeps.issue_due(now=timezone.now()).issued
