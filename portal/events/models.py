"""What happened: one row per change is audit, timeline and outbox at once."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import uuid6
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.actors import Actor


class EventQuerySet(models.QuerySet["Event"]):
    def of_subject(self, subject: models.Model) -> EventQuerySet:
        return self.filter(subject_type=subject._meta.label_lower, subject_id=subject.pk)

    def timeline(self, *, group: uuid.UUID, actor: Actor, others: Iterable[int]) -> EventQuerySet:
        """A group's (an engagement's) events, newest first: the own company's and that of those merged into it, and
        what `others` share with it."""
        own = models.Q(company_id=actor.own_company_id) | models.Q(company__merged_into=actor.own_company_id)
        others = list(others)
        shared = models.Q(company_id__in=others) | models.Q(company__merged_into__in=others)
        return (
            self.filter(group=group)
            .filter(own | models.Q(shared=True) & shared)
            .select_related("actor_user", "company")
            .order_by("-at", "-id")
        )


class Event(models.Model):
    """A change that happened. Append-only."""

    class ActorKind(models.TextChoices):
        PERSON = "person", _("Person")
        CLIENT = "client", _("API client")
        SYSTEM = "system", _("System")

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    at = models.DateTimeField(_("at (UTC)"))
    verb = models.CharField(_("what"), max_length=60)
    subject_type = models.CharField(max_length=60)
    subject_id = models.BigIntegerField()
    #: Ties the records of one engagement together.
    group = models.UUIDField(null=True)
    #: Whose record it is; null for the programme's own.
    company = models.ForeignKey("accounts.Company", on_delete=models.PROTECT, null=True, related_name="+")
    #: Whether the engagement's other participants see it on their timelines.
    shared = models.BooleanField(default=False)
    #: The record's version after the change, where it counts them: what a stale editor missed is read from here.
    version = models.PositiveIntegerField(null=True)
    actor_kind = models.CharField(max_length=10, choices=ActorKind.choices)
    actor_user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    #: The name of the API client that acted, or of the person without an account, as it was then.
    actor_client = models.CharField(max_length=255, blank=True)
    actor_company = models.ForeignKey("accounts.Company", on_delete=models.PROTECT, null=True, related_name="+")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    #: Blockers as JSON (workflow.blockers.to_json): why it went this way.
    reasons = models.JSONField(default=list)
    comment = models.TextField(blank=True)
    policy_version = models.PositiveIntegerField(default=0)
    #: The writing transaction's number, by the database: feeds read in (xid, id), as ids are not in commit order.
    xid = models.BigIntegerField(db_default=models.Func(function="events_xid"), editable=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(fields=["group", "-at", "-id"], name="events_event_group"),
            models.Index(fields=["subject_type", "subject_id", "-at", "-id"], name="events_event_subject"),
            models.Index(fields=["company", "-at", "-id"], name="events_event_company"),
            models.Index(fields=["xid", "id"], name="events_event_feed"),
        ]

    def __str__(self) -> str:
        return self.verb

    @property
    def actor_name(self) -> str:
        """The person or the API client that acted; empty for the workers."""
        return self.actor_user.get_full_name() if self.actor_user else self.actor_client
