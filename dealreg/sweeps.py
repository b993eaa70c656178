"""What workers do to many registrations: route what was filed, close what is decided."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import DateTimeField, ExpressionWrapper, F

from dealreg import services, verbs
from dealreg.models import Registration, RegistrationQuerySet
from dealreg.selectors import unregistered
from portal.accounts.rules import SYSTEM
from portal.notify import reminders
from portal.policy import services as policies
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
        workflow.run(registration, verbs.ROUTE, actor=SYSTEM, now=now)
    except RuleViolation:
        return False
    return True


def open_missed(*, now: datetime, limit: int = 500) -> int:
    """Open what no event opened: a rate that came late, or two changes at the same moment (ELIG-9).

    Looks only at won deals of the registration window that lack nothing but somebody's look.
    """
    since = now - timedelta(days=policies.current(now).registration_window_days)
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


def _with_only(registrations: RegistrationQuerySet, *columns: str) -> RegistrationQuerySet:
    """With what their events tell whose they are, and these columns: what a sweep doesn't read isn't loaded."""
    found = registrations.select_related("referral__engagement")
    return found.only("referral__company", "referral__engagement__public_id", *columns)


def remind(*, now: datetime, limit: int = 1000) -> int:
    """Remind of one batch of won deals that nobody registered, before the window closes (FLOW-8). Returns how many.

    The window is counted from the win: until it is filed nobody knows when the contract was signed (REG-7).
    """
    window = timedelta(days=policies.current(now).registration_window_days)
    until = ExpressionWrapper(F("referral__closed_at") + window, output_field=DateTimeField())
    unfiled = _with_only(Registration.objects.to_register())
    return reminders.remind(
        unfiled, verb="registration.reminded", until=until, since=F("created_at"), now=now, limit=limit
    )
