"""What registrations add to the home page: those to correct, to file and, for reviewers, to review."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any, cast
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext

from dealreg.models import Registration, RegistrationQuerySet, Status
from dealreg.policies import may_review
from dealreg.selectors.window import with_window
from portal.accounts.rules import Actor
from portal.policy import services as policies
from portal.policy.rules import Policy
from portal.ui.home import NEEDS, Need, NeedKind
from portal.workflow import text
from portal.workflow.blockers import _
from referrals.models import of_changeable
from referrals.web.home import need


def _own(actor: Actor) -> RegistrationQuerySet:
    """Those that the actor files and corrects (ORG-3)."""
    return Registration.objects.visible_to(actor).filter(of_changeable(actor))


def to_correct(actor: Actor, _now: datetime) -> RegistrationQuerySet:
    """Registrations that came back, the oldest first (FLOW)."""
    found = _own(actor).filter(status=Status.ACTION_REQUIRED)
    return found.with_context().order_by("action_required_at", "pk")


def _correct(registration: Registration, _now: datetime) -> Need:
    title, until = gettext("Correct the registration and resubmit"), registration.action_due_at
    return need("action", "pencil", title, registration.referral, until=until, note=registration.comment)


def to_register(actor: Actor, now: datetime) -> RegistrationQuerySet:
    """Won deals whose registration nobody has filed yet, those whose window ends first before the others (FLOW-8)."""
    found = with_window(_own(actor).to_register().with_context(), policies.current(now))
    return cast(RegistrationQuerySet, found.order_by("until", "pk"))


def _register(registration: Any, now: datetime) -> Need:
    found = need("register", "award", gettext("Register this won deal"), registration.referral)
    if registration.exact:
        return replace(found, until=registration.until)
    return replace(found, by=registration.until, note=_supposed(registration.last_day, policies.current(now)))


def _supposed(last_day: date, policy: Policy) -> str:
    """The window of a contract of which nobody said yet when it was signed."""
    sentence = gettext("%(days)s days from signing: until %(day)s if that was on the day of the win")
    return sentence % {"days": policy.registration_window_days, "day": text.day(last_day)}


def to_review(actor: Actor, _now: datetime) -> RegistrationQuerySet:
    """A reviewer's queue, the oldest first."""
    waiting = Registration.objects.visible_to(actor).filter(status=Status.REVIEW_PENDING)
    return waiting.with_context().order_by("review_pending_at", "pk") if may_review(actor) else waiting.none()


def _review(registration: Registration, _now: datetime) -> Need:
    """Leading into the administration."""
    title, since = gettext("Review this registration"), registration.review_pending_at
    url = reverse("admin:dealreg_registration_change", args=[registration.pk])
    return need("review", "clipboard-check", title, registration.referral, url=url, since=since)


def _queue() -> str:
    return f"{reverse('admin:dealreg_registration_changelist')}?{urlencode({'status': Status.REVIEW_PENDING.value})}"


NEEDS.add("action", NeedKind(_("Registrations to correct"), to_correct, _correct, "referral"), order=20)
NEEDS.add("register", NeedKind(_("Deals to register"), to_register, _register, "referral"), order=30)
NEEDS.add("review", NeedKind(_("Registrations to review"), to_review, _review, "referral", _queue), order=40)
