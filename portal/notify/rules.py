"""What notices are about, how each kind reaches a mailbox (F5.2), and when mail that failed is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from portal.registry import Registry
from portal.workflow.blockers import _

DAY = timedelta(days=1)
NOW, DIGEST, OFF = "now", "digest", "off"

#: The only kind whose code the floor itself knows: its notices keep no link, which a constraint guards.
INVITATION = "invitation"


@dataclass(frozen=True)
class Category:
    """A kind of notice. What asks something of a person is mandatory: always mailed, at once (F5.2)."""

    code: str
    label: str
    help: str
    icon: str
    tone: str
    mandatory: bool = False
    #: What the mail's button says.
    opens: str = _("Open the deal")
    #: Whether somebody without an account may be mailed: else anybody could make the portal mail strangers (REF-24).
    strangers: bool = False


#: By code, in the order in which people choose; each app adds its own.
CATEGORIES: Registry[Category] = Registry()
#: Of a kind that no app knows any more.
UNKNOWN = Category("", "", "", "reply", "brand")

#: JOB: ten tries with growing pauses, then parked.
PAUSES = [timedelta(minutes=m) for m in (1, 2, 5, 10, 20, 40, 80, 160, 320)]

#: When the day's digest goes out, in the person's own zone: before the day's work.
DIGEST_TIME = time(7, 0)


def add_category(category: Category, *, order: int) -> None:
    CATEGORIES.add(category.code, category, order=order)


def optional() -> list[Category]:
    """What a person may have at once, once a day, or not by mail at all."""
    return [category for category in CATEGORIES.values() if not category.mandatory]


def mail_for(category: str, chosen: str | None) -> str:
    """How a notice is mailed: as chosen, except what is mandatory; at once without a choice (F5.2)."""
    known = CATEGORIES.get(category)
    if known is None or known.mandatory or chosen not in (NOW, DIGEST, OFF):
        return NOW
    return chosen


def reaches_strangers(category: str) -> bool:
    """Whether a notice of this kind is mailed to an address without an account (REF-24)."""
    known = CATEGORIES.get(category)
    return known is not None and known.strangers


def next_digest(after: datetime, zone: tzinfo) -> datetime:
    """The first digest hour of the zone that comes after this instant."""
    local = after.astimezone(zone)
    today = datetime.combine(local.date(), DIGEST_TIME, tzinfo=zone)
    if today > local:
        return today
    return datetime.combine(local.date() + DAY, DIGEST_TIME, tzinfo=zone)


def pause_after(attempts: int) -> timedelta | None:
    """How long to wait after so many tries in vain; None: give it up (JOB)."""
    return PAUSES[attempts - 1] if attempts <= len(PAUSES) else None
