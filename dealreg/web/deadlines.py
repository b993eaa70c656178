"""Which days of registrations come: the ends of the window, of the time to correct, and of the wait (FLOW-8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import cast

from django.db.models import Q
from django.utils.translation import gettext

from dealreg.models import Registration, RegistrationQuerySet, Status
from dealreg.selectors.window import with_window
from portal.accounts.rules import Actor
from portal.policy import services as policies
from portal.ui.deadlines import DEADLINES, Deadline, DeadlineKind
from portal.workflow.blockers import _
from referrals.web.deadlines import acting, deadline, listing


def _own(actor: Actor) -> RegistrationQuerySet:
    """The company's registrations, as far as the actor sees them."""
    return Registration.objects.visible_to(actor).filter(referral__company_id=actor.own_company_id)


def to_register(actor: Actor, now: datetime) -> RegistrationQuerySet:
    """The company's won deals that nobody has filed yet, with the end of the window."""
    found = _own(actor).to_register().with_context()
    return cast(RegistrationQuerySet, with_window(found, policies.current(now)).filter(last_day__isnull=False))


def to_correct(actor: Actor, _now: datetime) -> RegistrationQuerySet:
    """The company's registrations that came back, and fail on a day if nobody answers."""
    return _own(actor).filter(status=Status.ACTION_REQUIRED).with_context()


def awaited(actor: Actor, _now: datetime) -> RegistrationQuerySet:
    """The company's registrations that wait for their marketplace transaction (FLOW-3)."""
    return _own(actor).awaiting_transaction().with_context()


def _window_ends(registration: Registration) -> Deadline:
    last_day: date = registration.last_day  # type: ignore[attr-defined]
    exact: bool = registration.exact  # type: ignore[attr-defined]
    note = "" if exact else gettext("If the contract was signed on the day of the win")
    return deadline(gettext("Register this won deal"), registration.referral, last_day, note=note)


def _correction_ends(registration: Registration) -> Deadline:
    assert registration.action_due_at is not None
    return deadline(gettext("Correct the registration"), registration.referral, registration.action_due_at)


def _people(rows: Sequence[Registration], actor: Actor) -> Sequence[tuple[str, ...]]:
    return acting([row.referral for row in rows], actor)


def _wait_ends(registration: Registration) -> Deadline:
    assert registration.marketplace_until is not None
    return deadline(gettext("Marketplace transaction"), registration.referral, registration.marketplace_until)


def _mine(actor: Actor) -> Q:
    return listing(actor, "referral")


DEADLINES.add(
    "action",
    DeadlineKind(_("Corrections"), "pencil", to_correct, "action_due_at", _correction_ends, _people, _mine),
    order=35,
)
DEADLINES.add(
    "register",
    DeadlineKind(
        _("Registration windows"), "award", to_register, "last_day", _window_ends, _people, _mine, by_day=True
    ),
    order=45,
)
DEADLINES.add(
    "marketplace",
    DeadlineKind(_("Marketplace transactions"), "shop", awaited, "marketplace_until", _wait_ends, _people, _mine),
    order=70,
)
