"""The tables of deal registration."""

from __future__ import annotations

from dealreg.models.draft import RegistrationDraft
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
from dealreg.models.waiver import Waiver

__all__ = [
    "DECIDED",
    "NOT_REGISTERED",
    "OUTCOMES",
    "REPLACED",
    "Registration",
    "RegistrationDraft",
    "RegistrationQuerySet",
    "Sample",
    "Status",
    "Validation",
    "Waiver",
]
