"""Policy versions: each replaces the one before from its effective instant on; decisions keep the version used."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.policy import rules


class PolicyVersionQuerySet(models.QuerySet["PolicyVersion"]):
    def standing(self) -> PolicyVersionQuerySet:
        """Without those that were withdrawn before their time came."""
        return self.filter(withdrawn_at=None)

    def newest_first(self) -> PolicyVersionQuerySet:
        return self.order_by("-effective_from", "-number")

    def with_clock(self) -> PolicyVersionQuerySet:
        """The newest first, each with `in_force`: whether its time has come by the database's clock."""
        return self.standing().newest_first().annotate(in_force=Q(effective_from__lte=Now()))

    def in_force(self, now: datetime) -> PolicyVersion | None:
        return self.standing().filter(effective_from__lte=now).newest_first().first()

    def coming(self, now: datetime) -> PolicyVersionQuerySet:
        return self.standing().filter(effective_from__gt=now)


class PolicyVersion(models.Model):
    """Overrides of the programme's default numbers, in force from one instant on. Never edited once in force."""

    number = models.PositiveIntegerField(_("version"), unique=True)
    effective_from = models.DateTimeField(_("effective from (UTC)"))
    values = models.JSONField(_("values that differ from the defaults"), default=dict, blank=True)
    note = models.TextField(_("why"), blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False)
    #: Only one to come is ever withdrawn; it keeps its number and never was in force.
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = PolicyVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("policy version")
        verbose_name_plural = _("policy versions")
        constraints = [
            models.CheckConstraint(condition=models.Q(number__gt=0), name="policy_version_number_positive"),
        ]

    def __str__(self) -> str:
        return f"v{self.number}"

    def clean(self) -> None:
        try:
            self.as_policy()
        except rules.WrongValues as error:
            raise ValidationError({"values": gettext(error.blocker.message) % error.blocker.params}) from error

    def as_policy(self) -> rules.Policy:
        return rules.from_values(self.values, version=self.number)


class PolicyDraft(models.Model):
    """A version somebody prepares: its numbers, without any effect."""

    values = models.JSONField(default=dict, blank=True)
    effective_from = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True)

    class Meta:
        verbose_name = _("policy draft")
        verbose_name_plural = _("policy drafts")

    def __str__(self) -> str:
        return self.note.split("\n", 1)[0][:80] or f"#{self.pk}"
