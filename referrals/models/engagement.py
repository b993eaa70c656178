"""Engagements: one joint sale to one customer, with its thread of notes."""

from __future__ import annotations

import uuid

import uuid6
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Company
from portal.catalog.models import AssessmentType
from portal.customers.models import Customer
from referrals.models.sharing import Sharing


class Engagement(Sharing):
    """One joint sale to one customer, shared by every company that takes part."""

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="engagements")
    started_by = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="engagements")
    #: From the form of whoever created it, so that a double click creates one deal.
    creation_key = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField()
    assessment_type = models.ForeignKey(AssessmentType, on_delete=models.PROTECT, null=True, blank=True)
    assessment_location = models.CharField(max_length=100, blank=True)
    contact_name = models.CharField(max_length=200, blank=True)
    contact_phone = models.CharField(max_length=50, blank=True)
    contact_email = models.EmailField(blank=True)
    contact_consent = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("engagement")
        verbose_name_plural = _("engagements")
        constraints = [
            models.UniqueConstraint(fields=["started_by", "creation_key"], name="referrals_engagement_created_once"),
            *Sharing.Meta.constraints,
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def is_assessment(self) -> bool:
        return self.assessment_type_id is not None


class Note(models.Model):
    """A note of the engagement's thread: shared with its participants, or private to one company (REF-23)."""

    engagement = models.ForeignKey(Engagement, on_delete=models.PROTECT, related_name="notes")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    shared = models.BooleanField(default=True)
    text = models.TextField()
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        indexes = [models.Index(fields=["engagement", "-id"], name="referrals_note_newest")]

    def __str__(self) -> str:
        return self.text[:50]
