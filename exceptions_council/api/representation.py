"""A request for an exception as the API shows it, and the property `exception` of its referral."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dealreg.api.representation import TERMS
from exceptions_council.api.tokens import KINDS, STATUSES
from exceptions_council.models import FINAL, ExceptionRequest
from exceptions_council.selectors.council import tally_of
from portal.accounts.rules import Actor
from portal.api.http.errors import detail
from portal.api.http.etags import etag_of
from portal.api.http.json import instant, midnight, plain
from portal.policy.rules import Policy
from portal.workflow.blockers import from_json
from referrals.api.parts import PARTS, Part

#: The columns of what a referral says of its request.
BRIEF = ("public_id", "kind", "status", "created_at", "due_on", "decided_at", "open_until")
COLUMNS = (
    *BRIEF,
    *("version", "updated_at", "justification", "term", "tcv", "tcv_currency", "signed", "start", "end"),
    *("tooling_error", "tickets", "refusals", "evidence_due_at", "replaces__public_id"),
    *("referral__public_id", "referral__engagement__public_id"),
    *("referral__company__public_id", "referral__company__name"),
)
NONE_ASKED: Mapping[str, Any] = {"exception": None}


def of_referrals(referral_ids: Sequence[int], actor: Actor) -> dict[int, dict[str, Any]]:
    """What these referrals say of their requests, by their keys; one query. The company's own only (ORG-6)."""
    found = ExceptionRequest.objects.filter(referral__in=referral_ids, referral__company_id=actor.own_company_id)
    return {row["referral_id"]: {"exception": _brief(row)} for row in found.values("referral_id", *BRIEF)}


def _brief(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": plain(row["public_id"]),
        "kind": KINDS[row["kind"]],
        "status": STATUSES[row["status"]],
        "createdDateTime": instant(row["created_at"]),
        "dueDateTime": midnight(row["due_on"]),
        "decidedDateTime": instant(row["decided_at"]),
        "openUntilDateTime": midnight(row["open_until"]),
    }


def resource(row: Mapping[str, Any]) -> dict[str, Any]:
    """A request as lists have it."""
    return {
        **_brief(row),
        "eTag": etag_of(row["version"]),
        "referralId": plain(row["referral__public_id"]),
        "engagementId": plain(row["referral__engagement__public_id"]),
        "organizationId": plain(row["referral__company__public_id"]),
        "organizationName": row["referral__company__name"],
        "justification": row["justification"],
        "contract": {
            "value": row["tcv"],
            "currency": row["tcv_currency"] or None,
            "term": TERMS.get(row["term"]),
            "signDateTime": midnight(row["signed"]),
            "startDateTime": midnight(row["start"]),
            "endDateTime": midnight(row["end"]),
        },
        "replacesReferralId": plain(row["replaces__public_id"]),
        "isToolingError": row["tooling_error"],
        "supportTickets": row["tickets"] or None,
        "refusals": [detail(from_json(reason)) for reason in row["refusals"]],
        "updatedDateTime": instant(row["updated_at"]),
        "evidenceDueDateTime": instant(row["evidence_due_at"]),
    }


def whole(row: Mapping[str, Any], request: ExceptionRequest, policy: Policy) -> dict[str, Any]:
    """A request by itself; votes only as counts (EXC-8)."""
    return {
        **resource(row),
        "evidence": [
            {
                "text": one.text,
                "askedDateTime": instant(one.asked_at),
                "dueDateTime": midnight(one.due_on),
                "answer": one.answer or None,
                "answeredDateTime": instant(one.answered_at),
                "unansweredDateTime": instant(one.unanswered_at),
            }
            for one in request.evidence.order_by("pk")
        ],
        "votes": _votes(request, policy),
        "letters": list(request.letters.order_by("pk").values("language", "subject", "body")),
    }


def _votes(request: ExceptionRequest, policy: Policy) -> dict[str, Any]:
    """Once it is decided, how they voted, too."""
    found = tally_of(request, policy)
    final = request.status in FINAL
    counts = {"approve": found.approve if final else None, "deny": found.deny if final else None}
    return {"given": found.given, "needed": policy.exception_quorum, **counts}


PARTS.add("exception", Part(NONE_ASKED, of_referrals), order=20)
