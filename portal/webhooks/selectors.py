"""What each event is to the companies that have a webhook: every app says it of its own events."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q, QuerySet

from portal.accounts.models import Company
from portal.accounts.rules import Actor
from portal.events import selectors as feeds
from portal.events.models import Event
from portal.events.selectors import Cursor
from portal.registry import Registry
from portal.webhooks import rules
from portal.webhooks.models import Delivery, DeliveryQuerySet, Webhook


@dataclass(frozen=True)
class Announcement:
    """One event as one company hears of it. `line`: the deal whose deliveries keep their order."""

    event: Event
    company_id: int
    name: str
    resource_name: str
    resource_id: uuid.UUID
    resource_path: str
    line: uuid.UUID


#: From events in feed order to what the given companies hear of them; so many events, the same number of queries.
Announcer = Callable[[Sequence[Event], Collection[int]], Iterable[Announcement]]
#: Each app adds its own.
ANNOUNCERS: Registry[Announcer] = Registry()


def announcements(events: Sequence[Event], companies: Collection[int]) -> Iterator[Announcement]:
    """What the companies hear of these events, in feed order. What one transaction did to one resource is told once;
    what is new is not told as changed, too."""
    found: dict[tuple[int, int, str, uuid.UUID], Announcement] = {}
    for announce in ANNOUNCERS.values():
        for said in announce(events, companies):
            key = (said.company_id, said.event.xid, said.resource_name, said.resource_id)
            if key not in found or (_is_new(said) and not _is_new(found[key])):
                found[key] = said
    return iter(sorted(found.values(), key=lambda said: (said.event.xid, said.event.pk)))


def _is_new(said: Announcement) -> bool:
    return said.name in (rules.CREATED, rules.RELATED_CREATED)


@dataclass(frozen=True)
class Resource:
    """What an event of the feed is about, as its reader finds it in the API. `own`: the reader's company's."""

    name: str
    public_id: uuid.UUID
    path: str
    own: bool


#: Of events in feed order, by their keys, those that the actor may know of; so many events, the same number of queries.
Finder = Callable[[Sequence[Event], Actor], Mapping[int, Resource]]
#: Each app adds its own.
FINDERS: Registry[Finder] = Registry()

#: So many events of everybody are looked through for one page of one reader's.
WINDOW = 5_000


def read_feed(after: Cursor, actor: Actor, *, limit: int) -> tuple[list[tuple[Event, Resource]], Cursor, bool]:
    """The next events that the actor may know of, where to go on, and whether there is more by now.

    A page may be short or empty and still not the last: however rare the reader's events are among those of others, it
    takes no longer.
    """
    end = feeds.nth(after, WINDOW)
    own_or_shared = Q(company_id=actor.own_company_id) | Q(shared=True)
    events = Event.objects.all() if actor.is_vendor else Event.objects.filter(own_or_shared)
    found = feeds.feed(after, limit=limit, events=events, until=end)
    last = end or after
    if found and (end is None or len(found) == limit):
        last = Cursor.of(found[-1])
    known: dict[int, Resource] = {}
    for find in FINDERS.values():
        known |= find(found, actor)
    more = end is not None or len(found) == limit
    return [(event, known[event.pk]) for event in found if event.pk in known], last, more


# For the apps that say it


def changes(events: Sequence[Event], model: type[Model]) -> list[Event]:
    """Those that changed a record of this model, and so its version."""
    return [event for event in about(events, model) if event.version]


def about(events: Sequence[Event], model: type[Model]) -> list[Event]:
    """Those about records of this model."""
    return [event for event in events if event.subject_type == model._meta.label_lower]


def vendors_among(companies: Collection[int]) -> set[int]:
    return set(Company.objects.filter(pk__in=companies, kind=Company.Kind.VENDOR).values_list("pk", flat=True))


def resources(
    events: Sequence[Event], seen: QuerySet[Any], name: str, path: Callable[[uuid.UUID], str], actor: Actor
) -> dict[int, Resource]:
    """Those of the events whose records are among `seen`, by the events' keys; one query."""
    if not events:
        return {}
    ids = dict(seen.filter(pk__in={event.subject_id for event in events}).values_list("pk", "public_id"))
    return {
        event.pk: Resource(name, public_id, path(public_id), event.company_id == actor.company_id)
        for event in events
        if (public_id := ids.get(event.subject_id))
    }


# A company's webhook


def webhook_of(actor: Actor) -> Webhook | None:
    """The own company's."""
    return Webhook.objects.filter(company_id=actor.own_company_id).first()


def deliveries_of(actor: Actor) -> DeliveryQuerySet:
    """The own company's; everybody else's don't exist (ORG-6)."""
    return Delivery.objects.filter(webhook__company_id=actor.own_company_id).select_related("webhook")
