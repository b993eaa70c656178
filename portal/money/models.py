"""Monthly rates of currencies to the US dollar (FX-1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import reduce
from operator import or_

from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.money import rules


class MonthlyRateQuerySet(models.QuerySet["MonthlyRate"]):
    def usable_in(self, month: date, *, max_age_months: int) -> MonthlyRateQuerySet:
        """Per currency the rate of the month, or the latest published one at most so many months back (FX-2)."""
        month = rules.month_start(month)
        oldest = rules.add_months(month, -max_age_months)
        return self.filter(month__range=(oldest, month)).order_by("currency", "-month").distinct("currency")

    def of(self, currencies: Iterable[str]) -> MonthlyRateQuerySet:
        return self.filter(currency__in=list(currencies))

    def latest_of_each_source(self) -> MonthlyRateQuerySet:
        """The newest month of each source: a currency that is missing there is no longer published by it.

        Asks at once for the handful of newest months, so that what it returns is two index lookups a source.
        """
        newest = self.order_by().values_list("source").annotate(newest=models.Max("month"))
        wanted = [models.Q(source=source, month=month) for source, month in newest]
        return self.filter(reduce(or_, wanted)) if wanted else self.none()


class MonthlyRate(models.Model):
    """USD per unit of a currency in one month. The dollar itself has no rows: it is always 1."""

    currency = models.CharField(_("currency"), max_length=3)
    #: The month's first day.
    month = models.DateField(_("month"))
    usd_per_unit = models.DecimalField(_("USD per unit"), max_digits=24, decimal_places=12)
    #: ecb, upload, carried (demo data: an earlier month repeated), or whoever else supplied it.
    source = models.CharField(_("source"), max_length=20)
    publication = models.CharField(_("publication"), max_length=200, blank=True)
    imported_at = models.DateTimeField(_("imported at (UTC)"))

    objects = MonthlyRateQuerySet.as_manager()

    class Meta:
        verbose_name = _("monthly rate")
        verbose_name_plural = _("monthly rates")
        constraints = [
            models.UniqueConstraint(fields=["currency", "month"], name="money_monthlyrate_once"),
            models.CheckConstraint(condition=models.Q(usd_per_unit__gt=0), name="money_monthlyrate_positive"),
            models.CheckConstraint(condition=models.Q(month__day=1), name="money_monthlyrate_first_of_month"),
            models.CheckConstraint(
                condition=models.Q(currency__regex=r"^[A-Z]{3}$") & ~models.Q(currency=rules.USD),
                name="money_monthlyrate_currency",
            ),
        ]
        indexes = [models.Index(fields=["source", "month"], name="money_monthlyrate_source")]

    def __str__(self) -> str:
        return f"{self.currency} {self.month:%Y-%m}"

    def as_rate(self) -> rules.Rate:
        return rules.Rate(self.currency, self.month, self.usd_per_unit)
