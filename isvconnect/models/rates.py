"""What the programme charges for a sale, by the solution's incentive tag (ISV-6)."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.catalog import rules as catalog


class Tag(models.TextChoices):
    STANDARD = catalog.STANDARD, _("Standard")
    PREMIUM = catalog.PREMIUM, _("Premium")


class FeeRate(models.Model):
    """The fee on a solution's value from a day on, until a later row of the same tag. None ships as fact."""

    tag = models.CharField(_("incentive"), max_length=10, choices=Tag.choices)
    effective_from = models.DateField(
        _("in force from"), help_text=_("For contracts signed on this day or later (UTC).")
    )
    percent = models.DecimalField(
        _("fee, percent"),
        max_digits=6,
        decimal_places=3,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
    )

    class Meta:
        verbose_name = _("fee rate")
        verbose_name_plural = _("fee rates")
        constraints = [
            models.UniqueConstraint(fields=["tag", "effective_from"], name="isvconnect_feerate_from"),
            models.CheckConstraint(condition=models.Q(tag__in=Tag.values), name="isvconnect_feerate_tag"),
            models.CheckConstraint(
                condition=models.Q(percent__gte=0, percent__lte=100), name="isvconnect_feerate_percent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_tag_display()} · {self.effective_from} · {self.percent} %"
