"""What happened to a deal, as far as somebody may read it (ORG-6, REF-11)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, IntegerField, Max, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from portal.accounts.rules import Actor
from portal.events.models import Event, EventQuerySet
from referrals.models import Referral

NOTE_ADDED = "referral.note_added"


def events_of(referral: Referral, actor: Actor, copies: Iterable[Referral]) -> EventQuerySet:
    """The own company's events of the deal, and what those one deals with (`copies`) share of theirs."""
    others = {copy.company_id for copy in copies} | {referral.company_id}
    seen = Event.objects.all().timeline(group=referral.event_group, actor=actor, others=others)
    if referral.closed_at:  # nor does its page tell of notes that it doesn't show (REF-11, REF-23)
        of_others = ~Q(company_id=actor.own_company_id)
        seen = seen.exclude(of_others, verb=NOTE_ADDED, at__gt=referral.closed_at)
    return seen


@dataclass
class Summary:
    """What somebody may know of a deal's past at a glance, copy by copy."""

    #: The number of events of each verb.
    verbs: dict[str, int] = field(default_factory=dict)
    #: When each copy last entered a stage (REF-14).
    entered: dict[int, dict[int, datetime]] = field(default_factory=dict)
    #: When each copy's currency changed last.
    currency: dict[int, datetime] = field(default_factory=dict)


def summary(seen: EventQuerySet) -> Summary:
    """In one query, whatever happened."""
    found = Summary()
    stage = Cast(KT("after__stage"), IntegerField())
    rows = seen.order_by().values_list("verb", "subject_id", stage)
    for verb, copy, to, count, at, priced in rows.annotate(
        Count("pk"), Max("at"), priced=Max("at", filter=Q(after__has_key="currency"))
    ):
        found.verbs[verb] = found.verbs.get(verb, 0) + count
        if to is not None:
            stages = found.entered.setdefault(copy, {})
            stages[to] = max(at, stages.get(to, at))
        if priced is not None:
            found.currency[copy] = max(priced, found.currency.get(copy, priced))
    return found
