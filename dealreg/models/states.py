"""The states of a registration, and what some of them lead to or bring back."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from dealreg.rules import states


class Status(models.TextChoices):
    REGISTRATION_PENDING = states.REGISTRATION_PENDING, _("Registration (Pending)")
    APPROVED = states.APPROVED, _("Approved")
    REVIEW_PENDING = states.REVIEW_PENDING, _("Review (Pending)")
    ACTION_REQUIRED = states.ACTION_REQUIRED, _("Action required")
    REVIEW_PASSED = states.REVIEW_PASSED, _("Review (Passed)")
    REVIEW_FAILED = states.REVIEW_FAILED, _("Review (Failed)")
    MARKETPLACE_PENDING = states.MARKETPLACE_PENDING, _("Marketplace validation (Pending)")
    MARKETPLACE_PASSED = states.MARKETPLACE_PASSED, _("Marketplace validation (Passed)")
    MARKETPLACE_FAILED = states.MARKETPLACE_FAILED, _("Marketplace validation (Failed)")
    CLOSED = states.CLOSED, _("Closed")


class Validation(models.TextChoices):
    """By what a reviewer found the claim true (FLOW-10)."""

    FIGURES = "figures", _("The figures")
    POE = "poe", _("Proof of execution, the contract documents")
    DCF = "dcf", _("Deal confirmation form")


#: What *close* may leave, and so what a closed registration's outcome may be besides not_registered.
DECIDED = (
    Status.APPROVED,
    Status.REVIEW_PASSED,
    Status.REVIEW_FAILED,
    Status.MARKETPLACE_PASSED,
    Status.MARKETPLACE_FAILED,
)
NOT_REGISTERED = states.NOT_REGISTERED
OUTCOMES = {
    NOT_REGISTERED: _("Not registered"),
    **{s.value: s.label for s in DECIDED},
    states.REPLACED: _("Replaced by another"),
}
#: Where retracting a decision may lead: the states that one decides from.
RETRACTED = (Status.REVIEW_PENDING, Status.MARKETPLACE_PENDING, Status.ACTION_REQUIRED)
#: What a revalidation changes, and closing without its success brings back (PAYG-3).
BY_REVALIDATION = (
    "tcv",
    "solution_value",
    "end",
    "acv",
    "acv_usd",
    "tcv_usd",
    "solution_value_usd",
    "rates",
    "policy_version",
    "route_reasons",
    "validated_by",
    "decided_from",
    "submitted_at",
    "submitted_by_id",
    "approved_at",
    "decided_at",
)
#: What a correction after an exception changes besides, and what closing without a new decision brings back (EXC-12).
BY_REOPENING = (*BY_REVALIDATION, "term", "tcv_currency", "signed", "start", "reason_code", "comment")
