"""What webhooks and the feed tell of ISV Connect deals (wire.md)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence

from isvconnect.models import IsvDeal
from portal.accounts.models import Company
from portal.accounts.rules import Actor
from portal.events.models import Event
from portal.webhooks import rules
from portal.webhooks.selectors import ANNOUNCERS, FINDERS, Announcement, Resource

NAME = "isvconnect-deal"


def path(public_id: uuid.UUID) -> str:
    return f"/v1.0/isvconnect/deals/{public_id}"


def _about(events: Sequence[Event]) -> list[Event]:
    return [event for event in events if event.subject_type == IsvDeal._meta.label_lower]


def announce(events: Sequence[Event], companies: Collection[int]) -> Iterator[Announcement]:
    """To the deal's company, and to the vendor, which sees every deal (ISV-7)."""
    own = [event for event in _about(events) if event.version]
    if not own:
        return
    vendors = set(Company.objects.filter(pk__in=companies, kind=Company.Kind.VENDOR).values_list("pk", flat=True))
    found = IsvDeal.objects.select_related("referral").in_bulk([event.subject_id for event in own])
    for event in own:
        deal = found[event.subject_id]
        partner = {deal.company_id} & {event.company_id} & set(companies)
        line = deal.referral.public_id if deal.referral else deal.public_id
        for company_id in vendors | partner:
            ids = deal.public_id, path(deal.public_id), line
            yield Announcement(event, company_id, rules.ISV_DEAL_UPDATED, NAME, *ids)


def find(events: Sequence[Event], actor: Actor) -> Mapping[int, Resource]:
    """The events of the deals that the actor sees; of the programme's own only the vendor's people (ISV-7)."""
    about = [event for event in _about(events) if actor.is_vendor or event.company_id == actor.company_id]
    if not about:
        return {}
    seen = IsvDeal.objects.visible_to(actor).filter(pk__in={event.subject_id for event in about})
    known = dict(seen.values_list("pk", "public_id"))
    return {
        event.pk: Resource(
            NAME, known[event.subject_id], path(known[event.subject_id]), event.company_id == actor.company_id
        )
        for event in about
        if event.subject_id in known
    }


ANNOUNCERS.add("isvconnect", announce, order=40)
FINDERS.add("isvconnect", find, order=40)
