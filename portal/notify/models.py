"""Mail waiting to be sent: written with the change it tells of, delivered by workers."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.events.models import Event


class Mail(models.TextChoices):
    """How a notice reaches the mailbox: at once, in the day's digest, or not at all."""

    NOW = "now", _("At once")
    DIGEST = "digest", _("Once a day")
    OFF = "off", _("Never")


class NoticeQuerySet(models.QuerySet["Notice"]):
    def due(self, now: datetime) -> NoticeQuerySet:
        return self.filter(mail=Mail.NOW, sent_at=None, parked_at=None, next_attempt_at__lte=now)


class Notice(models.Model):
    """One mail to one address about one event; the words are msgids, rendered in the receiver's language."""

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    email = models.EmailField()
    language = models.CharField(max_length=5)
    subject = models.CharField(max_length=300)
    body = models.TextField()
    params = models.JSONField(default=dict)
    link = models.CharField(max_length=300)
    #: What it is about, as preferences name it (F5.2).
    category = models.CharField(max_length=20, default="deal")
    mail = models.CharField(max_length=10, choices=Mail.choices, default=Mail.NOW)
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
        constraints = [models.UniqueConstraint(fields=["event", "email"], name="notify_notice_once_per_event")]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(mail="now", sent_at=None, parked_at=None),
                name="notify_notice_due",
            ),
            models.Index(fields=["user", "-created_at", "-id"], name="notify_notice_newest"),
            models.Index(fields=["user"], condition=models.Q(read_at=None), name="notify_notice_unread"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} → {self.email}"


class Preference(models.Model):
    """How a person wants to be mailed about one category; without one, at once."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    category = models.CharField(max_length=20)
    mail = models.CharField(max_length=10, choices=Mail.choices, default=Mail.NOW)

    class Meta:
        verbose_name = _("notification preference")
        verbose_name_plural = _("notification preferences")
        constraints = [models.UniqueConstraint(fields=["user", "category"], name="notify_preference_once")]

    def __str__(self) -> str:
        return f"{self.category}: {self.get_mail_display()}"
