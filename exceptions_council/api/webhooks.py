"""What webhooks tell of exceptions: each change that the company sees is one of its deal, too (wire.md)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence

from exceptions_council.models import ExceptionRequest
from portal.accounts.models import Company
from portal.accounts.rules import Actor
from portal.events.models import Event
from portal.webhooks import rules
from portal.webhooks.selectors import ANNOUNCERS, FINDERS, Announcement, Resource
from referrals.api.webhooks import of_copy


def path(public_id: uuid.UUID) -> str:
    return f"/v1.0/exceptions/{public_id}"


def announce(events: Sequence[Event], companies: Collection[int]) -> Iterator[Announcement]:
    """To the vendor everything; to the deal's company what isn't the council's own (EXC-8)."""
    own = [event for event in events if event.subject_type == ExceptionRequest._meta.label_lower and event.version]
    if not own:
        return
    vendors = set(Company.objects.filter(pk__in=companies, kind=Company.Kind.VENDOR).values_list("pk", flat=True))
    found = ExceptionRequest.objects.select_related("referral").in_bulk([event.subject_id for event in own])
    for event in own:
        request = found[event.subject_id]
        deal = request.referral
        told = {deal.company_id} & set(companies) if event.company_id == deal.company_id else set()
        for company_id in vendors | told:
            yield _of(event, request, company_id)
        if told:
            yield of_copy(event, deal, deal.company_id, rules.UPDATED)


def _of(event: Event, request: ExceptionRequest, company_id: int) -> Announcement:
    public_id = request.public_id
    line = request.referral.public_id
    return Announcement(event, company_id, rules.EXCEPTION_UPDATED, "exception", public_id, path(public_id), line)


ANNOUNCERS.add("exceptions_council", announce, order=30)


def find(events: Sequence[Event], actor: Actor) -> Mapping[int, Resource]:
    """The events of the requests that the actor sees; the council's own only for the vendor's people (EXC-8)."""
    about = [event for event in events if event.subject_type == ExceptionRequest._meta.label_lower]
    if not about:
        return {}
    seen = ExceptionRequest.objects.visible_to(actor).filter(pk__in={event.subject_id for event in about})
    known = dict(seen.values_list("pk", "public_id"))
    return {
        event.pk: Resource("exception", known[event.subject_id], path(known[event.subject_id]), own)
        for event in about
        if event.subject_id in known and ((own := event.company_id == actor.company_id) or actor.is_vendor)
    }


FINDERS.add("exceptions_council", find, order=30)
