"""What is sold together: solutions with the tags that drive eligibility, and kinds of solution assessments."""

from __future__ import annotations

import uuid6
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Company
from portal.accounts.rules import Actor
from portal.catalog import rules


class SolutionQuerySet(models.QuerySet["Solution"]):
    def co_sell_ready(self) -> SolutionQuerySet:
        """In the market and ready for co-sell (F6.9): what lets a company start deals (ORG-5)."""
        return self.filter(published=True, co_sell_ready=True)

    def own(self, actor: Actor) -> SolutionQuerySet:
        """Of the actor's own company (REF-8)."""
        return self.filter(publisher_id=actor.own_company_id)

    def of_vendor(self) -> SolutionQuerySet:
        """The vendor's (REF-8)."""
        return self.filter(publisher__kind=Company.Kind.VENDOR)

    def third_party(self, actor: Actor) -> SolutionQuerySet:
        """Of other partners (REF-8)."""
        return self.filter(publisher__kind=Company.Kind.PARTNER).exclude(publisher_id=actor.own_company_id)

    def choosable(self) -> SolutionQuerySet:
        """What may be put on a deal: partners' co-sell solutions, and whatever the vendor has in the market (REF-8)."""
        ready = models.Q(co_sell_ready=True) | models.Q(publisher__kind=Company.Kind.VENDOR)
        return self.filter(ready, published=True)


class Solution(models.Model):
    """Something a company sells, as the programme lists it."""

    class Kind(models.TextChoices):
        IP = rules.IP, _("IP solution")
        SERVICE = rules.SERVICE, _("Service")
        PRODUCT = rules.PRODUCT, _("Vendor's product")

    class BizApps(models.TextChoices):
        NONE = rules.NO_BIZ_APPS, _("None")
        STANDARD = rules.STANDARD, _("Standard")
        PREMIUM = rules.PREMIUM, _("Premium")

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    code = models.CharField(_("solution id"), max_length=40, unique=True, help_text=_("For example SOL-12345-ABC"))
    name = models.CharField(_("name"), max_length=200)
    publisher = models.ForeignKey(
        Company, verbose_name=_("publisher"), on_delete=models.PROTECT, related_name="solutions"
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.IP)
    published = models.BooleanField(_("in the market"), default=False)
    co_sell_ready = models.BooleanField(_("co-sell ready"), default=False)
    azure_ip = models.BooleanField(_("Azure IP co-sell eligible"), default=False)
    biz_apps = models.CharField(
        _("Business Applications incentive"), max_length=10, choices=BizApps.choices, default=BizApps.NONE, blank=True
    )
    created_at = models.DateTimeField(_("created at (UTC)"), auto_now_add=True)

    objects = SolutionQuerySet.as_manager()

    class Meta:
        verbose_name = _("solution")
        verbose_name_plural = _("solutions")
        constraints = [
            models.CheckConstraint(condition=~models.Q(code="") & ~models.Q(name=""), name="catalog_solution_named"),
            models.CheckConstraint(
                condition=models.Q(kind__in=[rules.IP, rules.SERVICE, rules.PRODUCT]), name="catalog_solution_kind"
            ),
            models.CheckConstraint(
                condition=models.Q(biz_apps__in=[rules.NO_BIZ_APPS, rules.STANDARD, rules.PREMIUM]),
                name="catalog_solution_biz_apps",
            ),
            models.CheckConstraint(
                condition=models.Q(azure_ip=False) | models.Q(kind=rules.IP, co_sell_ready=True),
                name="catalog_solution_azure_ip",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"

    @property
    def tags(self) -> rules.Tags:
        return rules.Tags(self.published, self.co_sell_ready, self.azure_ip, self.biz_apps)


class Plan(models.Model):
    """A plan of a solution's offer: what licences are of (LIC-2)."""

    solution = models.ForeignKey(Solution, verbose_name=_("solution"), on_delete=models.PROTECT, related_name="plans")
    code = models.CharField(_("plan id"), max_length=40)
    name = models.CharField(_("name"), max_length=200)
    #: What is no longer offered can't be added to a deal; what was given out stays.
    offered = models.BooleanField(_("offered"), default=True)

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        constraints = [
            models.UniqueConstraint(fields=["solution", "code"], name="catalog_plan_code"),
            models.CheckConstraint(condition=~models.Q(code="") & ~models.Q(name=""), name="catalog_plan_named"),
        ]

    def __str__(self) -> str:
        return self.name


class AssessmentType(models.Model):
    """A kind of solution assessment a deal can be instead of a sale of solutions (REF-8)."""

    code = models.CharField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=200)

    class Meta:
        verbose_name = _("assessment type")
        verbose_name_plural = _("assessment types")
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(code="") & ~models.Q(name=""), name="catalog_assessmenttype_named"
            ),
        ]

    def __str__(self) -> str:
        return self.name
