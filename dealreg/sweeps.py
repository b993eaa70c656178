"""What workers do to many registrations: route those that were filed, close those that are decided."""

from __future__ import annotations

from datetime import datetime

from django.db.models import DateTimeField, ExpressionWrapper, F

from dealreg import verbs
from dealreg.models import Registration, RegistrationQuerySet
from dealreg.selectors.registration import unregistered
from dealreg.services import marketplace
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


def open_missed(*, now: datetime, limit: int = 500) -> int:
    """Open registrations that no event opened: a rate came late, or two changes happened at once (ELIG-9).

    Looks only at won deals within the registration window that nothing but this check is missing for.
    """
    since = now - policies.current(now).register_within
    missed = unregistered().filter(
        closed_at__gte=since,
        value_usd__isnull=False,
        engagement__vendor_may_view=True,
        engagement__customer__managed=True,
        solutions__solution__azure_ip=True,
    )
    return len(services.open_registrations(missed.distinct()[:limit], now=now))


def close_decided(*, now: datetime, limit: int = 1000) -> int:
    """Close one batch of registrations that are decided and due, as the verb does to one (FLOW)."""
    due = Registration.objects.due_to_close(now).order_by("close_due_at")
    due = _with_only(due, "status", "outcome", "close_due_at", "closed_at", "updated_at", "version")
    return workflow.run_batch(due, verbs.CLOSE, actor=SYSTEM, now=now, limit=limit)


def match_marketplace(*, now: datetime) -> int:
    """Give waiting registrations their marketplace transactions, then fail those that waited long enough (FLOW-3)."""
    moved = marketplace.match_waiting(now=now)
    while failed := marketplace.fail_overdue(now=now):
        moved += failed
    return moved


def remind_of_marketplace(*, now: datetime, limit: int = 1000) -> int:
    """Write reminders for one batch of registrations whose marketplace transaction is missing (FLOW-8)."""
    waiting = _with_only(Registration.objects.awaiting_transaction())
    until, since = F("marketplace_until"), F("submitted_at")
    return reminders.remind(
        waiting, verb="registration.marketplace_reminded", until=until, since=since, now=now, limit=limit
    )


def _with_only(registrations: RegistrationQuerySet, *columns: str) -> RegistrationQuerySet:
    """With what their events tell whose they are, and these columns: what a sweep doesn't read isn't loaded."""
    found = registrations.select_related("referral__engagement")
    return found.only("referral__company", "referral__engagement__public_id", *columns)


def remind(*, now: datetime, limit: int = 1000) -> int:
    """Write reminders for one batch of won deals that are not registered, before the window closes (FLOW-8). Returns
    how many.

    The window is counted from the win, because the signing date is unknown until somebody files (REG-7).
    """
    window = policies.current(now).register_within
    until = ExpressionWrapper(F("referral__closed_at") + window, output_field=DateTimeField())
    unfiled = _with_only(Registration.objects.to_register())
    return reminders.remind(
        unfiled, verb="registration.reminded", until=until, since=F("created_at"), now=now, limit=limit
    )
