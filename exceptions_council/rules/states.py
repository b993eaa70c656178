"""The vocabulary of exceptions (EXC-2, EXC-6, EXC-8): kinds, states, votes, and how people read them."""

from __future__ import annotations

from collections.abc import Mapping

from portal.workflow.blockers import _

PRE_REGISTRATION = "pre_registration"
REJECTED = "rejected"
UPDATE = "update"
REREGISTRATION = "reregistration"

#: The kinds of requests, in the order in which they are offered (EXC-2).
KINDS: Mapping[str, str] = {
    PRE_REGISTRATION: _("Pre-registration"),
    REJECTED: _("Rejected registration"),
    UPDATE: _("Update of a registration"),
    REREGISTRATION: _("Re-registration"),
}
#: What each is for, as the form says.
KIND_HELP: Mapping[str, str] = {
    PRE_REGISTRATION: _("The deal is won, but can't be registered as things stand."),
    REJECTED: _("The registration was rejected, and is closed."),
    UPDATE: _("The registration was submitted, and contract details have to change."),
    REREGISTRATION: _("This deal is to replace another one that was registered before."),
}
#: What approving opens: a registration to file, or the one there is to be corrected (EXC-9).
OPENS_REGISTRATION = (PRE_REGISTRATION, REREGISTRATION)

SUBMITTED = "submitted"
IN_REVIEW = "in_review"
EVIDENCE_REQUESTED = "evidence_requested"
APPROVED = "approved"
DENIED = "denied"

#: The states of a request (EXC-6), with the names people read.
STATES: Mapping[str, str] = {
    SUBMITTED: _("Submitted"),
    IN_REVIEW: _("With the council"),
    EVIDENCE_REQUESTED: _("Evidence requested"),
    APPROVED: _("Approved"),
    DENIED: _("Denied"),
}
OPEN = (SUBMITTED, IN_REVIEW, EVIDENCE_REQUESTED)
FINAL = (APPROVED, DENIED)

APPROVE, DENY = "approve", "deny"
#: What a member votes (EXC-8).
CHOICES: Mapping[str, str] = {APPROVE: _("Approve"), DENY: _("Deny")}

#: Who decides, as waivers and pages name it.
COUNCIL = _("The exception council")
