"""The words of the wire for exceptions: the API's tokens for our own."""

from __future__ import annotations

from collections.abc import Mapping

from exceptions_council.rules import states

KINDS: Mapping[str, str] = {
    states.PRE_REGISTRATION: "PreRegistration",
    states.REJECTED: "Rejected",
    states.UPDATE: "Update",
    states.REREGISTRATION: "Reregistration",
}
STATUSES: Mapping[str, str] = {
    states.SUBMITTED: "Submitted",
    states.IN_REVIEW: "InReview",
    states.EVIDENCE_REQUESTED: "EvidenceRequested",
    states.APPROVED: "Approved",
    states.DENIED: "Denied",
}
_SOLUTION = "solutionDetails/0"
#: Where each field of the form stands on the wire.
TARGETS: Mapping[str, str] = {
    "kind": "kind",
    "justification": "justification",
    "term": "contract/term",
    "tcv": "contract/value",
    "tcv_currency": "contract/currency",
    "signed": "contract/signDateTime",
    "start": "contract/startDateTime",
    "end": "contract/endDateTime",
    "old_deal": "replacesReferralId",
    "tooling_error": "isToolingError",
    "tickets": "supportTickets",
    "tenant": f"{_SOLUTION}/primaryDeploymentOn",
    "deployment": f"{_SOLUTION}/isDeployedOnAzure",
    "solution_value": f"{_SOLUTION}/value",
    "pricing": f"{_SOLUTION}/pricingModel",
    "marketplace": f"{_SOLUTION}/marketplaceTransactionDetails/isMarketplaceTransacted",
    "marketplace_date": f"{_SOLUTION}/marketplaceTransactionDetails/marketplaceTransactionDateTime",
    "customer": "customerProfile",
}
