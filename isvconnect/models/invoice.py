"""The schedule of a deal, and the invoices and credit notes that came of it (ISV-5, ISV-6)."""

from __future__ import annotations

import uuid6
from django.db import models
from django.utils.translation import gettext_lazy as _

from isvconnect.models.deal import IsvDeal
from isvconnect.models.run import InvoiceRun
from isvconnect.rules import states
from portal.accounts.models import Company
from portal.accounts.rules import Actor
from portal.workflow.blockers import Money


class InstallmentQuerySet(models.QuerySet["Installment"]):
    def in_order(self) -> InstallmentQuerySet:
        return self.order_by("number")

    def unissued(self) -> InstallmentQuerySet:
        """Those whose invoice isn't issued, in their order."""
        return self.filter(issued=False).in_order()


class Installment(models.Model):
    """One contract year of a deal: what falls due at its start. Dropped where it isn't issued (ISV-5)."""

    deal = models.ForeignKey(IsvDeal, on_delete=models.CASCADE, related_name="installments")
    #: From 1 on.
    number = models.PositiveSmallIntegerField()
    first_day = models.DateField()
    last_day = models.DateField()
    #: When it is issued: the first day, but never before the day after submission (UTC).
    due_on = models.DateField()
    #: The year's share of the solution's value, in its currency.
    share = models.DecimalField(max_digits=18, decimal_places=2)
    #: The fee on it; null while no rate was in force at the signing.
    fee = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    #: Whether its invoice was issued.
    issued = models.BooleanField(default=False)

    objects = InstallmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("contract year")
        verbose_name_plural = _("contract years")
        constraints = [
            models.UniqueConstraint(fields=["deal", "number"], name="isvconnect_installment_number"),
            models.CheckConstraint(
                condition=models.Q(last_day__gte=models.F("first_day"), due_on__gte=models.F("first_day")),
                name="isvconnect_installment_dates",
            ),
            models.CheckConstraint(
                condition=models.Q(issued=False) | models.Q(fee__isnull=False), name="isvconnect_installment_fee"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deal_id} · {self.number}"


class InvoiceSeries(models.Model):
    """The last number given out; locked while numbers are taken, so that a rolled-back one leaves no gap."""

    prefix = models.CharField(max_length=10, unique=True)
    last = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = _("series of invoice numbers")
        verbose_name_plural = _("series of invoice numbers")

    def __str__(self) -> str:
        return f"{self.prefix}{self.last}"


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def visible_to(self, actor: Actor) -> InvoiceQuerySet:
        """Those of the deals that the actor sees (ISV-7)."""
        if actor.is_system:
            return self
        return self.filter(deal__in=IsvDeal.objects.visible_to(actor))


class Invoice(models.Model):
    """An issued invoice or credit note. Never changed: the database refuses it (portal.database, and a trigger)."""

    class Kind(models.TextChoices):
        INVOICE = states.INVOICE, _("Invoice")
        CREDIT_NOTE = states.CREDIT_NOTE, _("Credit note")

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices, default=Kind.INVOICE)
    #: Without gaps within its series (ISV-6).
    number = models.CharField(_("number"), max_length=30, unique=True)
    deal = models.ForeignKey(IsvDeal, on_delete=models.PROTECT, related_name="invoices")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    #: The contract year it is for; a credit note repeats it.
    year = models.PositiveSmallIntegerField(_("contract year"))
    #: The invoice that a credit note takes back in full, once (ISV-5).
    credits = models.OneToOneField("self", on_delete=models.PROTECT, related_name="credited_by", null=True, blank=True)
    first_day = models.DateField()
    last_day = models.DateField()
    share = models.DecimalField(max_digits=18, decimal_places=2)
    percent = models.DecimalField(max_digits=6, decimal_places=3)
    #: What is to be paid, or is credited (below zero).
    amount = models.DecimalField(_("amount"), max_digits=18, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3)
    amount_usd = models.DecimalField(max_digits=20, decimal_places=2)
    issued_at = models.DateTimeField(_("issued (UTC)"))
    #: The run of the workers that issued it; null for a credit note.
    run = models.ForeignKey(InvoiceRun, on_delete=models.PROTECT, related_name="invoices", null=True)
    #: Names and addresses as they were: of the vendor, the company, its location, the customer and the solution.
    parties = models.JSONField(default=dict)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        indexes = [models.Index(fields=["company", "-issued_at", "-id"], name="isvconnect_invoice_list")]
        constraints = [
            models.UniqueConstraint(
                fields=["deal", "year"], condition=models.Q(kind=states.INVOICE), name="isvconnect_invoice_year"
            ),
            models.CheckConstraint(
                condition=models.Q(kind=states.INVOICE, credits=None, amount__gte=0)
                | models.Q(kind=states.CREDIT_NOTE, credits__isnull=False, amount__lte=0),
                name="isvconnect_invoice_kind",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def is_credit_note(self) -> bool:
        return self.kind == self.Kind.CREDIT_NOTE
