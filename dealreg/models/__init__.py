"""The tables of deal registration."""

from dealreg.models.document import Document, DocumentQuerySet, storage
from dealreg.models.draft import CompanyDraft, RegistrationDraft
from dealreg.models.marketplace import MarketplaceTransaction
from dealreg.models.registration import Registration, RegistrationQuerySet
from dealreg.models.sample import Sample
from dealreg.models.states import (
    BY_REOPENING,
    BY_REVALIDATION,
    DECIDED,
    NOT_REGISTERED,
    OUTCOMES,
    Status,
    Validation,
)
from dealreg.models.waiver import Waiver
