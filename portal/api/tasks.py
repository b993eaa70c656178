"""The workers' edge of the API."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from portal.api import sweeps


@shared_task
def purge(**_ignored: Any) -> int:
    """Every hour: what is kept no longer."""
    return sweeps.purge(now=timezone.now())
