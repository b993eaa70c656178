"""Notices: written in the transaction of the change, read in the portal, mailed by workers."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.events.models import Event
from portal.notify import rules


class Mail(models.TextChoices):
    """How a notice is mailed: at once, in the daily digest, or not at all."""

    NOW = rules.NOW, _("At once")
    DIGEST = rules.DIGEST, _("Once a day")
    OFF = rules.OFF, _("Never")


class NoticeQuerySet(models.QuerySet["Notice"]):
    # In the portal

    def of(self, user_id: int) -> NoticeQuerySet:
        return self.filter(user_id=user_id)

    def unread(self) -> NoticeQuerySet:
        return self.filter(read_at=None)

    # By mail

    def waiting(self, mail: str = Mail.NOW) -> NoticeQuerySet:
        return self.filter(mail=mail, sent_at=None, parked_at=None)

    def due(self, now: datetime) -> NoticeQuerySet:
        return self.waiting().filter(next_attempt_at__lte=now)

    def next_in_line(self, now: datetime) -> NoticeQuerySet:
        """Due notices, oldest first, without addresses that wait after a failed mail (JOB)."""
        pausing = Notice.objects.waiting().filter(
            next_attempt_at__gt=now, email=models.OuterRef("email"), pk__lt=models.OuterRef("pk")
        )
        return self.due(now).exclude(models.Exists(pausing)).order_by("pk")

    def due_in_digest(self, now: datetime) -> NoticeQuerySet:
        return self.waiting(Mail.DIGEST).filter(next_attempt_at__lte=now)

    def of_digest(self, notice: Notice) -> NoticeQuerySet:
        """All notices that go into the same digest as this one."""
        return self.filter(user_id=notice.user_id, digest=notice.digest)

    def heading_a_digest(self, now: datetime) -> NoticeQuerySet:
        """The oldest due notice of each person; the worker that locks it makes that person's digest."""
        earlier = Notice.objects.due_in_digest(now).filter(
            user_id=models.OuterRef("user_id"), pk__lt=models.OuterRef("pk")
        )
        return self.due_in_digest(now).exclude(models.Exists(earlier)).order_by("pk")


class Notice(models.Model):
    """One event for one address, unique. Its texts are msgids, rendered in the reader's language (REF-24).

    A person with an account also reads it in the portal; an invited person without an account gets the mail only.
    """

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    email = models.EmailField()
    language = models.CharField(max_length=5)
    subject = models.CharField(max_length=300)
    body = models.TextField()
    params = models.JSONField(default=dict)
    #: A path of the portal. Empty if whoever has it is let in: then it is made when it is mailed or opened.
    link = models.CharField(max_length=300, blank=True)
    #: What it is about, as preferences name it (F5.2).
    category = models.CharField(max_length=20, default="deal")
    mail = models.CharField(max_length=10, choices=Mail.choices, default=Mail.NOW)
    #: The digest it goes out in, kept before that is first sent: at every try the same notices, the same Message-ID.
    digest = models.UUIDField(null=True, blank=True, editable=False)
    read_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    parked_at = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.UniqueConstraint(fields=["event", "email"], name="notify_notice_once_per_event"),
            models.CheckConstraint(
                condition=~models.Q(category=rules.INVITATION) | models.Q(link=""), name="notify_notice_keeps_no_key"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(mail="now", sent_at=None, parked_at=None),
                name="notify_notice_due",
            ),
            models.Index(
                fields=["user", "id"],
                condition=models.Q(mail="digest", sent_at=None, parked_at=None),
                name="notify_notice_digest",
            ),
            models.Index(fields=["user", "-created_at", "-id"], name="notify_notice_newest"),
            models.Index(fields=["user"], condition=models.Q(read_at=None), name="notify_notice_unread"),
        ]

    def __str__(self) -> str:
        return f"{self.email} · {self.created_at:%Y-%m-%d %H:%M}"


class Heartbeat(models.Model):
    """A single row: when a worker last ran a scheduled task. Kept in the database because Redis may be away."""

    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="notify_heartbeat_once")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}"


class Preference(models.Model):
    """How a person wants mail of one category; without a row, as the category has it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    category = models.CharField(max_length=20)
    mail = models.CharField(max_length=10, choices=Mail.choices, default=Mail.NOW)

    class Meta:
        verbose_name = _("notification preference")
        verbose_name_plural = _("notification preferences")
        constraints = [models.UniqueConstraint(fields=["user", "category"], name="notify_preference_once")]

    def __str__(self) -> str:
        return f"{self.category}: {self.get_mail_display()}"
