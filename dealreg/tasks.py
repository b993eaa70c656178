"""The Celery tasks of registrations."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from dealreg import sweeps
from dealreg.models import Registration
from portal.tasks import until_done


@shared_task
def route(*, registration_id: int, **_ignored: Any) -> bool:
    """Route a registration right after the partner filed it (FLOW-1)."""
    registration = Registration.objects.to_route().filter(pk=registration_id).first()
    return registration is not None and sweeps.route_once(registration, now=timezone.now())


@shared_task
def route_submitted(**_ignored: Any) -> int:
    """Route what the immediate task missed (FLOW-1)."""
    return sweeps.route_submitted(now=timezone.now())


@shared_task
def scan_documents(**_ignored: Any) -> int:
    """REG-16: have scanned what was added while clamd was away."""
    return sweeps.scan_documents(now=timezone.now())


@shared_task
def purge_documents(**_ignored: Any) -> int:
    """REG-16: delete stored files that no document names."""
    return sweeps.purge_documents(now=timezone.now())


@shared_task
def remind(**_ignored: Any) -> int:
    """FLOW-8, hourly."""
    return sweeps.remind(now=timezone.now())


@shared_task
def close_decided(**_ignored: Any) -> int:
    """FLOW, close: batch by batch, until nothing is due."""
    return until_done(sweeps.close_decided)


@shared_task
def match_marketplace(**_ignored: Any) -> int:
    """FLOW-3: right after transactions came in, and every few minutes."""
    return sweeps.match_marketplace(now=timezone.now())


@shared_task
def remind_of_marketplace(**_ignored: Any) -> int:
    """FLOW-8, hourly."""
    return sweeps.remind_of_marketplace(now=timezone.now())


@shared_task
def fail_unanswered(**_ignored: Any) -> int:
    """FLOW, fail_unanswered: batch by batch, until nothing is due."""
    return until_done(sweeps.fail_unanswered)


@shared_task
def draw_sample(**_ignored: Any) -> int:
    """FLOW-4: batch by batch, until every approved registration took part once."""
    return until_done(sweeps.draw_sample)


@shared_task
def remind_to_correct(**_ignored: Any) -> int:
    """FLOW-8, hourly."""
    return sweeps.remind_to_correct(now=timezone.now())


@shared_task
def open_missed(**_ignored: Any) -> int:
    """ELIG-9: open what the reactions missed."""
    return sweeps.open_missed(now=timezone.now())
