"""Telling people: notices are written with the change and mailed by workers, with growing pauses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation

from portal.accounts.models import User
from portal.events.models import Event
from portal.notify.models import Notice
from portal.workflow import blockers, text
from portal.workflow.blockers import Blocker, Param

#: JOB: ten tries with growing pauses, then parked.
PAUSES = [timedelta(minutes=m) for m in (1, 2, 5, 10, 20, 40, 80, 160, 320)]


@dataclass(frozen=True)
class Message:
    """What to tell about one event: msgids with params, a path of the portal, and to whom."""

    event: Event
    emails: Iterable[str]
    subject: str
    body: str
    link: str
    params: Mapping[str, Param] = field(default_factory=dict)


@transaction.atomic
def notify(messages: Iterable[Message]) -> None:
    """Write the notices of many events in one go; each address hears of an event once (REF-24)."""
    messages = list(messages)
    addresses = {email.lower() for message in messages for email in message.emails}
    if not addresses:
        return
    people = {user.email: user for user in User.objects.filter(email__in=addresses, is_active=True)}
    Notice.objects.bulk_create(
        [_notice(message, email, people.get(email)) for message in messages for email in _unique(message.emails)],
        ignore_conflicts=True,
    )


def _unique(emails: Iterable[str]) -> list[str]:
    return sorted({email.lower() for email in emails})


def _notice(message: Message, email: str, user: User | None) -> Notice:
    stored = blockers.to_json(Blocker("", message.body, params=message.params))
    return Notice(
        event=message.event,
        user=user,
        email=email,
        language=user.language if user else settings.LANGUAGE_CODE,
        subject=message.subject,
        body=message.body,
        params=stored["params"],
        link=message.link,
        created_at=message.event.at,
        next_attempt_at=message.event.at,
    )


def forget_undelivered(*, now: datetime) -> None:
    """Mail nothing of what happened so far: the demo's past is invented."""
    Notice.objects.due(now).update(parked_at=now, last_error="")


def retry(notice: Notice, *, now: datetime) -> bool:
    """Give a parked mail its ten tries again (JOB); False if it wasn't parked, or somebody was first."""
    parked = Notice.objects.filter(pk=notice.pk, parked_at__isnull=False, sent_at=None)
    return bool(parked.update(parked_at=None, attempts=0, next_attempt_at=now, last_error=""))


def deliver_due(*, now: datetime, limit: int = 200) -> int:
    """Send what is due, one transaction a mail; what a killed worker held is due again. Returns how many went out."""
    sent = 0
    connection = get_connection()
    for _turn in range(limit):
        with transaction.atomic():
            notice = (
                Notice.objects.due(now)
                .select_for_update(skip_locked=True, of=("self",))
                .select_related("user")
                .order_by("next_attempt_at")
                .first()
            )
            if notice is None:
                break
            sent += _deliver(notice, connection, now)
    connection.close()
    return sent


def _deliver(notice: Notice, connection: object, now: datetime) -> bool:
    notice.attempts += 1
    try:
        _render(notice, connection).send()
    except OSError as error:  # SMTPException is one
        notice.last_error = str(error)[:1000]
        if notice.attempts > len(PAUSES):
            notice.parked_at = now
        else:
            notice.next_attempt_at = now + PAUSES[notice.attempts - 1]
    else:
        notice.sent_at = now
        notice.last_error = ""
    notice.save()
    return notice.sent_at is not None


def _render(notice: Notice, connection: object) -> EmailMultiAlternatives:
    zone = notice.user.time_zone if notice.user else "UTC"
    with translation.override(notice.language), timezone.override(zone):
        params = blockers.from_json({"code": "", "message": "", "params": notice.params}).params
        subject = text.text(Blocker("", notice.subject, params=params))
        body = text.text(Blocker("", notice.body, params=params))
        context = {"body": body, "link": settings.BASE_URL + notice.link, "language": notice.language}
        mail = EmailMultiAlternatives(
            subject=" ".join(subject.split()),
            body=render_to_string("mail/notice.txt", context),
            to=[notice.email],
            headers={"Message-ID": f"<notice-{notice.pk}@ortak>", "Auto-Submitted": "auto-generated"},
            connection=connection,
        )
        mail.attach_alternative(render_to_string("mail/notice.html", context), "text/html")
    return mail
