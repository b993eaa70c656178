"""Drafts of new deals."""

from __future__ import annotations

import uuid

import uuid6
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Company
from portal.accounts.rules import Actor


class DraftQuerySet(models.QuerySet["Draft"]):
    def visible_to(self, actor: Actor) -> DraftQuerySet:
        """The actor's own drafts; nobody else sees them."""
        return self.filter(company_id=actor.own_company_id, author_id=actor.user_id)


class Draft(models.Model):
    """A new deal that is still being written; it is saved on the server, so closing the tab loses nothing."""

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    #: Becomes the engagement's, so that a double click creates one deal.
    creation_key = models.UUIDField(default=uuid.uuid4, editable=False)
    #: What each step's form holds, by step, as it was typed.
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = DraftQuerySet.as_manager()

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        indexes = [models.Index(fields=["author", "company", "-updated_at"], name="referrals_draft_author")]

    def __str__(self) -> str:
        return str(self.public_id)
