"""What the administration's home says about exceptions."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from exceptions_council.models import ExceptionRequest
from exceptions_council.policies import may_read_votes
from exceptions_council.selectors import docket
from portal.accounts.rules import Actor

register = template.Library()


@register.simple_tag
def council_work(actor: Actor) -> list[dict[str, Any]]:
    """What waits for this person's vote, and what doesn't get on, each with where its rows are; only what there is."""
    if not may_read_votes(actor):
        return []
    counts = docket.needs_managers(timezone.now())
    lines = [
        (gettext("Exceptions that wait for your vote"), "mine", "open", docket.to_vote(_all(), actor).count()),
        (gettext("Overdue decisions on exceptions"), "attention", "overdue", counts["overdue"]),
        (gettext("Exceptions that too few may vote on"), "attention", "too_few", counts["too_few"]),
    ]
    page = "admin:exceptions_council_exceptionrequest_changelist"
    return [
        {"label": label, "count": count, "url": reverse(page, query={name: value})}
        for label, name, value, count in lines
        if count
    ]


def _all() -> Any:
    return ExceptionRequest.objects.all()
