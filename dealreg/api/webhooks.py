"""What webhooks tell of registrations: each change is one of its deal, too (wire.md)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence

from dealreg.models import Registration
from portal.accounts.rules import Actor
from portal.events.models import Event
from portal.webhooks import rules, selectors
from portal.webhooks.selectors import ANNOUNCERS, FINDERS, Announcement, Resource
from referrals.api.webhooks import of_copy

#: The API shows a registration from its first submission on.
NOT_YET_SHOWN = "registration.opened"


def path(public_id: uuid.UUID) -> str:
    return f"/v1.0/registrations/{public_id}"


def announce(events: Sequence[Event], companies: Collection[int]) -> Iterator[Announcement]:
    """To the deal's company, and to the vendor, which sees every registration (ORG-2)."""
    own = selectors.changes(events, Registration)
    if not own:
        return
    vendors = selectors.vendors_among(companies)
    found = Registration.objects.select_related("referral").in_bulk([event.subject_id for event in own])
    for event in own:
        registration = found[event.subject_id]
        deal = registration.referral
        if event.verb != NOT_YET_SHOWN:
            for company_id in vendors | ({deal.company_id} & set(companies)):
                yield _of(event, registration, company_id)
        if deal.company_id in companies:
            yield of_copy(event, deal, deal.company_id, rules.UPDATED)


def _of(event: Event, registration: Registration, company_id: int) -> Announcement:
    public_id = registration.public_id
    return Announcement(
        event,
        company_id,
        rules.REGISTRATION_UPDATED,
        "registration",
        public_id,
        path(public_id),
        registration.referral.public_id,
    )


ANNOUNCERS.add("dealreg", announce, order=20)


def find(events: Sequence[Event], actor: Actor) -> Mapping[int, Resource]:
    """The events of the registrations that the actor sees (ORG-2)."""
    told = selectors.about(events, Registration)
    told = [event for event in told if actor.is_vendor or event.shared or event.company_id == actor.company_id]
    return selectors.resources(told, Registration.objects.visible_to(actor), "registration", path, actor)


FINDERS.add("dealreg", find, order=20)
