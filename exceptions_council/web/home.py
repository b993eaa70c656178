"""What exceptions add to the home page: the questions of the council."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext

from exceptions_council.models import ExceptionRequest, ExceptionRequestQuerySet, Status
from portal.accounts.rules import Actor
from portal.ui.home import NEEDS, Need, NeedKind
from portal.workflow.blockers import _
from referrals.models import Referral
from referrals.web.home import need


def to_answer(actor: Actor, _now: datetime) -> ExceptionRequestQuerySet:
    """What the council asks, the first to run out first (EXC-11)."""
    mine = ExceptionRequest.objects.visible_to(actor).filter(referral__in=Referral.objects.changeable_by(actor))
    return mine.filter(status=Status.EVIDENCE_REQUESTED).with_context().order_by("evidence_due_at", "pk")


def _answer(request: ExceptionRequest, _now: datetime) -> Need:
    question = next((one.text for one in request.evidence.all() if one.is_open), "")
    url, until = reverse("exception", args=[request.public_id]), request.evidence_due_at
    title = gettext("Answer the exception council")
    return need("evidence", "question-circle", title, request.referral, until=until, note=question, url=url)


NEEDS.add("evidence", NeedKind(_("Evidence to send"), to_answer, _answer, "referral"), order=25)
