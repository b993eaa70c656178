"""What workers do to many registrations: route what was filed, close what is decided."""

from __future__ import annotations

from datetime import datetime

from dealreg import services
from dealreg.models import Registration
from portal.accounts.rules import SYSTEM
from portal.workflow import services as workflow
from portal.workflow.blockers import RuleViolation


def route_submitted(*, now: datetime, limit: int = 500) -> int:
    """Route what was filed and not routed: right after submission, and what a dead worker left (FLOW-1)."""
    routed = 0
    for registration in Registration.objects.to_route().order_by("submitted_at")[:limit]:
        routed += route_once(registration, now=now)
    return routed


def route_once(registration: Registration, *, now: datetime) -> bool:
    """Route one; False if another worker was first."""
    try:
        services.route(registration, now=now)
    except RuleViolation:
        return False
    return True


def close_decided(*, now: datetime, limit: int = 1000) -> int:
    """Close one batch of registrations that are decided and due, as services.close does to one (FLOW)."""
    due = Registration.objects.due_to_close(now).select_related("referral__engagement").order_by("close_due_at")
    return workflow.run_batch(due, "close", actor=SYSTEM, now=now, limit=limit)
