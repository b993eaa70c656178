"""The Celery tasks of licences."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from licensing import sweeps
from portal.tasks import until_done


@shared_task
def expire_invitations(**_ignored: Any) -> int:
    """LIC-1: batch by batch, until no invitation is due."""
    return until_done(sweeps.expire_invitations)


@shared_task
def forget_mailed(**_ignored: Any) -> int:
    """LIC-8: once a day."""
    return sweeps.forget_mailed(now=timezone.now())
