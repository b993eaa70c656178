"""The tables of deal registration."""

from __future__ import annotations

from dealreg.models.document import Document, DocumentQuerySet, storage
from dealreg.models.registration import DECIDED, NOT_REGISTERED, OUTCOMES, Registration, RegistrationQuerySet, Status

__all__ = [
    "DECIDED",
    "NOT_REGISTERED",
    "OUTCOMES",
    "Document",
    "DocumentQuerySet",
    "Registration",
    "RegistrationQuerySet",
    "Status",
    "storage",
]
