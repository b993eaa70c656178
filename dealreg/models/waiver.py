"""What an approved exception lets through for one deal (ELIG-8, REG-12)."""

from __future__ import annotations

from datetime import UTC, date, datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from referrals.models import Referral


class Waiver(models.Model):
    """An approved exception: it stands in for unmet criteria, and for so long waives what REG-12 names."""

    referral = models.OneToOneField(Referral, on_delete=models.PROTECT, related_name="waiver")
    granted_by = models.CharField(max_length=200)
    granted_at = models.DateTimeField()
    #: The last day (UTC) on which it waives what is submitted (EXC-12).
    until = models.DateField()
    #: What was approved, as far as it was asked for: term, tcv, tcv_currency, signed, start and end, by their columns'
    #: names; dates as ISO 8601, an end of none as null (AUTO-6, EXC-9).
    approved = models.JSONField(default=dict)
    #: The deal whose registration this one's replaces (EXC-13).
    replaces = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="replaced_by", null=True)

    class Meta:
        verbose_name = _("waiver")
        verbose_name_plural = _("waivers")

    def __str__(self) -> str:
        return f"{self.referral_id} · {self.until}"

    @property
    def dates(self) -> dict[str, date | None]:
        """The contract's dates that were approved, of those that were asked for (AUTO-6)."""
        given = {name: self.approved[name] for name in ("signed", "start", "end") if name in self.approved}
        return {name: date.fromisoformat(day) if day else None for name, day in given.items()}

    def covers(self, at: datetime) -> bool:
        """Whether it was open at that instant (EXC-12)."""
        return self.granted_at <= at and at.astimezone(UTC).date() <= self.until
