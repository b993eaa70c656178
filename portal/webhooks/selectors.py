"""What each event is to the companies that have a webhook: every app says it of its own events."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from portal.accounts.rules import Actor
from portal.events.models import Event
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


def webhook_of(actor: Actor) -> Webhook | None:
    """The own company's."""
    return Webhook.objects.filter(company_id=actor.own_company_id).first()


def deliveries_of(actor: Actor) -> DeliveryQuerySet:
    """The own company's; everybody else's don't exist (ORG-6)."""
    return Delivery.objects.filter(webhook__company_id=actor.own_company_id).select_related("webhook")
