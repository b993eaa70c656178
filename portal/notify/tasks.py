"""The workers' edge of notify."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.utils import timezone

from portal.notify import services


@shared_task
def heartbeat(**_ignored: Any) -> None:
    """Say that tasks are carried out; /status reads it."""
    services.keep_heartbeat(now=timezone.now())


@worker_ready.connect
def _first_beat(**_kwargs: Any) -> None:
    """A new worker is seen at once, not only when beat next asks."""
    heartbeat()


#: So many rounds of mail at most in one go, so that a task ends long before it is taken for lost.
ROUNDS = 10


@shared_task
def deliver_due(**_ignored: Any) -> int:
    """Mail what is due, every few seconds: what just happened, and what failed before."""
    total = 0
    for _round in range(ROUNDS):
        sent = services.deliver_due(now=timezone.now())
        total += sent
        if not sent:
            break
    return total


@shared_task
def deliver_digests(**_ignored: Any) -> int:
    """Hourly: the digests of those whose morning has come (F5.2)."""
    return services.deliver_digests(now=timezone.now(), limit=2000)
