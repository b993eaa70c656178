"""The feed: events in the order in which they can be read without ever missing one."""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection
from django.db.models import BigIntegerField, F, Func, Q

from portal.events.models import Event, EventQuerySet
from portal.paging import beyond

#: Every event below it is committed or never will be: the oldest transaction still writing has this number.
HORIZON = Func(function="events_horizon", output_field=BigIntegerField())


#: Verbs are offered of this many events, the newest: asking all of them would read the whole table.
RECENT = 10_000


class Cursor(NamedTuple):
    """A place in the feed: that of the last event read."""

    xid: int
    id: int

    def __str__(self) -> str:
        return f"{self.xid}-{self.id}"

    @classmethod
    def of(cls, event: Event) -> Cursor:
        return cls(event.xid, event.pk)

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Raises ValueError for what was never a cursor."""
        xid, _dash, number = text.partition("-")
        if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in (xid, number)):
            raise ValueError(text)
        return cls(int(xid), int(number))


START = Cursor(0, 0)


def feed(after: Cursor, *, limit: int, events: EventQuerySet | None = None, until: Cursor | None = None) -> list[Event]:
    """The next events after a cursor, oldest first. Who reads on from the last one misses none and gets none twice.

    Not the caller's own: what a transaction wrote stands in the feed once it is committed, and no older one is left.
    `events`: only those of them. `until`: no further than there.
    """
    rows = _after(after, Event.objects.all() if events is None else events)
    if until:
        rows = rows.filter(Q(xid__lt=until.xid) | Q(xid=until.xid, pk__lte=until.id))
    return list(rows[:limit])


def nth(after: Cursor, number: int) -> Cursor | None:
    """Where the feed is so many events after a cursor; None if it is shorter."""
    found = _after(after, Event.objects.all()).values_list("xid", "pk")[number - 1 : number].first()
    return Cursor(*found) if found else None


def _after(after: Cursor, events: EventQuerySet) -> EventQuerySet:
    return beyond(events.filter(xid__lt=HORIZON), F("xid"), after, descending=False).order_by("xid", "pk")


def end() -> Cursor:
    """From here on only what is yet to come is read."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT events_horizon()")
        return Cursor(int(cursor.fetchone()[0]), 0)


def recent_verbs() -> list[str]:
    """What has happened lately, by name: what a list of events is filtered by."""
    recent = Event.objects.filter(pk__in=Event.objects.order_by("-pk").values("pk")[:RECENT])
    return list(recent.order_by("verb").values_list("verb", flat=True).distinct())
