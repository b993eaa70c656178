"""The Celery tasks of the desk."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from portal.desk import services
from portal.desk.rules import KINDS


@shared_task
def open_missed(**_ignored: Any) -> int:
    """FLOW-12, hourly: what waits and has no case, as from before there was a desk."""
    return sum(services.fill(kind) for kind in KINDS)
