"""What webhooks and the feed tell of ISV Connect deals (wire.md)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence

from isvconnect.models import IsvDeal
from portal.accounts.rules import Actor
from portal.events.models import Event
from portal.webhooks import rules, selectors
from portal.webhooks.selectors import ANNOUNCERS, FINDERS, Announcement, Resource

NAME = "isvconnect-deal"


def path(public_id: uuid.UUID) -> str:
    return f"/v1.0/isvconnect/deals/{public_id}"


def announce(events: Sequence[Event], companies: Collection[int]) -> Iterator[Announcement]:
    """To the deal's company, and to the vendor, which sees every deal (ISV-7)."""
    own = selectors.changes(events, IsvDeal)
    if not own:
        return
    vendors = selectors.vendors_among(companies)
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
    told = selectors.about(events, IsvDeal)
    told = [event for event in told if actor.is_vendor or event.company_id == actor.company_id]
    return selectors.resources(told, IsvDeal.objects.visible_to(actor), NAME, path, actor)


ANNOUNCERS.add("isvconnect", announce, order=40)
FINDERS.add("isvconnect", find, order=40)
