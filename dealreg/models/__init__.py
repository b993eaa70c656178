"""The tables of deal registration."""

from __future__ import annotations

from dealreg.models.marketplace import MarketplaceTransaction
from dealreg.models.registration import DECIDED, NOT_REGISTERED, OUTCOMES, Registration, RegistrationQuerySet, Status

__all__ = [
    "DECIDED",
    "NOT_REGISTERED",
    "OUTCOMES",
    "MarketplaceTransaction",
    "Registration",
    "RegistrationQuerySet",
    "Status",
]
