"""The Celery tasks of the desk."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from portal.desk import services, sweeps
from portal.desk.rules import KINDS


@shared_task
def open_missed(**_ignored: Any) -> int:
    """FLOW-12, hourly: what waits and has no case, as from before there was a desk."""
    return sum(services.fill(kind) for kind in KINDS)


@shared_task
def tell_due(**_ignored: Any) -> int:
    """FLOW-14, hourly: once a day it tells what is due and overdue."""
    return sweeps.tell_due(now=timezone.now())
