"""What has a day: each app adds the kinds it knows; home, the page *Deadlines* and people's calendars draw them all.

One query for each kind, whoever asks. A page begins after the key of the last one shown, so what is done meanwhile
shifts nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from portal.accounts.rules import Actor
from portal.params import whole_number
from portal.registry import Registry
from portal.ui.home import counted
from portal.workflow.blockers import Money

#: How many of those who can act are named.
MAX_NAMES = 2
EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
#: The last instant there is; west of Greenwich the last day ends after it.
LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Deadline:
    """What comes until when: `until` is an instant, or empty for the whole `day` (UTC), which is the last.

    `uid` names the same deadline whatever its day is, `changed` is when its record last changed; `who` can act.
    """

    day: date
    name: str
    title: str
    url: str
    until: datetime | None = None
    customer: str = ""
    money: Money | None = None
    note: str = ""
    who: tuple[str, ...] = ()
    uid: str = ""
    changed: datetime | None = None
    kind: str = ""
    cursor: str = ""

    @property
    def due(self) -> date | datetime:
        return self.until or self.day

    @property
    def end(self) -> datetime:
        """When it is over; of a day, its end where the reader is, so that it stands among that day's instants."""
        return self.until or _end_of(self.day)

    @property
    def people(self) -> str:
        """Who can act, in short."""
        more = len(self.who) - MAX_NAMES
        named = ", ".join(self.who[:MAX_NAMES])
        return gettext("%(names)s and %(count)s more") % {"names": named, "count": more} if more > 0 else named

    @property
    def shown_day(self) -> date:
        """The day under which its reader looks for it."""
        return timezone.localtime(self.until).date() if self.until else self.day


def _end_of(day: date) -> datetime:
    return min(datetime.combine(day, time.max, timezone.get_current_timezone()), LAST)


@dataclass(frozen=True)
class Cursor:
    """The place of one deadline among all; kinds that end at the same instant follow one another by `place`."""

    end: datetime
    place: int
    pk: int

    def __str__(self) -> str:
        return f"{(self.end - EPOCH) // MICROSECOND}.{self.place}.{self.pk}"

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """None for what no page wrote."""
        micros, place, pk = ([whole_number(part) for part in text.split(".")] + [None] * 3)[:3]
        if micros is None or place is None or pk is None or text.count(".") != 2:
            return None
        try:
            end = EPOCH + micros * MICROSECOND
            timezone.localtime(end)  # what the page asks next: east of Greenwich the last hours have no local time
        except OverflowError:
            return None
        return cls(end, place, pk)


@dataclass(frozen=True)
class DeadlineQuery:
    """Which deadlines: those of `actor` from `now` on. `last`: to the end of that day; `kinds`: their codes, if not
    all; `mine`: only of deals whose team lists the actor; `after`: what follows on the page before."""

    actor: Actor
    now: datetime
    last: date | None = None
    kinds: Collection[str] | None = None
    mine: bool = False
    after: Cursor | None = None


@dataclass(frozen=True)
class DeadlineKind:
    """One kind of deadlines.

    `find` are the records that the actor may see and that have one, `due` is the column or annotation that holds it,
    a day (`by_day`) or an instant. `make` says it of one record; `who` can act on each of some records, by name.
    """

    label: str
    icon: str
    find: Callable[[Actor, datetime], QuerySet[Any]]
    due: str
    make: Callable[[Any], Deadline]
    who: Callable[[Sequence[Any], Actor], Sequence[tuple[str, ...]]]
    mine: Callable[[Actor], Q]
    by_day: bool = False

    def rows(self, query: DeadlineQuery, place: int) -> QuerySet[Any]:
        """The records that the query asks for, the first first."""
        rows = self.find(query.actor, query.now)
        if query.mine:
            rows = rows.filter(self.mine(query.actor))
        start: Any = query.now.astimezone(UTC).date() if self.by_day else query.now
        rows = rows.filter(**{f"{self.due}__gte": start})
        if query.last is not None:
            end: Any = query.last if self.by_day else datetime.combine(query.last, time.max, UTC)
            rows = rows.filter(**{f"{self.due}__lte": end})
        if query.after is not None:
            rows = rows.filter(self._beyond(query.after, place))
        return rows.order_by(self.due, "pk")

    def _beyond(self, after: Cursor, place: int) -> Q:
        """What comes after the cursor; of records that are due then, those of later kinds, or with a higher key."""
        at: Any = after.end
        if self.by_day:
            at = timezone.localtime(after.end).date()
            if after.end < _end_of(at):  # its own day ends later than the cursor
                return Q(**{f"{self.due}__gte": at})
        later = Q(**{f"{self.due}__gt": at})
        if place < after.place:
            return later
        return later | Q(**{self.due: at, **({"pk__gt": after.pk} if place == after.place else {})})

    def deadlines(self, rows: Sequence[Any], code: str, place: int) -> Iterator[Deadline]:
        """What to show of these records."""
        for row in rows:
            made = self.make(row)
            at = Cursor(made.end, place, row.pk)
            yield replace(made, kind=code, cursor=str(at), uid=f"{code}-{made.uid}")


#: By code, in the order in which kinds with the same end follow one another.
DEADLINES: Registry[DeadlineKind] = Registry()


def first(
    query: DeadlineQuery, limit: int, *, counts: Mapping[str, int] | None = None, people: bool = False
) -> list[Deadline]:
    """The first deadlines, at most `limit`; one query for each kind of which there are any. `counts`: how many there
    are, where the caller knows. `people`: also who can act on each, by name."""
    found, rows = [], {}
    numbers = count(query) if counts is None else counts
    for place, code, kind in _asked(query):
        if not numbers[code]:
            continue
        due = kind.rows(query, place)
        rows[code] = list((due if people else due.prefetch_related(None))[:limit])
        found.append(kind.deadlines(rows[code], code, place))
    shown = list(heapq.merge(*found, key=lambda deadline: deadline.end))[:limit]
    return _with_people(shown, rows, query.actor) if people else shown


def _asked(query: DeadlineQuery) -> Iterator[tuple[int, str, DeadlineKind]]:
    """The kinds that are asked for, with their places among all."""
    for place, (code, kind) in enumerate(DEADLINES.items()):
        if query.kinds is None or code in query.kinds:
            yield place, code, kind


def _with_people(shown: list[Deadline], rows: dict[str, list[Any]], actor: Actor) -> list[Deadline]:
    """Of each kind the first so many are shown, so their rows are the first so many, too."""
    names = {}
    for code, found in rows.items():
        count = sum(deadline.kind == code for deadline in shown)
        names[code] = iter(DEADLINES[code].who(found[:count], actor) if count else ())
    return [replace(deadline, who=next(names[deadline.kind])) for deadline in shown]


def by_kind(query: DeadlineQuery) -> dict[str, QuerySet[Any]]:
    """All of each kind that is asked for, whatever the page shows."""
    return {code: kind.rows(query, place) for place, code, kind in _asked(query)}


def count(query: DeadlineQuery) -> dict[str, int]:
    """How many there are of each kind; one query."""
    return counted(by_kind(query))
