"""Writing down what happened, in the transaction of the change itself, and telling the apps above."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any, NamedTuple

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction

from portal import bulk
from portal.actors import Actor
from portal.events.models import Event, EventQuerySet

#: A reaction gets all events of one verb that were recorded together, so one set-based statement can serve them.
Reaction = Callable[[Sequence[Event]], None]
_reactions: dict[str, list[Reaction]] = defaultdict(list)
_encoder = DjangoJSONEncoder()
#: The database gives it. One such value for all events: to make it anew for each took a fifth of a sweep's time.
_XID: Any = Event._meta.get_field("xid").get_default()
#: Which events the vendor's people may not know of, as a condition on them; the app whose they are says so.
Condition = Callable[[], models.Exists]
_kept_from_vendor: list[Condition] = []


def on(*verbs: str) -> Callable[[Reaction], Reaction]:
    """Subscribe a reaction to verbs; it runs inside the transaction of the change."""

    def register(reaction: Reaction) -> Reaction:
        for verb in verbs:
            _reactions[verb].append(reaction)
        return reaction

    return register


def keep_from_vendor(condition: Condition) -> Condition:
    """Register a condition for events that the vendor's people see nothing of (REF-3)."""
    _kept_from_vendor.append(condition)
    return condition


def seen_by_vendor() -> EventQuerySet:
    """Every event the vendor's people may read, whoever's record it is about (REF-3)."""
    events = Event.objects.all()
    for condition in _kept_from_vendor:
        events = events.exclude(condition())
    return events


class Subject(NamedTuple):
    """A record that events are about, without its row."""

    label: str
    pk: int


def new_event(
    subject: models.Model | Subject,
    verb: str,
    *,
    actor: Actor,
    now: datetime,
    company_id: int | None,
    group: uuid.UUID | None = None,
    shared: bool = False,
    version: int | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reasons: list[dict[str, Any]] | None = None,
    comment: str = "",
    policy_version: int = 0,
) -> Event:
    """An event about `subject`, not yet saved. `version`: the subject's, after the change."""
    return Event(
        at=now,
        verb=verb,
        subject_type=subject.label if isinstance(subject, Subject) else subject._meta.label_lower,
        subject_id=subject.pk,
        group=group,
        company_id=company_id,
        shared=shared,
        version=version,
        actor_kind=actor.kind,
        actor_user_id=actor.user_id,
        actor_client="" if actor.is_system or actor.user_id else actor.name,
        actor_company_id=actor.company_id,
        before=before or {},
        after=after or {},
        reasons=reasons or [],
        comment=comment,
        policy_version=policy_version,
        xid=_XID,
    )


@transaction.atomic(savepoint=False)
def record(events: Iterable[Event]) -> list[Event]:
    """Save events and run the reactions to them; whatever fails takes the change back with it."""
    saved = list(events)
    bulk.insert(saved)
    react(saved)
    return saved


def record_one(subject: models.Model, verb: str, *, actor: Actor, now: datetime, **what: Any) -> Event:
    """Save one event; `what` is what new_event takes besides."""
    return record([new_event(subject, verb, actor=actor, now=now, **what)])[0]


def react(saved: Sequence[Event]) -> None:
    """Run the reactions to events that are already written (a bulk statement wrote them)."""
    by_verb: dict[str, list[Event]] = defaultdict(list)
    for event in saved:
        by_verb[event.verb].append(event)
    for verb, batch in by_verb.items():
        for reaction in _reactions[verb]:
            reaction(batch)


def snapshot(obj: models.Model) -> dict[str, Any]:
    """The row's own columns as JSON values, to tell before from after; what follows from others is left out.

    A model names its derived columns in `derived_columns`, and in `secret_columns` what nobody may read. Columns that
    were not loaded are left out.
    """
    held = obj.__dict__
    return {f.attname: _plain(f, held[f.attname]) for f in _recorded_columns(type(obj)) if f.attname in held}


@cache
def _recorded_columns(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    unsaid = getattr(model, "derived_columns", frozenset()) | getattr(model, "secret_columns", frozenset())
    columns = model._meta.concrete_fields
    return [f for f in columns if not f.primary_key and not f.generated and f.attname not in unsaid]


def changes(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Only what differs between two snapshots. Raises KeyError for a column that was changed but never loaded."""
    changed = [name for name in after if before[name] != after[name]]
    return {name: before[name] for name in changed}, {name: after[name] for name in changed}


def _plain(column: models.Field[Any, Any], value: Any) -> Any:
    """As JSON; an amount with its column's decimals, so that 5 and 5.00 are no change."""
    if value is None or isinstance(value, (bool, int, str, list, dict)):
        return value
    if isinstance(value, Decimal) and isinstance(column, models.DecimalField):
        return str(value.quantize(Decimal(1).scaleb(-column.decimal_places), ROUND_HALF_UP))
    return _encoder.default(value)
