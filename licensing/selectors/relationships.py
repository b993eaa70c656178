"""Consents, licences and their history, as pages and the API read them (LIC-1, LIC-4, LIC-5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch

from isvconnect.models import IsvDeal
from licensing.models import (
    Invitation,
    InvitationQuerySet,
    Licences,
    LicencesQuerySet,
    PlanCount,
    Relationship,
    RelationshipQuerySet,
)
from portal.events.models import Event


def consented(company_id: int) -> RelationshipQuerySet:
    """The customers who agreed with the company, by name: the drop-down of *Manage licences* (LIC-1)."""
    found = Relationship.objects.with_context().consented().filter(company_id=company_id)
    return found.order_by("customer__name", "tenant_guid", "pk")


def invitations_of(deal: IsvDeal) -> InvitationQuerySet:
    """All that were made for the deal, newest first; `state_at` says what has become of each."""
    return Invitation.objects.with_context().filter(deal=deal).order_by("-pk")


def counts_of(licences: Licences) -> list[PlanCount]:
    """By plan name."""
    return list(licences.counts.select_related("plan").order_by("plan__name", "pk"))


def given_to(relationship: Relationship) -> LicencesQuerySet:
    """Everything the customer has by this consent, with counts, for their licence page (LIC-4)."""
    counts = PlanCount.objects.select_related("plan").order_by("plan__name", "pk")
    found = Licences.objects.with_context().filter(relationship=relationship)
    return found.prefetch_related(Prefetch("counts", counts)).order_by("pk")


@dataclass(frozen=True)
class Change:
    """One count that changed: the plan's id and name, from, to, who, when (UTC), and by which verb (LIC-5).

    `kind`: count, or assigned. No address of the customer's people is in it.
    """

    kind: str
    code: str
    plan: str
    was: int
    became: int
    who: str
    at: datetime
    verb: str


def history(licences: Licences) -> list[Change]:
    """Every change, newest first; for both sides (LIC-5)."""
    events = Event.objects.of_subject(licences).select_related("actor_user").order_by("-at", "-pk")
    return [change for event in events for change in _changes(event)]


def _changes(event: Event) -> Iterator[Change]:
    names = event.after.get("plans", {})
    for kind, key in (("count", "counts"), ("assigned", "assigned")):
        was = event.before.get(key, {})
        for code, became in event.after.get(key, {}).items():
            name = names.get(code, code)
            yield Change(kind, code, name, was.get(code, 0), became, event.actor_name, event.at, event.verb)
