"""What webhooks tell of registrations: each change is one of its deal, too (wire.md)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence

from dealreg.models import Registration
from portal.accounts.models import Company
from portal.accounts.rules import Actor
from portal.events.models import Event
from portal.webhooks import rules
from portal.webhooks.selectors import ANNOUNCERS, FINDERS, Announcement, Resource
from referrals.api.webhooks import of_copy

#: The API shows a registration from its first submission on.
NOT_YET_SHOWN = "registration.opened"


def path(public_id: uuid.UUID) -> str:
    return f"/v1.0/registrations/{public_id}"


def announce(events: Sequence[Event], companies: Collection[int]) -> Iterator[Announcement]:
    """To the deal's company, and to the vendor, which sees every registration (ORG-2)."""
    own = [event for event in events if event.subject_type == Registration._meta.label_lower and event.version]
    if not own:
        return
    vendors = set(Company.objects.filter(pk__in=companies, kind=Company.Kind.VENDOR).values_list("pk", flat=True))
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
    about = [event for event in events if event.subject_type == Registration._meta.label_lower]
    if not about:
        return {}
    seen = Registration.objects.visible_to(actor).filter(pk__in={event.subject_id for event in about})
    known = dict(seen.values_list("pk", "public_id"))
    return {
        event.pk: Resource("registration", known[event.subject_id], path(known[event.subject_id]), own)
        for event in about
        if event.subject_id in known
        and ((own := event.company_id == actor.company_id) or event.shared or actor.is_vendor)
    }


FINDERS.add("dealreg", find, order=20)
