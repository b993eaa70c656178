"""Random samples of approved registrations, kept so that each choice can be replayed (FLOW-4)."""

from __future__ import annotations

from django.db import models


class Sample(models.Model):
    """One draw: the seed decides for each registration that takes part whether it is chosen (dealreg.rules.sample)."""

    at = models.DateTimeField()
    seed = models.CharField(max_length=64)
    percent = models.PositiveSmallIntegerField()
    policy_version = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} · {self.percent} %"
