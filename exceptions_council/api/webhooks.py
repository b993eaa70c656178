"""What webhooks and the feed tell of requests for exceptions; never of votes to partners (EXC-8).

Each change that the company hears of is one of its deal, too (wire.md).
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence

from exceptions_council.models import ExceptionRequest
from portal.accounts.rules import Actor
from portal.events.models import Event
from portal.webhooks import rules, selectors
from portal.webhooks.selectors import ANNOUNCERS, FINDERS, Announcement, Resource
from referrals.api.webhooks import of_copy

#: What goes on within the council.
INTERNAL = frozenset({"exception.voted", "exception.conflict_declared", "exception.too_few", "exception.overdue"})


def path(public_id: uuid.UUID) -> str:
    return f"/v1.0/exceptions/{public_id}"


def announce(events: Sequence[Event], companies: Collection[int]) -> Iterator[Announcement]:
    """To the deal's company, and to the vendor, whose council decides (EXC-10)."""
    own = selectors.changes(events, ExceptionRequest)
    if not own:
        return
    vendors = selectors.vendors_among(companies)
    found = ExceptionRequest.objects.select_related("referral").in_bulk([event.subject_id for event in own])
    for event in own:
        asked = found[event.subject_id]
        partner = set() if event.verb in INTERNAL else {asked.referral.company_id} & set(companies)
        for company_id in vendors | partner:
            ids = asked.public_id, path(asked.public_id), asked.referral.public_id
            yield Announcement(event, company_id, rules.EXCEPTION_UPDATED, "exception", *ids)
        if partner:
            yield of_copy(event, asked.referral, asked.referral.company_id, rules.UPDATED)


def find(events: Sequence[Event], actor: Actor) -> Mapping[int, Resource]:
    """The events of the requests that the actor sees (EXC-10)."""
    told = selectors.about(events, ExceptionRequest)
    told = [event for event in told if actor.is_vendor or event.verb not in INTERNAL]
    return selectors.resources(told, ExceptionRequest.objects.visible_to(actor), "exception", path, actor)


ANNOUNCERS.add("exceptions_council", announce, order=30)
FINDERS.add("exceptions_council", find, order=30)
