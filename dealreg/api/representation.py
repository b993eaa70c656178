"""A registration as the API shows it (F1.7), from rows of columns: no model for any of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext

from dealreg.models import Registration
from dealreg.rules import states
from portal.accounts.rules import Actor
from portal.api.http.etags import etag_of
from portal.api.http.json import instant, midnight, plain
from portal.workflow import text
from portal.workflow.blockers import from_json
from referrals.api.parts import PARTS, Part

AZURE_IP_CO_SELL = "AzureIPCoSell"

#: Our answers, and the API's tokens for them.
TERMS = {"perpetual": "Perpetual", "finite": "Finite"}
TENANTS = {"customer": "Customer", "partner": "Partner"}
PRICING = {"payg": "PayAsYouGo", "other": "Other"}

#: The columns of what the partner states.
STATED = (
    *("solution__code", "solution__name", "renews__public_id", "marketplace", "marketplace_date", "deployment", "term"),
    *("tcv", "tcv_currency", "solution_value", "solution_value_currency", "payg_year_value", "signed", "start", "end"),
    *("tenant", "pricing", "contract_names_confirmed"),
)
#: The columns of a registration in its referral, and of one by itself.
COLUMNS = (
    *STATED,
    *("public_id", "status", "outcome", "reason_code", "comment", "decided_from", "route_reasons"),
    *("acv", "acv_usd", "rates", "first_submitted_at", "submitted_at"),
    *("review_pending_at", "action_required_at", "approved_at", "decided_at", "closed_at"),
)
OWN_COLUMNS = (
    *COLUMNS,
    *("referral__company__public_id", "referral__company__name"),
    *("referral__public_id", "referral__engagement__public_id", "version", "created_at", "updated_at"),
    *("action_due_at", "close_due_at"),
)

_PASSED = frozenset({states.REVIEW_PASSED, states.MARKETPLACE_PASSED})
_WAITS = frozenset({states.REVIEW_PENDING, states.MARKETPLACE_PENDING})

#: What a referral says of registrations until one is submitted.
NONE_SUBMITTED: Mapping[str, Any] = {
    "registrations": [],
    "registrationStatus": states.WIRE_TOKENS[states.REGISTRATION_PENDING],
}


def of_referrals(referral_ids: Sequence[int], actor: Actor) -> dict[int, dict[str, Any]]:
    """What these referrals say of their registrations, by their keys; one query.

    As the deal's page has it: of the company's own deals only, and once it was submitted (ORG-6).
    """
    filed = Registration.objects.filter(
        referral__in=referral_ids, referral__company_id=actor.own_company_id, first_submitted_at__isnull=False
    )
    return {
        row["referral_id"]: {"registrations": [registration(row)], "registrationStatus": _token(row)}
        for row in filed.values("referral_id", *COLUMNS)
    }


def registration(row: Mapping[str, Any]) -> dict[str, Any]:
    """The registration as it stands in its referral."""
    return {
        "id": plain(row["public_id"]),
        "registrationDateTime": instant(row["first_submitted_at"]),
        "type": AZURE_IP_CO_SELL,
        "status": _token(row),
        "outcome": states.WIRE_OUTCOMES.get(row["outcome"]),
        "statusReason": _reason(row),
        **stated(row),
        "annualContractValue": _annual(row),
        "statusHistory": _history(row),
    }


def resource(row: Mapping[str, Any]) -> dict[str, Any]:
    """The registration as a resource of its own."""
    return {
        "eTag": etag_of(row["version"]),
        "referralId": plain(row["referral__public_id"]),
        "engagementId": plain(row["referral__engagement__public_id"]),
        "organizationId": plain(row["referral__company__public_id"]),
        "organizationName": row["referral__company__name"],
        "createdDateTime": instant(row["created_at"]),
        "updatedDateTime": instant(row["updated_at"]),
        **registration(row),
        "submittedDateTime": instant(row["submitted_at"]),
        "actionDueDateTime": instant(row["action_due_at"]),
        "closeDueDateTime": instant(row["close_due_at"]),
    }


def stated(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the partner stated, in the shape in which it is sent."""
    return {
        "contract": {
            "value": row["tcv"],
            "currency": row["tcv_currency"] or None,
            "term": TERMS.get(row["term"]),
            "signDateTime": midnight(row["signed"]),
            "startDateTime": midnight(row["start"]),
            "endDateTime": midnight(row["end"]),
        },
        "solutionDetails": [
            {
                "id": row["solution__code"],
                "name": row["solution__name"],
                "value": row["solution_value"],
                "currency": row["solution_value_currency"] or None,
                "isDeployedOnAzure": row["deployment"] == "azure" if row["deployment"] else None,
                "primaryDeploymentOn": TENANTS.get(row["tenant"]),
                "pricingModel": PRICING.get(row["pricing"]),
                "marketplaceTransactionDetails": {
                    "isMarketplaceTransacted": row["marketplace"],
                    "marketplaceTransactionDateTime": midnight(row["marketplace_date"]),
                },
            }
        ],
        "paygYearValue": row["payg_year_value"],
        "renews": plain(row["renews__public_id"]),
        "contractNamesConfirmed": row["contract_names_confirmed"],
    }


def _token(row: Mapping[str, Any]) -> str:
    return states.WIRE_TOKENS[row["status"]]


def _reason(row: Mapping[str, Any]) -> str | None:
    """Why it is in this state, in the words of the deal's page (FLOW-5)."""
    decided_from, code = row["decided_from"], row["reason_code"]
    said = [text.text(states.UNANSWERED)] if decided_from == states.ACTION_REQUIRED else []
    if decision := states.decision_text(code, status=row["status"], decided_from=decided_from):
        said.append(gettext(decision))
    if row["status"] in _WAITS:
        said += [text.text(from_json(reason)) for reason in row["route_reasons"]]
    if row["comment"]:
        said.append(row["comment"])
    return " ".join(said) or None


def _annual(row: Mapping[str, Any]) -> dict[str, Any] | None:
    if row["acv"] is None:
        return None
    currency = row["tcv_currency"]
    month = (row["rates"].get(currency) or {}).get("month")
    return annual_value(row["acv"], currency, row["acv_usd"], date.fromisoformat(month) if month else None)


def annual_value(amount: Any, currency: str, usd: Any, month: date | None) -> dict[str, Any]:
    """The annual contract value (REG-5), and the month of the rate that it was converted at (FX-2)."""
    return {
        "value": amount,
        "currency": currency,
        "valueUsd": usd,
        "rateMonth": None if month is None else f"{month:%Y-%m}",
    }


def _history(row: Mapping[str, Any]) -> dict[str, Any]:
    decided = instant(row["decided_at"])
    ends = {row["status"], row["outcome"]}
    failed = not ends.isdisjoint(states.BAD)
    again = row["submitted_at"] != row["first_submitted_at"]
    return {
        "reviewPendingDateTime": instant(row["review_pending_at"]),
        "actionRequiredDateTime": instant(row["action_required_at"]),
        "passedDateTime": None if ends.isdisjoint(_PASSED) else decided,
        "failedDateTime": decided if failed else None,
        "approvedDateTime": instant(row["approved_at"]),
        "resubmissionDateTime": instant(row["submitted_at"]) if again else None,
        "closedDateTime": instant(row["closed_at"]),
    }


PARTS.add("registrations", Part(NONE_SUBMITTED, of_referrals), order=10)
