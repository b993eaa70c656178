"""The list that bench/api.py compares the API's with: the same JSON by `values()` and orjson, and nothing around it.

No token, limit, filter, paging or rights, and no other app is asked: whose deals and how many stands in the code, and
what the bench's deals can't have is written as null.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson
from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

Row = dict[str, Any]

REFERRALS = f"{settings.BASE_URL}/v1.0/engagements/referrals"
STAGES = {20: "Qualify", 40: "Develop", 60: "Propose", 80: "Close"}
INTENTS = {"yes": "Yes", "no": "No", "undecided": "HaveNotDecided"}
COLUMNS = (
    *("id", "public_id", "version", "name", "value", "currency", "close_date", "crm_id", "campaign_id", "stage"),
    *("marketplace_intent", "invite_notes", "help_code", "vendor_may_view", "p2p", "created_at", "updated_at"),
    *("expires_at", "accepted_at", "closed_at", "last_modified_via", "last_run_id", "location__mpn_id"),
    *("company__public_id", "company__name", "engagement__public_id", "engagement__contact_consent"),
    *("engagement__customer__public_id", "engagement__customer__name", "engagement__customer__country"),
    *("engagement__customer__city", "engagement__customer__state", "engagement__customer__postal_code"),
    *("engagement__customer__address_line1", "engagement__customer__address_line2", "engagement__customer__duns"),
)


def referrals(_request: HttpRequest) -> HttpResponse:
    """The 50 newest of Contoso's own open deals, in five queries."""
    from dealreg.models import Registration
    from referrals.models import Favorite, Note, Referral, ReferralSolution, TeamMember

    own = Referral.objects.filter(company_id=contoso(), substatus="Accepted", invited_by=None)
    notes = Note.objects.filter(engagement=OuterRef("engagement"), company=OuterRef("company"), shared=True)
    newest = Subquery(notes.order_by("-id").values("text")[:1])
    rows = list(own.order_by("-created_at", "-id").annotate(note=newest).values(*COLUMNS, "note")[:50])
    found = [row["id"] for row in rows]
    team, solutions = defaultdict(list), defaultdict(list)
    for member in TeamMember.objects.filter(referral__in=found).order_by("id").values():
        team[member["referral_id"]].append(person(member))
    lines = ReferralSolution.objects.filter(referral__in=found).order_by("id")
    for line in lines.values("referral_id", "solution__code", "solution__name", "solution__publisher__name"):
        solutions[line["referral_id"]].append(solution(line))
    starred = set(Favorite.objects.filter(referral__in=found, user=0).values_list("referral", flat=True))
    assert not Registration.objects.filter(referral__in=found).values("status")
    value = [{**deal(row), "favorite": row["id"] in starred, **extras()} for row in rows]
    for row, shown in zip(rows, value, strict=True):
        shown["team"] = team[row["id"]]
        shown["details"]["requirements"]["solutions"] = solutions[row["id"]]
    return HttpResponse(orjson.dumps({"value": value}), content_type="application/json")


@cache
def contoso() -> int:
    from portal.accounts.models import Company

    return Company.objects.get(name__startswith="Contoso").pk


def empty(_request: HttpRequest) -> HttpResponse:
    """What a request costs before any view."""
    return HttpResponse(b"{}", content_type="application/json")


def moment(value: datetime | None) -> str | None:
    return value and f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"


def person(row: Row) -> Row:
    return {
        "firstName": row["first_name"],
        "lastName": row["last_name"],
        "phoneNumber": row["phone"],
        "email": row["email"],
        "title": row["title"] or None,
        "contactPreference": {"locale": None, "disableNotifications": False},
    }


def solution(row: Row) -> Row:
    return {
        "type": "Name",
        "id": row["solution__code"],
        "name": row["solution__name"],
        "publisherName": row["solution__publisher__name"],
        **dict.fromkeys(("price", "quantity", "currency", "solutionType", "closingDateTime")),
    }


def deal(row: Row) -> Row:
    """Everything of a deal that has a column."""
    engagement = row["engagement__public_id"]
    return {
        "id": row["public_id"],
        "engagementId": engagement,
        "organizationId": row["company__public_id"],
        "organizationName": row["company__name"],
        "name": row["name"],
        "externalReferenceId": row["crm_id"] or None,
        "campaignId": row["campaign_id"] or None,
        "createdDateTime": moment(row["created_at"]),
        "updatedDateTime": moment(row["updated_at"]),
        "expirationDateTime": moment(row["expires_at"]),
        "acceptedDateTime": moment(row["accepted_at"]),
        "closedDateTime": moment(row["closed_at"]),
        "status": "Active",
        "substatus": "Accepted",
        "statusReason": None,
        "type": "Shared" if row["help_code"] != "Unknown" or row["p2p"] else "Independent",
        "direction": "Outgoing",
        "eTag": f'"{row["version"]}"',
        "salesStage": STAGES.get(row["stage"]),
        "lastModifiedVia": row["last_modified_via"],
        "lastRunId": row["last_run_id"] or None,
        "mpnId": row["location__mpn_id"],
        "customerProfile": customer(row),
        "consent": {
            "consentToToShareInfoWithOthers": row["engagement__contact_consent"],
            "consentToShareReferralWithMicrosoftSellers": row["vendor_may_view"],
            "consentToContact": False,
            "consentToMicrosoftToContactSpecificPartners": False,
        },
        "details": details(row),
        "inviteContext": {
            "notes": row["invite_notes"] or None,
            "assistanceRequestCode": row["help_code"],
            "invitedMpnId": None,
            "invitedBy": {"organizationId": row["company__public_id"], "organizationName": row["company__name"]},
        },
        "links": {
            "relatedReferrals": {"uri": f"{REFERRALS}?$filter=engagementId%20eq%20{engagement}", "method": "GET"},
            "self": {"uri": f"{REFERRALS}/{row['public_id']}", "method": "GET"},
        },
    }


def customer(row: Row) -> Row:
    given = {name.removeprefix("engagement__customer__"): value for name, value in row.items()}
    address = {
        "addressLine1": given["address_line1"] or None,
        "addressLine2": given["address_line2"] or None,
        "city": given["city"] or None,
        "state": given["state"] or None,
        "postalCode": given["postal_code"] or None,
        "country": row["engagement__customer__country"],
        "region": None,
    }
    ids = [{"profileType": "Duns", "id": given["duns"]}] if given["duns"] else []
    ids.append({"profileType": "External", "id": row["engagement__customer__public_id"]})
    name = row["engagement__customer__name"]
    return {"name": name, "isMatchingComplete": True, "address": address, "team": [], "ids": ids, "size": None}


def details(row: Row) -> Row:
    amount = row["value"]
    intent = {"type": "CustomerMarketplaceIntent", "id": INTENTS[row["marketplace_intent"]]}
    return {
        "notes": row["note"],
        "dealValue": int(amount) if amount == amount.to_integral_value() else float(amount),
        "currency": row["currency"],
        "closingDateTime": f"{row['close_date']}T00:00:00.0000000Z",
        "customerRequestedContact": False,
        **dict.fromkeys(("customerAction", "incentiveLevel")),
        "requirements": {
            **{name: [] for name in ("industries", "products", "services", "offers", "salesPlays")},
            "additionalRequirements": {"iot": None, "attributes": [intent]},
        },
    }


def extras() -> Row:
    """What none of the bench's deals has."""
    tracking = ("MsxId", "USFedOpportunityId", "USFedLeadId")
    migrated = ("migratedPSCDealId", "migratedPSCPartnerDealId")
    nulls = ("referralProgram", "createdVia", "callToAction", "referralSource", "partnerRole", "exception")
    return {
        **dict.fromkeys((*nulls, "solutionArea", "solutionPlay")),
        "isSpam": False,
        "qualification": "SalesQualified",
        "dealSensitivity": "None",
        "quality": "Unknown",
        "tags": [],
        "target": [],
        "registrations": [],
        "registrationStatus": "None",
        "trackingInfo": dict.fromkeys([*(f"microsoft{name}" for name in tracking), *migrated]),
    }


urlpatterns = [path("v1.0/bare", referrals), path("v1.0/empty", empty), path("", include("portal.urls"))]
