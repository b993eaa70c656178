"""Services around creating deals: creating one exactly once, and the locations it may belong to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db import IntegrityError
from django.db.models import QuerySet

from portal.accounts.models import Location
from portal.accounts.rules import Actor, creating_scope
from portal.policy import services as policies
from portal.workflow import services as workflow
from portal.workflow.verbs import Creation
from referrals import rules, verbs
from referrals.models import Referral
from referrals.verbs import NewDeal, SentDeal

#: What a deal is made of.
Deal = TypeVar("Deal", NewDeal, SentDeal)


def create_deal(deal: NewDeal, *, actor: Actor, now: datetime) -> Referral:
    """Create the company's own referral, and the vendor's copy if help is asked for (REF-10).

    If the company already has a deal with this key, that deal is returned. Raises RuleViolation.
    """
    return _create_once(verbs.CREATE, deal, actor=actor, now=now)


def send_deal(deal: SentDeal, *, actor: Actor, now: datetime) -> Referral:
    """Send a deal to a partner, once for each key, and return the vendor's own copy.

    Raises PermissionDenied or RuleViolation.
    """
    return _create_once(verbs.SEND, deal, actor=actor, now=now)


def _create_once(verb: Creation[Referral, Deal], deal: Deal, *, actor: Actor, now: datetime) -> Referral:
    try:
        return workflow.run(None, verb, deal, actor=actor, now=now)
    except IntegrityError:
        if existing := Referral.objects.created_with(deal.key, company_id=actor.own_company_id).first():
            return existing
        raise


def creatable_locations(actor: Actor) -> list[Location]:
    """The locations for which the actor may create deals (ORG-2, REF-6)."""
    return list(creatable(Location.objects.filter(company_id=actor.own_company_id).order_by("name"), actor))


def creatable(places: QuerySet[Location], actor: Actor) -> QuerySet[Location]:
    """Of the company's locations those for which the actor may create deals."""
    scope = creating_scope(actor)
    return places if scope.entire_company else places.filter(id__in=scope.location_ids)


@dataclass(frozen=True)
class WinFacts:
    """What a person should know before winning (REF-18): whether it is early, and when it is safe."""

    early: bool
    safe_at: datetime
    safe_hours: int


def win_facts(referral: Referral, *, now: datetime) -> WinFacts:
    policy = policies.current(now)
    return WinFacts(
        early=rules.is_early(created=referral.created_at, now=now, policy=policy),
        safe_at=rules.safe_win_at(referral.created_at, policy),
        safe_hours=policy.safe_win_hours,
    )
