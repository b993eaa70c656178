"""ISV Connect deals and their invoices as the API shows them: from rows of columns, no model for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dealreg.api.representation import TENANTS
from isvconnect.api.tokens import INCENTIVES, KINDS, STATUSES
from isvconnect.models import Installment, Invoice
from portal.api.http.etags import etag_of
from portal.api.http.json import instant, midnight, plain
from referrals.api import wire
from referrals.api.representation import profile

_CUSTOMER = (
    *("public_id", "name", "country", "city", "state", "postal_code", "address_line1", "address_line2", "duns"),
    *("added_by_id", "confirmed_at"),
)
#: Of IsvDeal.objects.with_seen_referral().
COLUMNS = (
    *("public_id", "version", "status", "created_at", "updated_at", "seen_referral"),
    *("company__public_id", "company__name", "location__mpn_id", "solution__code", "solution__name"),
    *(f"customer__{name}" for name in _CUSTOMER),
    *("tcv", "tcv_currency", "tcv_usd", "solution_value", "solution_value_currency", "solution_value_usd", "rates"),
    *("deployment", "tenant", "tenant_guid", "signed", "start", "end", "tag", "percent"),
    *("contact_first_name", "contact_last_name", "contact_phone", "contact_email"),
    *("invoiced_at", "completed_at", "cancelled_at", "cancel_reason"),
)
INVOICE_COLUMNS = (
    *("public_id", "number", "kind", "deal__public_id", "company__public_id", "company__name", "credits__public_id"),
    *("year", "first_day", "last_day", "share", "percent", "amount", "currency", "amount_usd", "issued_at"),
)


def resource(row: Mapping[str, Any]) -> dict[str, Any]:
    """A deal as lists have it."""
    return {
        "id": plain(row["public_id"]),
        "eTag": etag_of(row["version"]),
        "status": STATUSES[row["status"]],
        "referralId": plain(row["seen_referral"]),
        "organizationId": plain(row["company__public_id"]),
        "organizationName": row["company__name"],
        "mpnId": row["location__mpn_id"],
        "customerProfile": profile(row, "customer__"),
        "contract": {
            **_valued(row, "tcv"),
            "signDateTime": midnight(row["signed"]),
            "startDateTime": midnight(row["start"]),
            "endDateTime": midnight(row["end"]),
        },
        "solution": _solution(row),
        "contact": wire.person(*(row[f"contact_{name}"] for name in ("first_name", "last_name", "phone", "email"))),
        "incentive": INCENTIVES[row["tag"]],
        "feePercent": row["percent"],
        "createdDateTime": instant(row["created_at"]),
        "updatedDateTime": instant(row["updated_at"]),
        "invoicedDateTime": instant(row["invoiced_at"]),
        "completedDateTime": instant(row["completed_at"]),
        "cancelledDateTime": instant(row["cancelled_at"]),
        "cancelReason": row["cancel_reason"] or None,
    }


def _solution(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["solution__code"],
        "name": row["solution__name"],
        **_valued(row, "solution_value"),
        "isDeployedOnAzure": row["deployment"] == "azure",
        "primaryDeploymentOn": TENANTS[row["tenant"]],
        "tenantId": plain(row["tenant_guid"]),
    }


def in_usd(amount: Any, currency: str, usd: Any, month: str) -> dict[str, Any]:
    """An amount, what it is in USD, and the month of the rate that it was converted at; none for USD itself (FX-2)."""
    return {"value": amount, "currency": currency, "valueUsd": usd, "rateMonth": month[:7] or None}


def _valued(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    currency = row[f"{name}_currency"]
    month = row["rates"].get(currency, {}).get("month", "")
    return in_usd(row[name], currency, row[f"{name}_usd"], month)


def whole(row: Mapping[str, Any], pk: int) -> dict[str, Any]:
    """A deal by itself."""
    invoices: Any = Invoice.objects.filter(deal=pk).order_by("pk").values(*INVOICE_COLUMNS)
    return {
        **resource(row),
        "schedule": [{**year(one), "isIssued": one.issued} for one in Installment.objects.filter(deal=pk)],
        "invoices": [invoice(one) for one in invoices],
    }


def year(one: Any) -> dict[str, Any]:
    """A contract year, of a schedule or as it would be."""
    return {
        "number": one.number,
        "startDateTime": midnight(one.first_day),
        "endDateTime": midnight(one.last_day),
        "dueDateTime": midnight(one.due_on),
        "share": one.share,
        "fee": one.fee,
    }


def invoice(row: Mapping[str, Any]) -> dict[str, Any]:
    """An invoice or a credit note."""
    return {
        "id": plain(row["public_id"]),
        "number": row["number"],
        "kind": KINDS[row["kind"]],
        "dealId": plain(row["deal__public_id"]),
        "organizationId": plain(row["company__public_id"]),
        "organizationName": row["company__name"],
        "creditsInvoiceId": plain(row["credits__public_id"]),
        "year": row["year"],
        "startDateTime": midnight(row["first_day"]),
        "endDateTime": midnight(row["last_day"]),
        "share": row["share"],
        "feePercent": row["percent"],
        "amount": row["amount"],
        "currency": row["currency"],
        "amountUsd": row["amount_usd"],
        "issuedDateTime": instant(row["issued_at"]),
    }
