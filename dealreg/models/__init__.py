"""The tables of deal registration."""

from __future__ import annotations

from dealreg.models.marketplace import MarketplaceTransaction
from dealreg.models.registration import (
    DECIDED,
    NOT_REGISTERED,
    OUTCOMES,
    REPLACED,
    Registration,
    RegistrationQuerySet,
    Status,
    Validation,
)
from dealreg.models.sample import Sample

__all__ = [
    "DECIDED",
    "NOT_REGISTERED",
    "OUTCOMES",
    "REPLACED",
    "MarketplaceTransaction",
    "Registration",
    "RegistrationQuerySet",
    "Sample",
    "Status",
    "Validation",
]
