"""Marketplace transactions, as the marketplace reports them (FLOW-3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from django.conf import settings
from django.db import connection, models
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

from dealreg.models.registration import Registration
from dealreg.rules import marketplace as rules
from portal.accounts.models import Company
from portal.catalog.models import Solution
from portal.customers.models import Customer

_FREE = models.Q(registration=None, voided_at=None)


class MarketplaceTransactionQuerySet(models.QuerySet["MarketplaceTransaction"]):
    def free(self) -> MarketplaceTransactionQuerySet:
        """Neither matched nor voided."""
        return self.filter(_FREE)

    def fitting(self, registration: Registration, first: date, last: date) -> MarketplaceTransactionQuerySet:
        """Free ones of the registration's sale within these days, the nearest to its estimated date first."""
        found = self.free().filter(
            company_id=registration.referral.company_id,
            customer_id=registration.referral.engagement.customer_id,
            solution=registration.solution,
            date__range=(first, last),
        )
        expected = models.Value(registration.marketplace_date, models.DateField())
        distance = Greatest(models.F("date") - expected, expected - models.F("date"))
        return found.order_by(distance, "date", "pk")

    def give(self, found: Mapping[int, int]) -> None:
        """Match transactions to registrations, given as keys by registration; one statement for all."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE dealreg_marketplacetransaction t SET registration_id = given.registration_id
                FROM unnest(%s::bigint[], %s::bigint[]) AS given (registration_id, id) WHERE t.id = given.id
                """,
                [list(found), list(found.values())],
            )


class MarketplaceTransaction(models.Model):
    """A sale on the marketplace. Never deleted; a wrong one is voided while no registration has it."""

    class Source(models.TextChoices):
        ADMIN = "admin", _("Administration")
        CSV = "csv", _("CSV file")
        API = "api", _("API client")

    transaction_id = models.CharField(_("transaction id"), max_length=rules.MAX_ID_LENGTH, unique=True)
    company = models.ForeignKey(Company, verbose_name=_("partner"), on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, verbose_name=_("customer"), on_delete=models.PROTECT, related_name="+")
    solution = models.ForeignKey(Solution, verbose_name=_("solution"), on_delete=models.PROTECT, related_name="+")
    date = models.DateField(_("date"))
    amount = models.DecimalField(_("amount"), max_digits=18, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3)
    note = models.TextField(_("note"), blank=True, max_length=1000)
    source = models.CharField(_("source"), max_length=10, choices=Source.choices)
    created_at = models.DateTimeField(_("created at (UTC)"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("added by"), on_delete=models.PROTECT, null=True, related_name="+"
    )
    registration = models.OneToOneField(
        Registration,
        verbose_name=_("deal registration"),
        on_delete=models.PROTECT,
        null=True,
        related_name="marketplace_transaction",
    )
    #: The worker doesn't give it back to the registration it was last taken from.
    released_from = models.ForeignKey(Registration, on_delete=models.PROTECT, null=True, related_name="+")
    voided_at = models.DateTimeField(_("voided at (UTC)"), null=True)
    void_reason = models.TextField(_("why it was voided"), blank=True, max_length=1000)

    objects = MarketplaceTransactionQuerySet.as_manager()

    class Meta:
        verbose_name = _("marketplace transaction")
        verbose_name_plural = _("marketplace transactions")
        indexes = [
            models.Index(
                fields=["customer", "company", "solution", "date"], condition=_FREE, name="dealreg_marketplace_free"
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="dealreg_marketplace_amount"),
            models.CheckConstraint(
                condition=models.Q(currency__regex=r"^[A-Z]{3}$"), name="dealreg_marketplace_currency"
            ),
            models.CheckConstraint(
                condition=models.Q(voided_at=None, void_reason="")
                | (models.Q(voided_at__isnull=False, registration=None) & ~models.Q(void_reason="")),
                name="dealreg_marketplace_voided",
            ),
        ]

    def __str__(self) -> str:
        return self.transaction_id

    @property
    def sale(self) -> rules.Sale:
        return self.company_id, self.customer_id, self.solution_id
