"""The Celery tasks of exceptions."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from exceptions_council import sweeps
from portal.tasks import until_done


@shared_task
def end_evidence(**_ignored: Any) -> int:
    """EXC-11: batch by batch, until no question is due."""
    return until_done(sweeps.end_evidence)


@shared_task
def note_overdue(**_ignored: Any) -> int:
    """EXC-7: batch by batch, until everything overdue is noted."""
    return until_done(sweeps.note_overdue)


@shared_task
def note_too_few(**_ignored: Any) -> int:
    """EXC-15: what no event told of."""
    return sweeps.note_too_few(now=timezone.now())


@shared_task
def remind_of_evidence(**_ignored: Any) -> int:
    """FLOW-8, hourly."""
    return sweeps.remind_of_evidence(now=timezone.now())


@shared_task
def remind_of_asking(**_ignored: Any) -> int:
    """FLOW-8, hourly."""
    return sweeps.remind_of_asking(now=timezone.now())
