"""The licences of a deal: plans with absolute counts, and the people they are assigned to (LIC-2 to LIC-5)."""

from __future__ import annotations

import uuid

import uuid6
from django.db import models
from django.utils.translation import gettext_lazy as _

from isvconnect.models import IsvDeal
from licensing.models.relationship import Relationship
from licensing.rules import CONSENT_REVOKED, DEAL_CANCELLED
from portal.accounts.rules import Actor
from portal.catalog.models import Plan
from portal.workflow.models import Record


class LicencesQuerySet(models.QuerySet["Licences"]):
    def visible_to(self, actor: Actor) -> LicencesQuerySet:
        """Those of the deals that the actor sees (ISV-7)."""
        if actor.is_system:
            return self
        return self.filter(deal__in=IsvDeal.objects.visible_to(actor))

    def with_context(self) -> LicencesQuerySet:
        return self.select_related(
            "deal__company",
            "deal__customer",
            "deal__location",
            "deal__solution",
            "deal__referral",
            "relationship__customer",
        )


class Licences(Record):
    """What a deal's customer was given. Made by the first update, which fixes the customer (LIC-2)."""

    owner_path, group_path = "deal__company_id", "deal__group"

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    deal = models.OneToOneField(IsvDeal, on_delete=models.PROTECT, related_name="licences")
    relationship = models.ForeignKey(Relationship, on_delete=models.PROTECT, related_name="licences")
    created_at = models.DateTimeField()

    objects = LicencesQuerySet.as_manager()

    derived_columns = frozenset({"version"})
    #: What the customer assigns takes nothing from a partner who changes counts meanwhile; the rest are names.
    bookkeeping = frozenset({"updated_at", "assigned", "people", "plans", "customer"})

    class Meta:
        verbose_name = _("licences of a deal")
        verbose_name_plural = _("licences of deals")

    def __str__(self) -> str:
        return f"{self.deal}"

    @property
    def owner_id(self) -> int:
        return self.deal.company_id

    @property
    def event_group(self) -> uuid.UUID:
        return self.deal.group

    @property
    def frozen(self) -> str:
        """Why counts may only be lowered or removed (LIC-7): the deal was cancelled, or the consent taken back; ''."""
        if self.deal.is_cancelled:
            return DEAL_CANCELLED
        return "" if self.relationship.is_consented else CONSENT_REVOKED

    @property
    def is_frozen(self) -> bool:
        return bool(self.frozen)


class PlanCount(models.Model):
    """How many licences of a plan there are, and how many of them are assigned: never more (LIC-4)."""

    licences = models.ForeignKey(Licences, on_delete=models.CASCADE, related_name="counts")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    count = models.PositiveIntegerField(_("licences"))
    assigned = models.PositiveIntegerField(_("assigned"), default=0)

    class Meta:
        verbose_name = _("licences of a plan")
        verbose_name_plural = _("licences of plans")
        constraints = [
            models.UniqueConstraint(fields=["licences", "plan"], name="licensing_plancount_once"),
            models.CheckConstraint(
                condition=models.Q(count__gt=0, assigned__lte=models.F("count")), name="licensing_plancount_enough"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} · {self.count}"


class Assignment(models.Model):
    """A person of the customer's who has a licence, by e-mail address; partners see numbers only (LIC-4)."""

    plan_count = models.ForeignKey(PlanCount, on_delete=models.CASCADE, related_name="assignments")
    #: In lower case.
    email = models.EmailField()
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("assigned licence")
        verbose_name_plural = _("assigned licences")
        constraints = [
            models.UniqueConstraint(fields=["plan_count", "email"], name="licensing_assignment_once"),
        ]

    def __str__(self) -> str:
        return f"{self.plan_count_id} · {self.pk}"
