"""The words of the wire for consents and licences: the API's tokens for our own."""

from __future__ import annotations

from collections.abc import Mapping

from licensing.rules import CONSENT_REVOKED, DEAL_CANCELLED, states

INVITATIONS: Mapping[str, str] = {
    states.SENT: "Sent",
    states.ACCEPTED: "Accepted",
    states.REFUSED: "Refused",
    states.WITHDRAWN: "Withdrawn",
    states.EXPIRED: "Expired",
}
RELATIONSHIPS: Mapping[str, str] = {states.CONSENTED: "Consented", states.REVOKED: "Revoked"}
FROZEN: Mapping[str, str] = {DEAL_CANCELLED: "DealCancelled", CONSENT_REVOKED: "ConsentRevoked"}
#: Where each input of the verbs stands on the wire.
TARGETS: Mapping[str, str] = {
    "relationship": "relationshipId",
    "confirmed_other_customer": "otherCustomerConfirmed",
    "counts": "licenses",
    "plan": "planId",
    "confirmed": "confirmedAssignments",
}
