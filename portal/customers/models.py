"""The customer directory (REF-5)."""

from __future__ import annotations

import uuid6
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from portal.accounts.models import Company
from portal.customers import rules

_LENGTHS = rules.LENGTHS


class CustomerQuerySet(models.QuerySet["Customer"]):
    def seen_by(self, company_id: int) -> CustomerQuerySet:
        """The directory as a company sees it: without what others named and nobody confirmed, or that was merged."""
        waiting = models.Q(confirmed_at=None, added_by__isnull=False) & ~models.Q(added_by=company_id)
        return self.filter(merged_into=None).exclude(waiting)

    def suggest(self, country: str, text: str, limit: int = 20) -> CustomerQuerySet:
        """The first customers, by name, of a country whose names begin with the text, however it is spelt (REF-5).

        Read off one index in its order, so it costs the same in a directory of a thousand or a million.
        """
        return self.filter(country=country.upper()).named(text)[:limit]

    def named(self, text: str) -> CustomerQuerySet:
        """Those whose names begin with the text, by name; over all countries another index gives that order."""
        beginning = rules.search_text(text)
        if not beginning:
            return self.none()
        return self.filter(search_text__startswith=beginning).order_by("search_text", "pk")


class Customer(models.Model):
    """One entity of a customer company, told from its sisters by city, address and D-U-N-S number."""

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=_LENGTHS["name"])
    country = models.CharField(_("country"), max_length=_LENGTHS["country"])
    city = models.CharField(_("city"), max_length=_LENGTHS["city"], blank=True)
    state = models.CharField(pgettext_lazy("of an address", "state"), max_length=_LENGTHS["state"], blank=True)
    postal_code = models.CharField(_("postal code"), max_length=_LENGTHS["postal_code"], blank=True)
    address_line1 = models.CharField(_("address"), max_length=_LENGTHS["address_line1"], blank=True)
    address_line2 = models.CharField(_("address, second line"), max_length=_LENGTHS["address_line2"], blank=True)
    duns = models.CharField(_("D-U-N-S number"), max_length=_LENGTHS["duns"], blank=True)
    #: Decides ELIG-4, so each change of it is an event.
    managed = models.BooleanField(_("managed by the vendor"), default=False)
    #: The company whose client named it in the API, as the directory had none like it; null for the programme's own.
    added_by = models.ForeignKey(
        Company, verbose_name=_("added by"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    #: When the programme took such an entry into the directory; until then only its company sees it.
    confirmed_at = models.DateTimeField(_("confirmed (UTC)"), null=True, blank=True, editable=False)
    #: Where the programme found that it is another entry; deals went there.
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        verbose_name=_("merged into"),
    )
    #: See rules.import_key. Unique by constraint: unique=True would add a second index for LIKE.
    import_key = models.TextField(editable=False)
    #: The folded name; compared by code point, so that the index serves both "begins with" and the order.
    search_text = models.TextField(db_collation="C", editable=False)
    created_at = models.DateTimeField(_("created at (UTC)"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at (UTC)"), auto_now_add=True)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = [
            models.UniqueConstraint(fields=["import_key"], name="customers_customer_key"),
            models.CheckConstraint(condition=~models.Q(name=""), name="customers_customer_named"),
            models.CheckConstraint(condition=models.Q(country__regex=r"^[A-Z]{2}$"), name="customers_customer_country"),
            models.CheckConstraint(
                condition=models.Q(duns="") | models.Q(duns__regex=r"^[0-9]{9}$"), name="customers_customer_duns"
            ),
        ]
        indexes = [
            models.Index(fields=["country", "search_text", "id"], name="customers_customer_suggest"),
            models.Index(fields=["search_text", "id"], name="customers_customer_by_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def confirmed(self) -> bool:
        """Whether the programme knows it; what a company named itself waits for that."""
        return self.added_by_id is None or self.confirmed_at is not None

    def is_seen_by(self, company_id: int | None) -> bool:
        """What `seen_by` finds, asked of one entry."""
        return self.merged_into_id is None and (self.confirmed or self.added_by_id == company_id)

    @property
    def place(self) -> str:
        """Address, city, state and country on one line, to tell entities of one name apart (REF-5)."""
        parts = (self.address_line1, self.address_line2, f"{self.postal_code} {self.city}".strip(), self.state)
        return ", ".join(part for part in (*parts, self.country) if part)
