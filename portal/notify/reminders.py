"""Reminders before deadlines: one event per deadline and lead time; reactions tell those who can act (FLOW-8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import reduce
from itertools import islice
from math import ceil
from operator import or_
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from portal import bulk
from portal.accounts.rules import SYSTEM
from portal.events import services as events
from portal.events.models import Event
from portal.policy import services as policies
from portal.policy.rules import Policy

DAY = timedelta(days=1)

#: A record's key, the lead in days, and the deadline: what is reminded of once.
Key = tuple[int, int, datetime]


def remind(records: models.QuerySet[Any], *, verb: str, until: Any, since: Any, now: datetime, limit: int) -> int:
    """Write down the reminders that are due for `records`, which end `until` and began `since` (expressions).

    Of several leads that are due at once only the nearest counts; one for which the time never existed doesn't
    (FLOW-8). The events are the memory: a deadline is reminded of once for each lead, whoever sweeps, however often.
    Reads what is due once and walks through it, `limit` rows a transaction, with a handful of statements for each:
    what was reminded of before, or is held by somebody, keeps nothing behind it waiting. Returns how many were written.
    """
    policy = policies.current(now)
    leads = sorted({lead for lead in policy.reminder_days if lead > 0})
    if not leads:
        return 0
    due = _due(records.annotate(deadline=until, began=since), leads, now)
    # A list, as a cursor that stays open over many transactions is nothing a connection pool can keep.
    keys: list[Key] = list(due.order_by("deadline", "pk").values_list("pk", "lead", "deadline"))
    return sum(_remind(due, batch, verb, policy, now) for batch in _batches(keys, limit))


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


def _batches(keys: Sequence[Key], size: int) -> Iterator[list[Key]]:
    given = iter(keys)
    while batch := list(islice(given, size)):
        yield batch


@bulk.uncollected()
@transaction.atomic
def _remind(due: models.QuerySet[Any], batch: Sequence[Key], verb: str, policy: Policy, now: datetime) -> int:
    unwritten = _unwritten(batch, due.model, verb)
    if not unwritten:
        return 0
    rows = due.filter(pk__in=[key[0] for key in unwritten]).select_for_update(skip_locked=True, of=("self",))
    columns = ("pk", "lead", "deadline", due.model.owner_path, due.model.group_path)
    held = {(pk, lead, until): whose for pk, lead, until, *whose in rows.values_list(*columns)}
    # Somebody may have reminded of a row between our look at it and our lock on it: look again behind the lock.
    unwritten = _unwritten([key for key in unwritten if key in held], due.model, verb)
    events.record(_event(due.model, key, *held[key], verb=verb, policy=policy, now=now) for key in unwritten)
    return len(unwritten)


def _event(
    model: type[models.Model], key: Key, owner_id: int, group: UUID, *, verb: str, policy: Policy, now: datetime
) -> Event:
    pk, lead, until = key
    return events.new_event(
        events.Subject(model._meta.label_lower, pk),
        verb,
        actor=SYSTEM,
        now=now,
        company_id=owner_id,
        group=group,
        after={"lead": lead, "until": until.isoformat(), "days": days_left(until, now)},
        policy_version=policy.version,
    )


def _unwritten(keys: Sequence[Key], model: type[models.Model], verb: str) -> list[Key]:
    """Those that nobody was reminded of yet, in their order.

    The events are found by their subjects and compared here: asked to join them by what their JSON holds, the planner
    expects one of them and compares each row with each.
    """
    written = Event.objects.filter(
        subject_type=model._meta.label_lower, subject_id__in=[pk for pk, _lead, _until in keys], verb=verb
    ).annotate(
        lead=Cast(KT("after__lead"), models.IntegerField()), until=Cast(KT("after__until"), models.DateTimeField())
    )
    known = set(written.values_list("subject_id", "lead", "until"))
    return [key for key in keys if key not in known]
