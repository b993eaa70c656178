"""A company's webhook, what was and will be sent to it, the keys that sign, and how far the feed has been read."""

from __future__ import annotations

import uuid
from datetime import datetime

import uuid6
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Company
from portal.events import selectors as feeds
from portal.events.models import Event
from portal.webhooks import rules


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def ready(self, now: datetime) -> WebhookQuerySet:
        """Those that something may be sent to now, and for which something is due; no closed company's (ORG-2)."""
        resting = Q(resting_until__gt=now)
        due = Delivery.objects.due(now).filter(webhook=OuterRef("pk"))
        return self.filter(paused_at=None, company__closed_at=None).exclude(resting).filter(Exists(due))


class Webhook(models.Model):
    """Where a company has its events sent; one for each company (F2)."""

    #: F2's SubscriberId.
    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    company = models.OneToOneField(Company, on_delete=models.PROTECT, related_name="webhook")
    url = models.CharField(_("address"), max_length=rules.MAX_URL_LENGTH)
    events = models.JSONField(_("events"), default=list)
    #: F2's SignatureTokenToMsSignatureHeader.
    ms_signature_header = models.BooleanField(default=False)
    #: The secret is worked out from these and SECRET_KEY, and kept nowhere; the one before it signs on for a while.
    secret_seed = models.UUIDField(default=uuid.uuid4, editable=False)
    previous_seed = models.UUIDField(null=True, editable=False)
    previous_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField()
    paused_at = models.DateTimeField(null=True)
    #: It is down: since when, and until when it is left alone.
    down_since = models.DateTimeField(null=True, editable=False)
    resting_until = models.DateTimeField(null=True, editable=False)

    objects = WebhookQuerySet.as_manager()

    #: No event tells of it.
    secret_columns = frozenset({"secret_seed", "previous_seed"})
    derived_columns = frozenset({"previous_until", "down_since", "resting_until"})

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.url


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def waiting(self) -> DeliveryQuerySet:
        return self.filter(delivered_at=None, parked_at=None)

    def due(self, now: datetime) -> DeliveryQuerySet:
        return self.waiting().filter(next_attempt_at__lte=now)

    def next_in_line(self, now: datetime) -> DeliveryQuerySet:
        """Due deliveries before which none about the same deal is waiting, the longest due first."""
        earlier = Delivery.objects.waiting().filter(
            webhook=OuterRef("webhook"), line=OuterRef("line"), pk__lt=OuterRef("pk")
        )
        return self.due(now).exclude(Exists(earlier)).order_by("next_attempt_at", "pk")


class Delivery(models.Model):
    """One event for one webhook; its `public_id` is the same at every attempt."""

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.PROTECT, related_name="deliveries")
    #: What it tells of; none for a test. One transaction's changes of one resource are one delivery.
    event = models.ForeignKey(Event, on_delete=models.PROTECT, null=True, related_name="+")
    xid = models.BigIntegerField(null=True)
    name = models.CharField(_("event"), max_length=40)
    resource_name = models.CharField(max_length=30)
    resource_id = models.UUIDField()
    resource_path = models.CharField(max_length=200)
    #: The deal: deliveries about one go out one after the other.
    line = models.UUIDField()
    changed_at = models.DateTimeField()

    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    #: Of each attempt: at, url, status, error, ms, answer.
    log = models.JSONField(default=list)
    delivered_at = models.DateTimeField(null=True)
    parked_at = models.DateTimeField(null=True)
    replayed_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(
                fields=["webhook", "xid", "resource_name", "resource_id"], name="webhooks_delivery_once_per_change"
            ),
            models.CheckConstraint(
                condition=Q(delivered_at=None) | Q(parked_at=None), name="webhooks_delivery_one_outcome"
            ),
        ]
        indexes = [
            models.Index(
                fields=["webhook", "next_attempt_at", "id"],
                condition=Q(delivered_at=None, parked_at=None),
                name="webhooks_delivery_due",
            ),
            models.Index(
                fields=["webhook", "line", "id"],
                condition=Q(delivered_at=None, parked_at=None),
                name="webhooks_delivery_line",
            ),
            models.Index(fields=["webhook", "-created_at", "-id"], name="webhooks_delivery_newest"),
            models.Index(fields=["created_at"], name="webhooks_delivery_oldest"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.public_id}"

    @property
    def state(self) -> str:
        if self.delivered_at:
            return "delivered"
        return "parked" if self.parked_at else "waiting"


class SigningKey(models.Model):
    """A key that signs deliveries as Microsoft does; the newest is used, certificates of older ones stay to be had."""

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    #: PKCS#8 PEM, encrypted with SECRET_KEY.
    private_key = models.TextField(editable=False)
    certificate = models.TextField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    #: No event tells of it.
    secret_columns = frozenset({"private_key"})

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")

    def __str__(self) -> str:
        return str(self.public_id)


class FeedPosition(models.Model):
    """A single row: up to which event the feed has become deliveries."""

    xid = models.BigIntegerField()
    event_id = models.BigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="webhooks_feedposition_once")]

    def __str__(self) -> str:
        return f"{self.xid}-{self.event_id}"

    @classmethod
    def begin(cls) -> None:
        """Read from now on: what happened before there were webhooks is nobody's."""
        if not cls.objects.exists():
            start = feeds.end()
            row = FeedPosition(pk=1, xid=start.xid, event_id=start.id)
            FeedPosition.objects.bulk_create([row], ignore_conflicts=True)
