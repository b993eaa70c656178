"""Which days of exceptions come: evidence, the time to ask, and, for the council, its decisions (FLOW-8, EXC-7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext

from dealreg.models import Registration
from exceptions_council.models import ExceptionRequest, ExceptionRequestQuerySet, Status
from exceptions_council.policies import may_vote
from exceptions_council.selectors.asking import to_ask
from portal.accounts.rules import Actor
from portal.policy import services as policies
from portal.ui.deadlines import DEADLINES, Deadline, DeadlineKind
from portal.workflow.blockers import _
from referrals.web.deadlines import acting, deadline, listing


def evidence(actor: Actor, _now: datetime) -> ExceptionRequestQuerySet:
    """The company's requests about which the council asked something."""
    own = ExceptionRequest.objects.visible_to(actor).filter(referral__company_id=actor.own_company_id)
    return own.filter(status=Status.EVIDENCE_REQUESTED).with_context()


def rejections(actor: Actor, now: datetime) -> Any:
    """The company's rejected registrations about which it can still ask."""
    visible = Registration.objects.visible_to(actor).filter(referral__company_id=actor.own_company_id)
    return to_ask(policies.current(now)).filter(pk__in=visible.values("pk")).with_context()


def decisions(actor: Actor, _now: datetime) -> ExceptionRequestQuerySet:
    """What the council has to decide, for its members."""
    found = ExceptionRequest.objects.visible_to(actor).open().with_context()
    return found if may_vote(actor) else found.none()


def _evidence(request: ExceptionRequest) -> Deadline:
    assert request.evidence_due_at is not None
    found = deadline(gettext("Answer the exception council"), request.referral, request.evidence_due_at)
    return replace(found, url=reverse("exception", args=[request.public_id]))


def _asking(registration: Registration) -> Deadline:
    last_day = registration.last_day  # type: ignore[attr-defined]
    return deadline(gettext("Ask for an exception"), registration.referral, last_day)


def _decision(request: ExceptionRequest) -> Deadline:
    found = deadline(gettext("Decide on an exception"), request.referral, request.due_on)
    return replace(found, url=reverse("admin:exceptions_council_exceptionrequest_change", args=[request.pk]))


def _people(rows: Sequence[Any], actor: Actor) -> Sequence[tuple[str, ...]]:
    return acting([row.referral for row in rows], actor)


def _council(rows: Sequence[Any], _actor: Actor) -> Sequence[tuple[str, ...]]:
    return [(gettext("You"),) for _row in rows]


def _mine(actor: Actor) -> Q:
    return listing(actor, "referral")


DEADLINES.add(
    "evidence",
    DeadlineKind(
        _("Evidence for exceptions"), "question-circle", evidence, "evidence_due_at", _evidence, _people, _mine
    ),
    order=36,
)
DEADLINES.add(
    "ask_exception",
    DeadlineKind(
        _("Time to ask for an exception"), "shield-check", rejections, "last_day", _asking, _people, _mine, by_day=True
    ),
    order=50,
)
DEADLINES.add(
    "decide_exception",
    DeadlineKind(
        _("Decisions on exceptions"),
        "check2-square",
        decisions,
        "due_on",
        _decision,
        _council,
        lambda actor: Q(),
        by_day=True,
    ),
    order=55,
)
