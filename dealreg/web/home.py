"""What registrations add to the home page: those to correct, to file and, for reviewers, to review."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext

from dealreg.models import Registration, RegistrationQuerySet, Status
from dealreg.policies import may_review
from portal.accounts.rules import Actor
from portal.policy import services as policies
from portal.ui.home import MAX_ITEMS, NEEDS, Need
from referrals.models import Referral
from referrals.web.home import need


def _own(actor: Actor) -> RegistrationQuerySet:
    """Those that the actor files and corrects (ORG-3)."""
    return Registration.objects.visible_to(actor).filter(referral__in=Referral.objects.changeable_by(actor))


def to_correct(actor: Actor, _now: datetime) -> Iterator[Need]:
    """Registrations that came back, the oldest first (FLOW)."""
    found = _own(actor).filter(status=Status.ACTION_REQUIRED).with_context().order_by("action_required_at")
    title = gettext("Correct the registration and resubmit")
    for registration in found[:MAX_ITEMS]:
        until, note = registration.action_due_at, registration.comment
        yield need("action", "pencil", title, registration.referral, until=until, note=note)


def to_register(actor: Actor, now: datetime) -> Iterator[Need]:
    """Won deals whose registration nobody has filed yet (REG-7)."""
    window = policies.current(now).register_within
    for registration in _own(actor).to_register().with_context().order_by("referral__closed_at")[:MAX_ITEMS]:
        until = (registration.referral.closed_at or now) + window
        yield need("register", "award", gettext("Register this won deal"), registration.referral, until=until)


def to_review(actor: Actor, _now: datetime) -> Iterator[Need]:
    """A reviewer's queue, the oldest first, each leading into the administration."""
    if not may_review(actor):
        return
    waiting = Registration.objects.visible_to(actor).filter(status=Status.REVIEW_PENDING)
    found = waiting.with_context().order_by("review_pending_at")
    title = gettext("Review this registration")
    for registration in found[:MAX_ITEMS]:
        url = reverse("admin:dealreg_registration_change", args=[registration.pk])
        since = registration.review_pending_at
        yield need("review", "clipboard-check", title, registration.referral, url=url, since=since)


NEEDS.add("action", to_correct, order=20)
NEEDS.add("register", to_register, order=30)
NEEDS.add("review", to_review, order=40)
