"""Consents, invitations and licences as the API shows them. No address of the customer's people is in any (LIC-4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isvconnect.models import IsvDeal
from licensing.api.tokens import FROZEN, INVITATIONS, RELATIONSHIPS
from licensing.models import Licences
from licensing.selectors.relationships import counts_of
from portal.api.http.etags import etag_of
from portal.api.http.json import instant, plain
from portal.catalog.models import Plan

#: Of licences that nobody gave yet.
NO_VERSION = 0

RELATIONSHIP_COLUMNS = (
    *("public_id", "version", "tenant_guid", "state", "created_at", "updated_at", "revoked_at"),
    *("company__public_id", "company__name", "customer__public_id", "customer__name"),
)
INVITATION_COLUMNS = (
    *("public_id", "version", "state", "created_at", "updated_at", "expires_at", "answered_at"),
    *("deal__public_id", "company__public_id", "customer__public_id", "customer__name", "relationship__public_id"),
)


def relationship(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": plain(row["public_id"]),
        "eTag": etag_of(row["version"]),
        "organizationId": plain(row["company__public_id"]),
        "organizationName": row["company__name"],
        "customerId": plain(row["customer__public_id"]),
        "customerName": row["customer__name"],
        "tenantId": plain(row["tenant_guid"]),
        "status": RELATIONSHIPS[row["state"]],
        "createdDateTime": instant(row["created_at"]),
        "updatedDateTime": instant(row["updated_at"]),
        "revokedDateTime": instant(row["revoked_at"]),
    }


def invitation(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": plain(row["public_id"]),
        "eTag": etag_of(row["version"]),
        "dealId": plain(row["deal__public_id"]),
        "organizationId": plain(row["company__public_id"]),
        "customerId": plain(row["customer__public_id"]),
        "customerName": row["customer__name"],
        "status": INVITATIONS[row["state"]],
        "relationshipId": plain(row["relationship__public_id"]),
        "createdDateTime": instant(row["created_at"]),
        "updatedDateTime": instant(row["updated_at"]),
        "expiresDateTime": instant(row["expires_at"]),
        "answeredDateTime": instant(row["answered_at"]),
    }


def licences(deal: IsvDeal, held: Licences | None) -> dict[str, Any]:
    """The licences of a deal, also before there are any."""
    counts = counts_of(held) if held else []
    more = Plan.objects.filter(solution=deal.solution_id, offered=True).exclude(pk__in=[one.plan_id for one in counts])
    customer = held.relationship if held else None
    return {
        "dealId": plain(deal.public_id),
        "eTag": etag_of(held.version if held else NO_VERSION),
        "relationshipId": plain(customer.public_id) if customer else None,
        "customerName": customer.customer.name if customer else None,
        "tenantId": plain(customer.tenant_guid) if customer else None,
        "frozenReason": FROZEN.get(held.frozen) if held else None,
        "licenses": [
            {"planId": one.plan.code, "planName": one.plan.name, "count": one.count, "assigned": one.assigned}
            for one in counts
        ],
        "availablePlans": [{"planId": one.code, "planName": one.name} for one in more],
        "createdDateTime": instant(held.created_at if held else None),
        "updatedDateTime": instant(held.updated_at if held else None),
    }
