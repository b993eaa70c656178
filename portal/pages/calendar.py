"""A person's deadlines as iCalendar (RFC 5545), as a calendar asks for them every hour or so."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext
from icalendar import Calendar, Event, vDuration

from portal.accounts.models import User
from portal.accounts.rules import Actor
from portal.notify.mails import zone_of
from portal.ui.deadlines import Deadline, DeadlineQuery, first
from portal.workflow import text

#: How far a calendar looks ahead, and how many deadlines it takes.
AHEAD = timedelta(days=400)
MAX_DEADLINES = 1_000
READ_EVERY = timedelta(hours=1)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def feed(actor: Actor, user: User, *, mine: bool, now: datetime) -> bytes:
    """What the person may see now, in their language and zone; the same as long as nothing changes."""
    with translation.override(user.language), timezone.override(zone_of(user)):
        found = first(DeadlineQuery(actor, now, last=(now + AHEAD).date(), mine=mine), MAX_DEADLINES, people=True)
        return _calendar(actor, found).to_ical()


def _calendar(actor: Actor, deadlines: Iterable[Deadline]) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", "-//Ortak//Deadlines//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", _line(gettext("Deadlines: %(company)s") % {"company": actor.company_name}))
    calendar.add("refresh-interval", READ_EVERY, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(READ_EVERY))  # of a name it doesn't know, the library writes str()
    for deadline in deadlines:
        calendar.add_component(_event(deadline))
    return calendar


def _event(deadline: Deadline) -> Event:
    """A day is an event of that whole day, wherever the calendar is; an instant is one in UTC that takes no time."""
    event = Event()
    url = settings.BASE_URL + deadline.url
    event.add("uid", f"{deadline.uid}@{urlsplit(settings.BASE_URL).hostname or 'ortak'}")
    event.add("dtstamp", deadline.changed or datetime.combine(deadline.day, time.min, UTC))
    event.add("dtstart", deadline.until.astimezone(UTC).replace(microsecond=0) if deadline.until else deadline.day)
    event.add("summary", _line(f"{deadline.title}: {deadline.name}"))
    event.add("description", "\n".join([*map(_line, _details(deadline)), url]))
    event.add("url", url)
    event.add("transp", "TRANSPARENT")
    return event


def _line(written: str) -> str:
    """Without what RFC 5545 forbids in a text, and without lines' ends of any kind."""
    return " ".join(_CONTROLS.sub(" ", written).split())


def _details(deadline: Deadline) -> Iterable[str]:
    if deadline.customer:
        yield gettext("Customer: %(name)s") % {"name": deadline.customer}
    if deadline.money:
        yield gettext("Value: %(amount)s") % {"amount": text.money(deadline.money.amount, deadline.money.currency)}
    if deadline.who:
        yield gettext("Who can act: %(names)s") % {"names": deadline.people}
    if deadline.note:
        yield deadline.note
