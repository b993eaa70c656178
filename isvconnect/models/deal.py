"""ISV Connect deals: closed sales of Business Applications, from *submitted* to *completed* (ISV-5)."""

from __future__ import annotations

import uuid
from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING

import uuid6
from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import RETURN_VALUE, FSMField, transition

from dealreg.models import Registration
from isvconnect.models.rates import Tag
from isvconnect.rules import states
from isvconnect.rules.values import IsvDealInput
from portal.accounts.models import Company, Location
from portal.accounts.rules import Actor, reading_scope
from portal.catalog.models import Solution
from portal.customers.models import Customer
from portal.workflow.blockers import Money
from portal.workflow.models import Record
from referrals.models import Referral

if TYPE_CHECKING:
    from isvconnect.models.invoice import Installment


class Status(models.TextChoices):
    SUBMITTED = states.SUBMITTED, _("Submitted")
    INVOICED = states.INVOICED, _("Invoiced")
    COMPLETED = states.COMPLETED, _("Completed")
    CANCELLED = states.CANCELLED, _("Cancelled")


class IsvDealQuerySet(models.QuerySet["IsvDeal"]):
    def visible_to(self, actor: Actor) -> IsvDealQuerySet:
        """The company's own of the locations that the actor reads, and those of referrals they see; the vendor's
        people see all (ISV-7, ORG-2)."""
        if actor.is_system:
            return self
        if actor.is_vendor:
            return self if actor.grants else self.none()
        own = self.filter(company_id=actor.own_company_id)
        scope = reading_scope(actor)
        if scope.entire_company:
            return own
        of_referral = models.Q(referral__in=Referral.objects.visible_to(actor))
        return own.filter(models.Q(location_id__in=scope.location_ids) | of_referral)

    def with_context(self) -> IsvDealQuerySet:
        return self.select_related("company", "location", "customer", "solution", "referral__engagement")

    def with_seen_referral(self, actor: Actor) -> IsvDealQuerySet:
        """With the id of the referral as `seen_referral`, where the actor may see that (REF-3, ORG-6)."""
        seen = Referral.objects.visible_to(actor).filter(pk=models.OuterRef("referral"))
        return self.annotate(seen_referral=models.Subquery(seen.values("public_id")[:1]))

    def in_progress(self) -> IsvDealQuerySet:
        return self.filter(status__in=states.IN_PROGRESS)

    def closed(self) -> IsvDealQuerySet:
        return self.filter(status__in=states.ENDED)

    def to_invoice(self, today: date) -> IsvDealQuerySet:
        """With invoices that are due on this day (UTC) and not issued (ISV-6)."""
        return self.filter(next_due_on__lte=today)

    def without_rate(self) -> IsvDealQuerySet:
        """No fee rate was in force at their signing, as far as is known; their invoices wait (ISV-6)."""
        return self.filter(status=Status.SUBMITTED, percent=None)

    def with_unissued(self) -> IsvDealQuerySet:
        """With the contract years that aren't issued yet, for `IsvDeal.open_installments`."""
        found = apps.get_model("isvconnect", "Installment").objects.unissued()
        return self.prefetch_related(models.Prefetch("installments", found, to_attr="found_open"))

    def standing(self) -> IsvDealQuerySet:
        """Not cancelled: at most one of a referral (ISV-7)."""
        return self.exclude(status=Status.CANCELLED)


class IsvDeal(Record):
    """A reported sale. Changes only through its verbs."""

    owner_path, group_path = "company_id", "group"

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    #: Its referral's engagement, so that the referral's timeline tells of it; an id of its own without one.
    group = models.UUIDField(default=uuid6.uuid7, editable=False)
    company = models.ForeignKey(Company, verbose_name=_("Company"), on_delete=models.PROTECT, related_name="+")
    location = models.ForeignKey(Location, verbose_name=_("Location"), on_delete=models.PROTECT, related_name="+")
    #: The co-sell referral it comes from; none for one that was reported directly (ISV-2).
    referral = models.ForeignKey(
        Referral, on_delete=models.PROTECT, related_name="isv_deals", null=True, blank=True, editable=False
    )
    status = FSMField(_("status"), choices=Status.choices, default=Status.SUBMITTED, protected=True)

    # What the partner states: each question once, with its label and what the form says to it (ISV-3)
    customer = models.ForeignKey(Customer, verbose_name=_("Customer"), on_delete=models.PROTECT, related_name="+")
    solution = models.ForeignKey(
        Solution,
        verbose_name=_("Solution"),
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Only solutions with an ISV Connect tag are listed; one is missing? Check the tag of its offer."),
    )
    tcv = models.DecimalField(
        _("Total contract value"),
        max_digits=18,
        decimal_places=2,
        help_text=_("Software and services, without hardware."),
    )
    tcv_currency = models.CharField(_("Currency"), max_length=3)
    solution_value = models.DecimalField(
        _("Solution value"),
        max_digits=18,
        decimal_places=2,
        help_text=_("The total contract value less non-recurring application fees."),
    )
    solution_value_currency = models.CharField(_("Currency"), max_length=3)
    deployment = models.CharField(
        _("Where is the solution deployed?"), max_length=10, choices=Registration.Deployment.choices
    )
    tenant = models.CharField(_("Tenant type"), max_length=10, choices=Registration.Tenant.choices)
    tenant_guid = models.UUIDField(_("Tenant id of the customer"), null=True, blank=True)
    signed = models.DateField(_("Contract signed"))
    start = models.DateField(_("Contract start"), help_text=_("On the day of the signing or later."))
    end = models.DateField(_("Contract end"))
    contact_first_name = models.CharField(_("First name"), max_length=100)
    contact_last_name = models.CharField(_("Last name"), max_length=100)
    contact_phone = models.CharField(_("Phone"), max_length=50)
    contact_email = models.EmailField(_("E-mail"))

    # What was found when it was submitted (FX-2, FLOW-7); the tag decides the fee
    tag = models.CharField(_("incentive"), max_length=10, choices=Tag.choices)
    tcv_usd = models.DecimalField(max_digits=20, decimal_places=2)
    solution_value_usd = models.DecimalField(max_digits=20, decimal_places=2)
    rates = models.JSONField(default=dict)
    policy_version = models.PositiveIntegerField(default=0)
    #: The fee rate in force at the signing, as it was found; null while none was (ISV-6).
    percent = models.DecimalField(_("fee, percent"), max_digits=6, decimal_places=3, null=True)
    #: When the next invoice falls due; null where nothing is left to issue, or no fee rate is known.
    next_due_on = models.DateField(null=True)

    #: From the form's page, so that a double click reports one deal.
    creation_key = models.UUIDField(default=uuid.uuid4, editable=False)
    #: When it was reported: the month of this day gives the rates (ISV-1).
    created_at = models.DateTimeField()
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    #: When managers were told that no fee rate was in force at the signing; null while one is (ISV-6).
    rate_missing_at = models.DateTimeField(null=True, editable=False)
    invoiced_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    cancel_reason = models.TextField(blank=True)

    objects = IsvDealQuerySet.as_manager()

    derived_columns = frozenset({"version", "creation_key"})

    class Meta:
        verbose_name = _("ISV Connect deal")
        verbose_name_plural = _("ISV Connect deals")
        indexes = [
            models.Index(fields=["company", "-created_at", "-id"], name="isvconnect_deal_list"),
            models.Index(fields=["-created_at", "-id"], name="isvconnect_deal_all"),
            models.Index(
                fields=["next_due_on", "id"], condition=models.Q(next_due_on__isnull=False), name="isvconnect_deal_due"
            ),
            models.Index(
                fields=["tag", "signed"],
                condition=models.Q(status=Status.SUBMITTED, percent=None),
                name="isvconnect_deal_waiting",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["referral"], condition=~models.Q(status=Status.CANCELLED), name="isvconnect_deal_of_referral"
            ),
            models.UniqueConstraint(fields=["company", "creation_key"], name="isvconnect_deal_created_once"),
            models.CheckConstraint(condition=models.Q(status__in=Status.values), name="isvconnect_deal_status"),
            models.CheckConstraint(condition=models.Q(tag__in=Tag.values), name="isvconnect_deal_tag"),
            models.CheckConstraint(condition=models.Q(tcv__gt=0, solution_value__gt=0), name="isvconnect_deal_values"),
            models.CheckConstraint(
                condition=models.Q(start__gte=models.F("signed"), end__gte=models.F("start")),
                name="isvconnect_deal_dates",
            ),
            models.CheckConstraint(
                condition=~models.Q(tenant=Registration.Tenant.CUSTOMER) | models.Q(tenant_guid__isnull=False),
                name="isvconnect_deal_tenant",
            ),
            models.CheckConstraint(
                condition=models.Q(status=Status.CANCELLED, cancelled_at__isnull=False) & ~models.Q(cancel_reason="")
                | ~models.Q(status=Status.CANCELLED) & models.Q(cancelled_at=None, cancel_reason=""),
                name="isvconnect_deal_cancelled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer} · {self.solution}"

    # Which moves exist (ISV-5). The verbs call them, and do everything else (isvconnect.verbs).

    @transition(status, source=Status.SUBMITTED, target=Status.SUBMITTED)
    def correct(self) -> None: ...

    @transition(
        status,
        source=[Status.SUBMITTED, Status.INVOICED],
        target=RETURN_VALUE(Status.INVOICED, Status.COMPLETED),
    )
    def issue_invoices(self, state: str) -> str:
        return state

    @transition(status, source=Status.SUBMITTED, target=Status.SUBMITTED)
    def set_fees(self) -> None: ...

    @transition(status, source=[Status.SUBMITTED, Status.INVOICED, Status.COMPLETED], target=Status.CANCELLED)
    def cancel(self) -> None: ...

    @property
    def owner_id(self) -> int:
        return self.company_id

    @property
    def event_group(self) -> uuid.UUID:
        return self.group

    @property
    def open_installments(self) -> list[Installment]:
        """Its contract years whose invoice isn't issued, in their order."""
        found: list[Installment] | None = vars(self).get("found_open")  # with_unissued()
        return list(self.installments.unissued()) if found is None else found

    @property
    def claim(self) -> IsvDealInput:
        """What was stated, as the form holds it: each question has the column of its name."""
        stated = {q.name: getattr(self, _KEYS.get(q.name, q.name)) for q in fields(IsvDealInput)}
        stated |= {"tcv": self.tcv_money, "solution_value": self.solution_money}
        return IsvDealInput(**stated)

    @claim.setter
    def claim(self, form: IsvDealInput) -> None:
        """A complete form: the checks found nothing missing."""
        assert form.tcv
        assert form.solution_value
        stated = vars(form) | {
            "tcv": form.tcv.amount,
            "tcv_currency": form.tcv.currency,
            "solution_value": form.solution_value.amount,
            "solution_value_currency": form.solution_value.currency,
        }
        for name, value in stated.items():
            setattr(self, _KEYS.get(name, name), value)

    @property
    def tcv_money(self) -> Money:
        return Money(self.tcv, self.tcv_currency)

    @property
    def solution_money(self) -> Money:
        return Money(self.solution_value, self.solution_value_currency)

    @property
    def contact_name(self) -> str:
        return f"{self.contact_first_name} {self.contact_last_name}"

    @property
    def is_cancelled(self) -> bool:
        return self.status == Status.CANCELLED


#: Questions that are answered by a row: the rules know its key.
_KEYS = {name: f"{name}_id" for name in ("location", "customer", "solution")}
