"""The categories of notices, how each is mailed (F5.2), and when failed mail is tried again."""

from __future__ import annotations

from collections.abc import Collection
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
    """A kind of notice. Categories that ask somebody to act are mandatory: always mailed, at once (F5.2)."""

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
    #: Whether people's settings name it; not what goes to customers.
    listed: bool = True
    #: How it is mailed to whoever hasn't chosen.
    default: str = NOW
    #: Only who holds one of these can get it; none: everybody can.
    roles: Collection[str] = ()


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


def receivable(roles: Collection[str]) -> list[Category]:
    """What somebody with these roles, in whichever company, can get and their settings name."""
    of_them = (category for category in CATEGORIES.values() if category.listed)
    return [category for category in of_them if not category.roles or set(roles) & set(category.roles)]


def mail_for(category: str, chosen: str | None) -> str:
    """How to mail a notice: mandatory ones at once, others as the person chose, without a choice as the category has it
    (F5.2)."""
    known = CATEGORIES.get(category)
    if known is None or known.mandatory:
        return NOW
    return chosen if chosen in (NOW, DIGEST, OFF) else known.default


def reaches_strangers(category: str) -> bool:
    """Whether this category is also mailed to addresses without an account (REF-24)."""
    known = CATEGORIES.get(category)
    return known is not None and known.strangers


def next_digest(after: datetime, zone: tzinfo) -> datetime:
    """The first digest time after this instant, in the given zone."""
    local = after.astimezone(zone)
    today = datetime.combine(local.date(), DIGEST_TIME, tzinfo=zone)
    if today > local:
        return today
    return datetime.combine(local.date() + DAY, DIGEST_TIME, tzinfo=zone)


def pause_after(attempts: int) -> timedelta | None:
    """The pause after this many failed tries; None if the mail is given up (JOB)."""
    return PAUSES[attempts - 1] if attempts <= len(PAUSES) else None
