"""What exceptions add to the home page: the questions of the council, and its votes."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext

from exceptions_council.models import ExceptionRequest, ExceptionRequestQuerySet, Status
from exceptions_council.selectors import docket
from portal.accounts.rules import Actor
from portal.days import last_second
from portal.ui.home import NEEDS, Need, NeedKind
from portal.workflow.blockers import _
from referrals.models import of_changeable
from referrals.web.home import need


def to_answer(actor: Actor, _now: datetime) -> ExceptionRequestQuerySet:
    """What the council asks, the first to run out first (EXC-11)."""
    mine = ExceptionRequest.objects.visible_to(actor).filter(of_changeable(actor))
    return mine.filter(status=Status.EVIDENCE_REQUESTED).with_context().order_by("evidence_due_at", "pk")


def _answer(request: ExceptionRequest, _now: datetime) -> Need:
    question = next((one.text for one in request.evidence.all() if one.is_open), "")
    url, until = reverse("exception", args=[request.public_id]), request.evidence_due_at
    title = gettext("Answer the exception council")
    return need("evidence", "question-circle", title, request.referral, until=until, note=question, url=url)


def to_vote(actor: Actor, _now: datetime) -> ExceptionRequestQuerySet:
    """What waits for this member's vote, the first to be due first (EXC-7, EXC-8)."""
    open_ones = ExceptionRequest.objects.visible_to(actor).open().with_context()
    return docket.to_vote(open_ones, actor).order_by("due_on", "pk")


def _vote(request: ExceptionRequest, _now: datetime) -> Need:
    """Leading into the administration."""
    title, until = gettext("Vote on this exception"), last_second(request.due_on)
    url = reverse("admin:exceptions_council_exceptionrequest_change", args=[request.pk])
    return need("vote", "shield-check", title, request.referral, until=until, url=url)


def _docket() -> str:
    return f"{reverse('admin:exceptions_council_exceptionrequest_changelist')}?mine=open"


NEEDS.add("evidence", NeedKind(_("Evidence to send"), to_answer, _answer, "referral"), order=25)
NEEDS.add("vote", NeedKind(_("Exceptions to vote on"), to_vote, _vote, "referral", _docket), order=45)
