"""What happened to a deal, as far as somebody may read it (ORG-6, REF-11)."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

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
