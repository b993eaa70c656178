"""Reminders before deadlines: one event per deadline and lead time; reactions tell those who can act (FLOW-8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import reduce
from math import ceil
from operator import or_
from typing import Any

from django.db import models, transaction
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from portal.accounts.rules import SYSTEM
from portal.events import services as events
from portal.events.models import Event
from portal.policy import services as policies

DAY = timedelta(days=1)


@transaction.atomic
def remind(records: models.QuerySet[Any], *, verb: str, until: Any, since: Any, now: datetime, limit: int) -> int:
    """Write down one batch of reminders that are due for `records`, which end `until` and began `since` (expressions).

    Of several leads that are due at once only the nearest counts; one for which the time never existed doesn't
    (FLOW-8). The events are the memory: a deadline is reminded of once for each lead, whoever sweeps, however often.
    A handful of statements, whatever the batch holds. Returns how many were written.
    """
    policy = policies.current(now)
    leads = sorted({lead for lead in policy.reminder_days if lead > 0})
    if not leads:
        return 0
    due = _due(records.annotate(deadline=until, began=since), leads, now)
    rows = list(_untold(due, verb).select_for_update(skip_locked=True, of=("self",)).order_by("deadline")[:limit])
    # Somebody may have reminded of a row between our look at it and our lock on it: look again behind the lock.
    told = _told(rows, verb)
    written = [
        events.new_event(
            row,
            verb,
            actor=SYSTEM,
            now=now,
            company_id=row.owner_id,
            group=row.event_group,
            after={"lead": row.lead, "until": row.deadline.isoformat(), "days": days_left(row.deadline, now)},
            policy_version=policy.version,
        )
        for row in rows
        if (row.pk, row.lead, row.deadline) not in told
    ]
    events.record(written)
    return len(written)


def days_left(until: datetime, now: datetime) -> int:
    """The days until then, counting a begun day as a whole one."""
    return ceil((until - now) / DAY)


def _due(records: models.QuerySet[Any], leads: Sequence[int], now: datetime) -> models.QuerySet[Any]:
    """Rows whose nearest lead has been reached and existed at all; `leads` ascend. Annotates `lead`."""
    whens = [models.When(deadline__lte=now + lead * DAY, then=models.Value(lead)) for lead in leads]
    had_time = [models.Q(lead=lead, deadline__gt=models.F("began") + lead * DAY) for lead in leads]
    return (
        records.filter(deadline__gt=now, deadline__lte=now + leads[-1] * DAY)
        .annotate(lead=models.Case(*whens, output_field=models.IntegerField()))
        .filter(reduce(or_, had_time))
    )


def _reminders(records: type[models.Model], verb: str) -> models.QuerySet[Any]:
    return Event.objects.filter(subject_type=records._meta.label_lower, verb=verb).annotate(
        lead=Cast(KT("after__lead"), models.IntegerField()), until=Cast(KT("after__until"), models.DateTimeField())
    )


def _untold(due: models.QuerySet[Any], verb: str) -> models.QuerySet[Any]:
    outer = models.OuterRef
    told = _reminders(due.model, verb).filter(subject_id=outer("pk"), lead=outer("lead"), until=outer("deadline"))
    return due.exclude(models.Exists(told))


def _told(rows: Sequence[Any], verb: str) -> set[tuple[int, int, datetime]]:
    if not rows:
        return set()
    written = _reminders(type(rows[0]), verb).filter(subject_id__in=[row.pk for row in rows])
    return set(written.values_list("subject_id", "lead", "until"))
