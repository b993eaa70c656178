"""What workers do to many requests: end the time for evidence, note what is overdue, remind (EXC-7, EXC-11, FLOW-8)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import DateTimeField, F
from django.db.models.functions import Cast

from exceptions_council import verbs
from exceptions_council.models import ExceptionRequest, ExceptionRequestQuerySet, Status
from exceptions_council.selectors.asking import to_ask
from exceptions_council.services import requests
from portal.accounts.rules import SYSTEM
from portal.notify import reminders
from portal.policy import services as policies
from portal.workflow import services as workflow


def end_evidence(*, now: datetime, limit: int = 1000) -> int:
    """Give back to the council one batch of requests whose question was not answered in time (EXC-11)."""
    due = ExceptionRequest.objects.evidence_due(now).order_by("evidence_due_at")
    columns = ("status", "evidence_due_at", "updated_at", "version")
    return workflow.run_batch(_with_only(due, *columns), verbs.EVIDENCE_UNANSWERED, actor=SYSTEM, now=now, limit=limit)


def note_overdue(*, now: datetime, limit: int = 1000) -> int:
    """Note one batch of requests that should have been decided by now (EXC-7)."""
    overdue = ExceptionRequest.objects.overdue(now.date()).filter(overdue_at=None).order_by("due_on")
    columns = ("status", "overdue_at", "updated_at", "version")
    return workflow.run_batch(_with_only(overdue, *columns), verbs.NOTE_OVERDUE, actor=SYSTEM, now=now, limit=limit)


def note_too_few(*, now: datetime, limit: int = 500) -> int:
    """Note the requests on which too few may vote, that no event told of (EXC-15).

    Looks at every open one, batch by batch in the order of their keys, so that those on which enough may vote hide none
    behind them. Returns how many were noted.
    """
    noted = after = 0
    waiting = ExceptionRequest.objects.open().filter(too_few_at=None).order_by("pk")
    while batch := list(waiting.filter(pk__gt=after)[:limit]):
        noted, after = noted + sum(requests.note_too_few(request, now=now) for request in batch), batch[-1].pk
    return noted


def remind_of_evidence(*, now: datetime, limit: int = 1000) -> int:
    """Write reminders for questions that nobody has answered (FLOW-8)."""
    waiting = _with_only(ExceptionRequest.objects.filter(status=Status.EVIDENCE_REQUESTED), "evidence_due_at")
    until, since = F("evidence_due_at"), F("evidence_asked_at")
    return reminders.remind(waiting, verb="exception.evidence_reminded", until=until, since=since, now=now, limit=limit)


def remind_of_asking(*, now: datetime, limit: int = 1000) -> int:
    """Write reminders for rejections about which an exception can still be asked for (FLOW-8)."""
    rejected: Any = to_ask(policies.current(now)).with_owner().only("referral", "closed_at")
    until, since = F("until"), Cast(F("closed_at"), DateTimeField())
    return reminders.remind(rejected, verb="exception.asking_reminded", until=until, since=since, now=now, limit=limit)


def _with_only(requests: ExceptionRequestQuerySet, *columns: str) -> ExceptionRequestQuerySet:
    """With what their events tell whose they are, and these columns: what a sweep doesn't read isn't loaded."""
    return requests.with_owner().only("referral", *columns)
