"""The categories of notices, how each is mailed (F5.2), and when failed mail is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from portal.workflow.blockers import _

DAY = timedelta(days=1)
NOW, DIGEST, OFF = "now", "digest", "off"

TO_ANSWER = "to_answer"
ACTION_REQUIRED = "action_required"
DEADLINE = "deadline"
ANSWER = "answer"
REGISTRATION = "registration"
EXPORT = "export"
INVITATION = "invitation"
PASSWORD = "password"  # noqa: S105  what a notice is about
SIGN_IN = "sign_in"


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


CATEGORIES = {
    category.code: category
    for category in (
        Category(
            TO_ANSWER,
            _("Deals to answer"),
            _("Somebody sent you a deal, and the time to accept or decline it runs."),
            "envelope",
            "brand",
            mandatory=True,
        ),
        Category(
            ACTION_REQUIRED,
            _("Action required"),
            _("A registration came back to be corrected."),
            "pencil",
            "danger",
            mandatory=True,
        ),
        Category(
            DEADLINE,
            _("Deadlines"),
            _("Reminders before the time to answer or to register a deal runs out."),
            "alarm",
            "warning",
            mandatory=True,
        ),
        Category(
            INVITATION,
            _("Invitations"),
            _("A company asks you to join it."),
            "person-plus",
            "brand",
            mandatory=True,
            opens=_("Open the invitation"),
            strangers=True,
        ),
        Category(
            PASSWORD,
            _("A new password"),
            _("The link to choose one, when you or somebody else asks for it."),
            "key",
            "brand",
            mandatory=True,
            opens=_("Choose a new password"),
        ),
        Category(
            SIGN_IN,
            _("Wrong passwords"),
            _("Somebody typed so many wrong ones for your account that it was locked for their network."),
            "shield-lock",
            "warning",
            mandatory=True,
            opens=_("Choose a new password"),
        ),
        Category(
            ANSWER,
            _("Answers to my deals"),
            _("A deal of yours was sent, accepted, declined, or not answered in time."),
            "reply",
            "brand",
        ),
        Category(
            REGISTRATION,
            _("Progress of registrations"),
            _("A deal can be registered, or its registration was checked, reviewed or decided."),
            "award",
            "brand",
        ),
        Category(
            EXPORT,
            _("Exports"),
            _("A file that you asked for is ready."),
            "download",
            "brand",
            opens=_("Open the export"),
        ),
    )
}
#: What a person may have at once, once a day, or not by mail at all.
OPTIONAL = tuple(category for category in CATEGORIES.values() if not category.mandatory)

#: JOB: ten tries with growing pauses, then parked.
PAUSES = [timedelta(minutes=m) for m in (1, 2, 5, 10, 20, 40, 80, 160, 320)]

#: When the day's digest goes out, in the person's own zone: before the day's work.
DIGEST_TIME = time(7, 0)


def mail_for(category: str, chosen: str | None) -> str:
    """How to mail a notice: mandatory ones at once, others as the person chose, without a choice at once (F5.2)."""
    known = CATEGORIES.get(category)
    if known is None or known.mandatory or chosen not in (NOW, DIGEST, OFF):
        return NOW
    return chosen


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
