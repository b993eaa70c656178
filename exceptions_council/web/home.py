"""What exceptions add to the home page: the questions of the council."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext

from exceptions_council.models import ExceptionRequest, Status
from portal.accounts.rules import Actor
from portal.ui.home import MAX_ITEMS, NEEDS, Need
from referrals.models import Referral
from referrals.web.home import need


def to_answer(actor: Actor, _now: datetime) -> Iterator[Need]:
    """What the council asks, the first to run out first (EXC-11)."""
    mine = ExceptionRequest.objects.visible_to(actor).filter(referral__in=Referral.objects.changeable_by(actor))
    found = mine.filter(status=Status.EVIDENCE_REQUESTED).with_context().order_by("evidence_due_at")
    for request in found[:MAX_ITEMS]:
        question = next((one.text for one in request.evidence.all() if one.is_open), "")
        url, until = reverse("exception", args=[request.public_id]), request.evidence_due_at
        title = gettext("Answer the exception council")
        yield need("evidence", "question-circle", title, request.referral, until=until, note=question, url=url)


NEEDS.add("evidence", to_answer, order=25)
