"""What workers do to many registrations: route those that were filed, close those that are decided."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F

from dealreg import verbs
from dealreg.models import Registration, RegistrationQuerySet
from dealreg.selectors.registration import ripe
from dealreg.selectors.window import with_window
from dealreg.services import registration as services
from portal.accounts.rules import SYSTEM
from portal.notify import reminders
from portal.policy import services as policies
from portal.workflow import services as workflow
from portal.workflow.blockers import RuleViolation


def route_submitted(*, now: datetime, limit: int = 500) -> int:
    """Route filed registrations: the new ones, and those that a dead worker left behind (FLOW-1)."""
    routed = 0
    for registration in Registration.objects.to_route().order_by("submitted_at")[:limit]:
        routed += route_once(registration, now=now)
    return routed


def route_once(registration: Registration, *, now: datetime) -> bool:
    """Route one registration. Returns False if another worker did so first."""
    try:
        workflow.run(registration, verbs.ROUTE, actor=SYSTEM, now=now)
    except RuleViolation:
        return False
    return True


def open_missed(*, now: datetime, after: int = 0, limit: int = 500) -> tuple[int, int | None]:
    """Open registrations that no event opened: a rate came late, or two changes happened at once (ELIG-9).

    Looks at one batch of the won deals that nothing but this check is missing for, in the order of their keys, behind
    the key `after`. Returns how many were opened, and the last key that was looked at: None once there are no more.
    """
    deals = list(ripe(policies.current(now)).filter(pk__gt=after).order_by("pk")[:limit])
    return len(services.open_registrations(deals, now=now)), deals[-1].pk if deals else None


def close_decided(*, now: datetime, limit: int = 1000) -> int:
    """Close one batch of registrations that are decided and due, as the verb does to one (FLOW)."""
    due = Registration.objects.due_to_close(now).order_by("close_due_at")
    due = _with_only(due, "status", "outcome", "close_due_at", "closed_at", "updated_at", "version")
    return workflow.run_batch(due, verbs.CLOSE, actor=SYSTEM, now=now, limit=limit)


def _with_only(registrations: RegistrationQuerySet, *columns: str) -> RegistrationQuerySet:
    """With what their events tell whose they are, and these columns: what a sweep doesn't read isn't loaded."""
    found = registrations.select_related("referral__engagement")
    return found.only("referral__company", "referral__engagement__public_id", *columns)


def remind(*, now: datetime, limit: int = 1000) -> int:
    """Write reminders for one batch of won deals that are not registered, before the window closes (FLOW-8). Returns
    how many."""
    unfiled = with_window(_with_only(Registration.objects.to_register()), policies.current(now))
    return reminders.remind(
        unfiled, verb="registration.reminded", until=F("until"), since=F("created_at"), now=now, limit=limit
    )
