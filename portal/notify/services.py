"""Telling people: notices are written with the change, read in the portal, and mailed by workers (REF-24)."""

from __future__ import annotations

import enum
import smtplib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import uuid6
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Q

from portal import bulk
from portal.accounts.models import User
from portal.events.models import Event
from portal.logs import without_keys
from portal.notify import mails, rules, selectors
from portal.notify.models import Heartbeat, Mail, Notice, NoticeQuerySet, Preference
from portal.workflow import blockers
from portal.workflow.blockers import Param

PAUSES = rules.PAUSES


# Writing


@dataclass(frozen=True)
class Message:
    """What to tell about one event: msgids with params, a path of the portal, to whom, and what kind it is (F5.2).

    Without a path if the link lets in whoever has it: `selectors.makes_link`.
    """

    event: Event
    emails: Iterable[str]
    subject: str
    body: str
    link: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)
    category: str = field(kw_only=True)
    #: For who has no account; everybody else hears in their own language.
    language: str = ""


@transaction.atomic(savepoint=False)
def notify(messages: Iterable[Message]) -> None:
    """Write the notices of many events in one go; each address hears of an event once (REF-24).

    The first message that names an address counts. Closed accounts are told nothing, and addresses without an
    account only that they are invited.
    """
    written = ((message, blockers.params_to_json(message.params)) for message in messages)
    addressed = [(message, params, email) for message, params in written for email in _unique(message.emails)]
    if not addressed:
        return
    people = {
        user.email.lower(): user for user in User.objects.filter(email__in={email for _m, _p, email in addressed})
    }
    chosen = _preferences(user.pk for user in people.values())
    notices = []
    for message, params, email in addressed:
        user = people.get(email)
        if user.is_active if user else rules.reaches_strangers(message.category):
            notices.append(_notice(message, params, email, user, chosen))
    bulk.insert(notices, once=("event_id", "email"))


def _unique(emails: Iterable[str]) -> list[str]:
    return sorted({email.lower() for email in emails})


def _preferences(user_ids: Iterable[int]) -> dict[tuple[int, str], str]:
    rows = Preference.objects.filter(user_id__in=list(user_ids))
    return {(row.user_id, row.category): row.mail for row in rows}


def _notice(
    message: Message,
    params: Mapping[str, Any],
    email: str,
    user: User | None,
    chosen: Mapping[tuple[int, str], str],
) -> Notice:
    mail = rules.mail_for(message.category, chosen.get((user.pk, message.category)) if user else None)
    at = message.event.at
    return Notice(
        event_id=message.event.pk,
        user_id=user.pk if user else None,
        email=email,
        language=user.language if user else message.language or settings.LANGUAGE_CODE,
        subject=message.subject,
        body=message.body,
        params=params,
        link=message.link,
        category=message.category,
        mail=mail,
        created_at=at,
        next_attempt_at=rules.next_digest(at, mails.zone_of(user)) if mail == Mail.DIGEST else at,
    )


def forget_undelivered(*, now: datetime) -> None:
    """Mail nothing of what happened so far, and take what is older than a week as read: the demo's past is invented."""
    Notice.objects.waiting().update(mail=Mail.OFF)
    Notice.objects.unread().filter(created_at__lt=now - 7 * rules.DAY).update(read_at=now)


# Reading


def mark_read(notice: Notice, *, now: datetime) -> None:
    Notice.objects.unread().filter(pk=notice.pk).update(read_at=now)


def mark_all_read(user: User, *, upto: int, now: datetime) -> int:
    """Everything up to the newest notice the person was shown; what came after that stays unread."""
    return Notice.objects.of(user.pk).unread().filter(pk__lte=upto).update(read_at=now)


def preferences(user: User) -> dict[str, str]:
    """How the person hears of each category that they may choose for (F5.2)."""
    chosen = _preferences([user.pk])
    return {c.code: rules.mail_for(c.code, chosen.get((user.pk, c.code))) for c in rules.optional()}


def wanting(category: str) -> set[int]:
    """Who asked to hear of a category that nobody hears of without asking."""
    rows = Preference.objects.filter(category=category).exclude(mail=Mail.OFF)
    return set(rows.values_list("user_id", flat=True))


@transaction.atomic
def set_preferences(user: User, wanted: Mapping[str, str]) -> None:
    """Keep how a person wants to be mailed; mail that waits for them, of a kind they want no more, isn't sent."""
    known = {category.code for category in rules.optional()}
    rows = [Preference(user=user, category=code, mail=mail) for code, mail in wanted.items() if code in known]
    Preference.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["user", "category"], update_fields=["mail"]
    )
    off = [row.category for row in rows if row.mail == Mail.OFF]
    waiting = Notice.objects.of(user.pk).filter(category__in=off, sent_at=None, parked_at=None)
    waiting.update(mail=Mail.OFF)


# Delivering


class Outcome(enum.Enum):
    """What became of one mail: taken by somebody else, left unsent for good, sent, refused, or nobody to take it."""

    TAKEN = enum.auto()
    WITHHELD = enum.auto()
    SENT = enum.auto()
    REFUSED = enum.auto()
    NO_SERVER = enum.auto()


def retry(notice: Notice, *, now: datetime) -> bool:
    """Give a parked mail its ten tries again (JOB); False if it wasn't parked, or somebody was first."""
    parked = Notice.objects.filter(pk=notice.pk, parked_at__isnull=False, sent_at=None)
    return bool(parked.update(parked_at=None, attempts=0, next_attempt_at=now, last_error=""))


def deliver_due(*, now: datetime, limit: int = 200) -> int:
    """Send what is due, one transaction a mail; what a killed worker held is due again. Returns how many went out.

    Mails to one address keep their order: while one is tried, or pauses, those after it wait. Once the server takes
    nothing at all the round ends; the next one finds the others as they were.
    """
    heads = Notice.objects.next_in_line(now).values_list("pk", "email")[:limit]
    return _deliver_all(heads, Notice.objects.due(now), _send_one, now)


def deliver_digests(*, now: datetime, limit: int = 200) -> int:
    """Send each person their digest, one transaction a mail (F5.2). Returns how many went out."""
    heads = list(Notice.objects.heading_a_digest(now).values_list("pk", "email")[:limit])
    for pk, _email in heads:
        _put_together(pk, now)
    return _deliver_all(heads, Notice.objects.due_in_digest(now), _send_digest, now)


@transaction.atomic
def _put_together(pk: int, now: datetime) -> None:
    """Keep what the person's digest holds, before anything is sent: should a worker die between sending it and writing
    that down, the receiver's server takes the next try for the mail it is. What somebody is changing right now comes
    with a later digest."""
    due = Notice.objects.due_in_digest(now)
    head = due.select_for_update(skip_locked=True).filter(pk=pk).first()
    if head is None or (head.digest and not Notice.objects.of_digest(head).exclude(sent_at=None).exists()):
        return
    new = Q(digest=None) | Q(digest=head.digest)  # one that was parked while its digest went out is new again
    mine = due.of(head.user_id or 0).filter(new).select_for_update(skip_locked=True)
    Notice.objects.filter(pk__in=[notice.pk for notice in mine]).update(digest=uuid6.uuid7())


Sender = Callable[[Notice, BaseEmailBackend, datetime], Outcome]


def _deliver_all(heads: Iterable[tuple[int, str]], due: NoticeQuerySet, send: Sender, now: datetime) -> int:
    sent, held = 0, set()
    connection = get_connection()
    try:
        for pk, email in heads:
            if email in held:
                continue
            outcome = _claim_and_send(pk, due, send, connection, now)
            sent += outcome is Outcome.SENT
            if outcome is Outcome.NO_SERVER:
                break
            if outcome in (Outcome.TAKEN, Outcome.REFUSED):
                held.add(email)
    finally:
        connection.close()
    return sent


@transaction.atomic
def _claim_and_send(pk: int, due: NoticeQuerySet, send: Sender, connection: BaseEmailBackend, now: datetime) -> Outcome:
    """The lock is the claim: it ends with the worker, however that ends."""
    notice = due.select_for_update(skip_locked=True, of=("self",)).select_related("user").filter(pk=pk).first()
    return Outcome.TAKEN if notice is None else send(notice, connection, now)


def _send_one(notice: Notice, connection: BaseEmailBackend, now: datetime) -> Outcome:
    return _send([notice], lambda notices: mails.single(notices[0]), connection, now)


def _send_digest(head: Notice, connection: BaseEmailBackend, now: datetime) -> Outcome:
    """The whole digest: no other worker has its notices while the first of them is held.

    They are locked before the mail goes: whoever marks them as read meanwhile waits, and the worker for nobody, so
    that no deadlock takes back that it was sent. While somebody is changing one of them, the digest waits.
    """
    if head.digest is None:
        return Outcome.TAKEN
    due = Notice.objects.due_in_digest(now).of_digest(head).order_by("pk")
    mine = list(due.select_related("user").select_for_update(skip_locked=True, of=("self",)))
    if len(mine) < due.count():
        return Outcome.TAKEN
    return _send(mine, mails.digest, connection, now)


def _send(
    notices: Sequence[Notice],
    render: Callable[[Sequence[Notice]], EmailMultiAlternatives],
    connection: BaseEmailBackend,
    now: datetime,
) -> Outcome:
    """Send one mail about the notices that their reader may still see, and write down what became of it."""
    visible = selectors.visible_notices(notices[0].user, notices)
    withheld = {notice.pk for notice in notices} - {notice.pk for notice in visible}
    if withheld:
        Notice.objects.filter(pk__in=withheld).update(mail=Mail.OFF)
    if not visible:
        return Outcome.WITHHELD
    try:
        mail = render(visible)
        connection.open()
        mail.connection = connection
        mail.send()
    except Exception as error:  # whatever it is, the mails behind this one must not wait for it
        connection.close()
        _failed(visible, error, now)
        return Outcome.NO_SERVER if _is_no_server(error) else Outcome.REFUSED
    Notice.objects.filter(pk__in=[n.pk for n in visible]).update(sent_at=now, attempts=_tries(visible), last_error="")
    return Outcome.SENT


def _tries(notices: Sequence[Notice]) -> int:
    return max(notice.attempts for notice in notices) + 1


def _failed(notices: Sequence[Notice], error: Exception, now: datetime) -> None:
    tries = _tries(notices)
    pause = rules.pause_after(tries)
    then = {"next_attempt_at": now + pause} if pause else {"parked_at": now}
    failed = Notice.objects.filter(pk__in=[notice.pk for notice in notices])
    failed.update(attempts=tries, last_error=without_keys(str(error))[:1000], **then)


def _is_no_server(error: Exception) -> bool:
    """Whether the server takes no mail at all now, rather than not this one."""
    if isinstance(error, smtplib.SMTPServerDisconnected | smtplib.SMTPConnectError | smtplib.SMTPHeloError):
        return True
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return True
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return any(code == 421 for code, _reason in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code == 421
    return isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException)


# Whether anybody works


def keep_heartbeat(*, now: datetime) -> None:
    Heartbeat.objects.update_or_create(pk=1, defaults={"at": now})


def last_heartbeat() -> datetime | None:
    """When a worker last carried out what beat asks for; None if never."""
    return Heartbeat.objects.values_list("at", flat=True).first()
