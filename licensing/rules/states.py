"""The states of invitations and of relationships by name (LIC-1, LIC-6, LIC-7)."""

from __future__ import annotations

from portal.workflow.blockers import _

SENT = "sent"
ACCEPTED = "accepted"
REFUSED = "refused"
WITHDRAWN = "withdrawn"
EXPIRED = "expired"

INVITATION_STATES = {
    SENT: _("Waiting for the customer"),
    ACCEPTED: _("Accepted"),
    REFUSED: _("Refused"),
    WITHDRAWN: _("Withdrawn"),
    EXPIRED: _("Expired"),
}

CONSENTED = "consented"
REVOKED = "revoked"

RELATIONSHIP_STATES = {CONSENTED: _("Consented"), REVOKED: _("Consent taken back")}
