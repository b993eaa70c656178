"""The vocabulary of registrations (FLOW): states, their wire tokens, and the reasons a reviewer gives."""

from __future__ import annotations

from collections.abc import Mapping

from portal.workflow.blockers import Blocker, _

REGISTRATION_PENDING = "registration_pending"
APPROVED = "approved"
REVIEW_PENDING = "review_pending"
ACTION_REQUIRED = "action_required"
REVIEW_PASSED = "review_passed"
REVIEW_FAILED = "review_failed"
MARKETPLACE_PENDING = "marketplace_pending"
MARKETPLACE_PASSED = "marketplace_passed"
MARKETPLACE_FAILED = "marketplace_failed"
CLOSED = "closed"
#: How a registration ends that was withdrawn, or never filed.
NOT_REGISTERED = "not_registered"
#: How one ends in whose place another registration was approved (EXC-13).
REPLACED = "replaced"

#: The states of a registration, in the order of FLOW, with the names people read.
REGISTRATION_STATES: Mapping[str, str] = {
    REGISTRATION_PENDING: _("Registration (Pending)"),
    APPROVED: _("Approved"),
    REVIEW_PENDING: _("Review (Pending)"),
    ACTION_REQUIRED: _("Action required"),
    REVIEW_PASSED: _("Review (Passed)"),
    REVIEW_FAILED: _("Review (Failed)"),
    MARKETPLACE_PENDING: _("Marketplace validation (Pending)"),
    MARKETPLACE_PASSED: _("Marketplace validation (Passed)"),
    MARKETPLACE_FAILED: _("Marketplace validation (Failed)"),
    CLOSED: _("Closed"),
}

#: How a decision ended for the partner; of a closed registration its outcome says it.
GOOD = (APPROVED, REVIEW_PASSED, MARKETPLACE_PASSED)
BAD = (REVIEW_FAILED, MARKETPLACE_FAILED)

#: What the partner can have checked again at a new value, as a state or as the outcome (FLOW-6).
REVALIDATED = (APPROVED, REVIEW_PASSED)

#: What the API calls them (F7.4); the marketplace tokens are our own.
WIRE_TOKENS: Mapping[str, str] = {
    REGISTRATION_PENDING: "None",
    APPROVED: "Approved",
    REVIEW_PENDING: "ReviewPending",
    ACTION_REQUIRED: "ActionRequired",
    REVIEW_PASSED: "Passed",
    REVIEW_FAILED: "Failed",
    MARKETPLACE_PENDING: "MarketplaceValidationPending",
    MARKETPLACE_PASSED: "MarketplaceValidationPassed",
    MARKETPLACE_FAILED: "MarketplaceValidationFailed",
    CLOSED: "Closed",
}
#: And what they call a closed registration's outcome.
WIRE_OUTCOMES: Mapping[str, str] = {
    NOT_REGISTERED: "NotRegistered",
    REPLACED: "Replaced",
    **{state: WIRE_TOKENS[state] for state in (APPROVED, REVIEW_PASSED, REVIEW_FAILED)},
    **{state: WIRE_TOKENS[state] for state in (MARKETPLACE_PASSED, MARKETPLACE_FAILED)},
}

#: Why a review or a marketplace validation fails: final, so only what the partner can't put right.
FAIL_REASONS: Mapping[str, str] = {
    "duplicate_registration": _("The same sale has been registered already."),
    "contract_missing_names": _("The signed contract doesn't name your company and the eligible solution."),
    "not_deployed_on_azure": _("The solution is not deployed on Azure."),
    "value_below_minimum": _("The documents show an annual contract value that is too low for registration."),
    "signed_before_sharing": _("The contract was signed before the deal was shared."),
    "won_too_early": _("The deal was created only when the sale was already won."),
    "evidence_missing": _("The evidence asked for was not provided."),
    "no_marketplace_transaction": _("No marketplace transaction matches this registration."),
    "other": _("Another reason, given in the comment."),
}

#: Why a registration goes back to the partner: what the partner can correct and send again.
ACTION_REASONS: Mapping[str, str] = {
    "dates_do_not_match_contract": _("The dates don't match the signed contract."),
    "value_does_not_match_contract": _("The contract value doesn't match the signed contract."),
    "term_does_not_match_contract": _("The term, perpetual or finite, doesn't match the signed contract."),
    "hardware_in_value": _("The contract value includes hardware, which doesn't count."),
    "contract_missing_names": _("The document doesn't name your company and the eligible solution."),
    "evidence_missing": _("Proof is missing: add the signed contract or the invoices under Documents."),
    "marketplace_transaction_unclear": _("The marketplace transaction can't be told from the details given."),
    "other": _("Another reason, given in the comment."),
}

#: Why it is with the partner again, where no reviewer sent it back (EXC-9).
REOPENED = "exception_approved"
_REOPENED_REASON = _("The exception council approved a correction of the contract details.")

#: Why it failed where nobody answered (FLOW, fail_unanswered); what was asked stays beside it.
UNANSWERED = Blocker("unanswered", _("The correction asked for was not sent in time."), "FLOW")


def decision_text(code: str, *, status: str, decided_from: str) -> str:
    """The msgid of the last decision's reason; where nobody answered in time, of what had been asked (FLOW-5)."""
    if not code:
        return ""
    asked = ACTION_REQUIRED in (status, decided_from)
    return reason_text(code, status=ACTION_REQUIRED if asked else status)


def reason_text(code: str, *, status: str) -> str:
    """The text of a reason code in this state: failing and sending back share some codes (FLOW-5)."""
    first, second = FAIL_REASONS, ACTION_REASONS
    if status == ACTION_REQUIRED:
        first, second = second, first
    return _REOPENED_REASON if code == REOPENED else first.get(code) or second.get(code, code)
