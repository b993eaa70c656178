"""The tables of deal registration."""

from __future__ import annotations

from dealreg.models.draft import RegistrationDraft
from dealreg.models.registration import DECIDED, NOT_REGISTERED, OUTCOMES, Registration, RegistrationQuerySet, Status
from dealreg.models.waiver import Waiver

__all__ = [
    "DECIDED",
    "NOT_REGISTERED",
    "OUTCOMES",
    "Registration",
    "RegistrationDraft",
    "RegistrationQuerySet",
    "Status",
    "Waiver",
]
