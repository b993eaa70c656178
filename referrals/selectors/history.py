"""What happened to a deal, as far as somebody may read it (ORG-6, REF-11)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Exists, IntegerField, Max, OuterRef, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from portal.accounts.rules import Actor
from portal.events.models import Event, EventQuerySet
from referrals.models import Referral
from referrals.selectors import participants

NOTE_ADDED = "referral.note_added"


def events_of(referral: Referral, actor: Actor, copies: Iterable[Referral]) -> EventQuerySet:
    """The own company's events of the deal, and what those one deals with (`copies`) share of theirs."""
    others = {copy.company_id for copy in copies} | {referral.company_id}
    seen = Event.objects.all().timeline(group=referral.event_group, actor=actor, others=others)
    if referral.closed_at:  # nor does its page tell of notes that it doesn't show (REF-11, REF-23)
        of_others = ~Q(company_id=actor.own_company_id)
        seen = seen.exclude(of_others, verb=NOTE_ADDED, at__gt=referral.closed_at)
    return seen


def news(actor: Actor, since: datetime) -> EventQuerySet:
    """What others did since then to the deals that the actor sees, as far as the deals' pages tell it (events_of).

    Whatever a deal's page shows anew touches the deal (REF-21), so only those touched since are looked at.
    """
    own = Referral.objects.visible_to(actor).filter(company_id=actor.own_company_id)
    touched = own.filter(updated_at__gt=since).values("engagement__public_id")
    known = Referral.objects.visible_to(actor) if actor.is_vendor else participants.cards(actor)
    theirs = known.filter(Q(company_id=OuterRef("company_id")) | Q(company=OuterRef("company__merged_into")))
    shared = Q(Exists(theirs.filter(engagement__public_id=OuterRef("group"))), shared=True)
    ours = Q(company_id=actor.own_company_id) | Q(company__merged_into=actor.own_company_id)
    closed = Exists(own.filter(engagement__public_id=OuterRef("group"), closed_at__lt=OuterRef("at")))
    found = Event.objects.filter(ours | shared, at__gt=since, group__in=touched)
    return found.exclude(actor_user_id=actor.user_id).exclude(~ours & Q(closed, verb=NOTE_ADDED))


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
