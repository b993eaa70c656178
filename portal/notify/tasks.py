"""The Celery tasks of notices and mail."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.utils import timezone

from portal.notify import services


@shared_task
def heartbeat(**_ignored: Any) -> None:
    """Record that workers run tasks; /status shows it."""
    services.keep_heartbeat(now=timezone.now())


@worker_ready.connect
def _first_beat(**_kwargs: Any) -> None:
    """Record the heartbeat of a new worker at once, before beat first asks for it."""
    heartbeat()


#: So many rounds of mail at most in one go, so that a task ends long before it is taken for lost.
ROUNDS = 10


@shared_task
def deliver_due(**_ignored: Any) -> int:
    """Send due mail, every few seconds: new notices, and retries."""
    total = 0
    for _round in range(ROUNDS):
        sent = services.deliver_due(now=timezone.now())
        total += sent
        if not sent:
            break
    return total


@shared_task
def deliver_digests(**_ignored: Any) -> int:
    """Send the daily digests, hourly, to those whose digest time has come (F5.2)."""
    return services.deliver_digests(now=timezone.now(), limit=2000)
