"""What an approved exception lets through for one deal (ELIG-8, REG-12)."""

from __future__ import annotations

from datetime import UTC, datetime

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

    class Meta:
        verbose_name = _("waiver")
        verbose_name_plural = _("waivers")

    def __str__(self) -> str:
        return f"{self.referral_id} · {self.until}"

    def covers(self, at: datetime) -> bool:
        """Whether it was open at that instant (EXC-12)."""
        return self.granted_at <= at and at.astimezone(UTC).date() <= self.until
