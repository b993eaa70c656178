"""What registrations add to the home page: those to correct, to file and, for reviewers, to review."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from django.urls import reverse
from django.utils.translation import gettext

from dealreg.models import Registration, RegistrationQuerySet, Status
from dealreg.policies import may_review
from dealreg.selectors.window import with_window
from portal.accounts.rules import Actor
from portal.policy import services as policies
from portal.policy.rules import Policy
from portal.ui.home import MAX_ITEMS, NEEDS, Need
from portal.workflow import text
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
    """Won deals whose registration nobody has filed yet, those whose window ends first before the others (FLOW-8)."""
    policy = policies.current(now)
    found = with_window(_own(actor).to_register().with_context(), policy).order_by("until", "pk")
    for registration in found[:MAX_ITEMS]:
        until, note = registration.until, ""
        if not registration.exact:
            until, note = None, _supposed(registration.last_day, policy)
        title = gettext("Register this won deal")
        yield need("register", "award", title, registration.referral, until=until, note=note)


def _supposed(last_day: date, policy: Policy) -> str:
    """The window of a contract of which nobody said yet when it was signed."""
    sentence = gettext("%(days)s days from signing: until %(day)s if that was on the day of the win")
    return sentence % {"days": policy.registration_window_days, "day": text.day(last_day)}


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
