"""A referral as the API shows it (F1.5, F1.6): from rows of values, never from a model instance of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef
from rest_framework.response import Response

from portal.accounts.models import Company
from portal.accounts.rules import Actor
from portal.api.http.endpoint import single
from portal.api.http.etags import etag_of
from portal.api.http.json import instant, midnight, number
from referrals import rules
from referrals.api import wire
from referrals.api.parts import PARTS
from referrals.models import Favorite, Referral, ReferralSolution, TeamMember
from referrals.selectors.notes import newest_shared

Row = dict[str, Any]

_COLUMNS = (
    "pk, public_id, version, name, value, currency, close_date, crm_id, campaign_id, marketplace_intent, substatus,"
    "stage, reason_code, reason_note, invite_help, invite_notes, help_code, vendor_may_view, p2p, created_at,"
    "updated_at, expires_at, accepted_at, closed_at, wire_extras, last_modified_via, last_run_id, company_id,"
    "company__public_id, company__name, company__kind, location__mpn_id, invited_by_id, invited_by__public_id,"
    "invited_by__name, invited_by__kind"
).replace(" ", "")
_ENGAGEMENT = (
    "public_id, started_by_id, help_code, contact_name, contact_phone, contact_email, contact_consent,"
    "customer__public_id, customer__name, customer__country, customer__city, customer__state, customer__postal_code,"
    "customer__address_line1, customer__address_line2, customer__duns, customer__added_by_id, customer__confirmed_at"
).replace(" ", "")
COLUMNS = (*_COLUMNS.split(","), *(f"engagement__{name}" for name in _ENGAGEMENT.split(",")))
_MEMBER = ("first_name", "last_name", "phone", "email", "title")
_SOLUTION = ("solution__code", "solution__name", "solution__publisher__name")


def one(pk: int, actor: Actor) -> dict[str, Any]:
    """A referral that the actor may see, whole or as a card, with the context of a single answer (F1.10)."""
    (found,) = represent([pk], actor)
    return {"@odata.context": wire.url("v1.0/$metadata#Referrals/$entity"), **found}


def answer(pk: int, actor: Actor) -> Response:
    """One referral, with its ETag."""
    shown = one(pk, actor)
    return single(shown, etag=shown["eTag"])


def represent(pks: Sequence[int], actor: Actor) -> list[dict[str, Any]]:
    """The referrals, in this order; three queries and those of the parts, however many there are.

    The caller has made sure that the actor may see each of them, whole or as a card (participants.cards).
    """
    starred = Exists(Favorite.objects.filter(referral=OuterRef("pk"), user_id=actor.user_id or 0))
    annotated = Referral.objects.filter(pk__in=pks).annotate(note=newest_shared(actor), starred=starred)
    rows = {row["pk"]: row for row in annotated.values(*COLUMNS, "note", "starred")}
    whole = [pk for pk in pks if pk in rows and sees_whole(rows[pk], actor)]
    team, solutions = _team(pks), _solutions(whole)
    added = [(part, part.find(whole, actor)) for part in PARTS.values()] if whole else []
    found = []
    for pk in (pk for pk in pks if pk in rows):
        if pk not in whole:
            found.append(_card(rows[pk], team[pk]))
            continue
        shown = _whole(rows[pk], team[pk], solutions[pk], actor)
        for part, values in added:
            shown |= values.get(pk, part.empty)
        found.append(shown)
    return found


def sees_whole(row: Row, actor: Actor) -> bool:
    """Whether it is the company's own, or one that the vendor's people may view; else it is a card."""
    return row["company_id"] == actor.own_company_id or (actor.is_vendor and row["vendor_may_view"])


def _team(pks: Sequence[int]) -> Mapping[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for pk, *member in TeamMember.objects.filter(referral__in=pks).order_by("pk").values_list("referral_id", *_MEMBER):
        found[pk].append(wire.person(*member))
    return found


def _solutions(pks: Sequence[int]) -> Mapping[int, list[tuple[str, str, str]]]:
    found: dict[int, list[tuple[str, str, str]]] = defaultdict(list)
    lines = ReferralSolution.objects.filter(referral__in=pks).order_by("pk")
    for pk, *solution in lines.values_list("referral_id", *_SOLUTION):
        found[pk].append((solution[0], solution[1], solution[2]))
    return found


def _company(public_id: UUID, kind: str) -> str:
    return wire.VENDOR_ID if kind == Company.Kind.VENDOR else str(public_id)


def _card(row: Row, team: list[Row]) -> dict[str, Any]:
    """What another company's copy shows: organisation, status, dates, and the team once it was accepted (REF-7)."""
    was_open = row["accepted_at"] or row["invited_by_id"] is None
    return {
        "id": str(row["public_id"]),
        "engagementId": str(row["engagement__public_id"]),
        "organizationId": _company(row["company__public_id"], row["company__kind"]),
        "organizationName": row["company__name"],
        **_status(row),
        **_dates(row),
        "eTag": etag_of(row["version"]),
        "team": team if was_open else [],
        "links": _links(row),
    }


def _status(row: Row) -> dict[str, str]:
    return {"status": rules.status_of(row["substatus"]), "substatus": row["substatus"]}


def _dates(row: Row) -> dict[str, str | None]:
    accepted = row["accepted_at"] or (row["created_at"] if row["invited_by_id"] is None else None)
    return {
        "createdDateTime": instant(row["created_at"]),
        "updatedDateTime": instant(row["updated_at"]),
        "expirationDateTime": instant(row["expires_at"]),
        "acceptedDateTime": instant(accepted),
        "closedDateTime": instant(row["closed_at"]),
    }


def _links(row: Row) -> dict[str, Any]:
    related = f"{wire.COLLECTION}?$filter=engagementId%20eq%20{row['engagement__public_id']}"
    return {
        "relatedReferrals": {"uri": wire.url(related), "method": "GET"},
        "self": {"uri": wire.url(f"{wire.COLLECTION}/{row['public_id']}"), "method": "GET"},
    }


def _whole(row: Row, team: list[Row], solutions: Iterable[tuple[str, str, str]], actor: Actor) -> dict[str, Any]:
    own = row["company_id"] == actor.own_company_id
    kept: Mapping[str, Any] = row["wire_extras"] if own else {}
    shown = {
        **_card(row, team),
        "name": row["name"],
        **_references(row, own),
        "statusReason": _reason(row),
        "type": wire.deal_type(help_code=row["help_code"], p2p=row["p2p"]),
        "direction": wire.OUTGOING if row["invited_by_id"] is None else wire.INCOMING,
        "favorite": row["starred"],
        "salesStage": wire.STAGES.get(row["stage"]),
        "isSpam": False,
        "mpnId": row["location__mpn_id"],
        "customerProfile": _customer(row, kept, actor),
        "consent": {
            "consentToToShareInfoWithOthers": row["engagement__contact_consent"],
            "consentToShareReferralWithMicrosoftSellers": row["vendor_may_view"],
        },
        "details": _details(row, solutions, kept),
        "team": team,
        "inviteContext": _invitation(row),
        "trackingInfo": dict.fromkeys(TRACKING),
        "exception": None,
    }
    for path, above, name, empty in _KEPT:
        inner = shown
        for step in above:
            inner = inner[step]
        inner[name] = kept.get(path, empty)
    return shown


def _references(row: Row, own: bool) -> dict[str, str | None]:
    """The company's own references, and what its connector knows its writes by: nobody else's to read."""
    return {
        "externalReferenceId": row["crm_id"] or None if own else None,
        "campaignId": row["campaign_id"] or None if own else None,
        "lastModifiedVia": row["last_modified_via"] if own else None,
        "lastRunId": row["last_run_id"] or None if own else None,
    }


TRACKING = (
    "microsoftMsxId",
    "microsoftUSFedOpportunityId",
    "microsoftUSFedLeadId",
    "migratedPSCDealId",
    "migratedPSCPartnerDealId",
)


#: Each path of wire.KEPT, the names above the last, the last, and what stands there where nothing was sent (one list
#: for all: an answer isn't changed any more).
_KEPT = [(path, path.split("/")[:-1], path.split("/")[-1], empty) for path, empty in wire.KEPT.items()]


def _reason(row: Row) -> str | None:
    error = row["substatus"] == rules.ERROR
    return wire.reason_text(row["reason_code"], row["reason_note"], error=error) if row["reason_code"] else None


def _customer(row: Row, kept: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """The customer, with the contact where `_shows_contact` of the deal's page shows it (REF-5, REF-11)."""
    agreed = row["engagement__contact_consent"] and row["help_code"] == row["engagement__help_code"]
    contacts = []
    if row["engagement__contact_email"] and (agreed or row["engagement__started_by_id"] == actor.own_company_id):
        names = ("engagement__contact_name", "engagement__contact_phone", "engagement__contact_email")
        contacts = [wire.contact(*(row[name] for name in names))]
    return {**profile(row, "engagement__customer__"), "team": contacts + kept.get(wire.CONTACTS, [])}


def profile(row: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The customer whose columns stand in the row under this prefix."""
    customer = {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}
    ids = [{"profileType": "External", "id": str(customer["public_id"])}]
    if customer["duns"]:
        ids.insert(0, {"profileType": "Duns", "id": customer["duns"]})
    return {
        "name": customer["name"],
        "isMatchingComplete": customer["added_by_id"] is None or customer["confirmed_at"] is not None,
        "address": {
            "addressLine1": customer["address_line1"] or None,
            "addressLine2": customer["address_line2"] or None,
            "city": customer["city"] or None,
            "state": customer["state"] or None,
            "postalCode": customer["postal_code"] or None,
            "country": customer["country"],
        },
        "ids": ids,
    }


def _details(row: Row, solutions: Iterable[tuple[str, str, str]], kept: Mapping[str, Any]) -> dict[str, Any]:
    intent = {"type": wire.INTENT_TYPE, "id": wire.INTENTS[row["marketplace_intent"]]}
    said = kept.get(wire.TAGS, {})
    tags = [
        {**SOLUTION_TAG, **said.get(code, {}), "id": code, "name": name, "publisherName": publisher}
        for code, name, publisher in solutions
    ]
    return {
        "notes": row["note"],
        "dealValue": number(row["value"]),
        "currency": row["currency"],
        "closingDateTime": midnight(row["close_date"]),
        "requirements": {
            "solutions": tags + kept.get(wire.CATEGORIES, []),
            "additionalRequirements": {"attributes": [intent, *kept.get(wire.ATTRIBUTES, [])]},
        },
    }


SOLUTION_TAG: Mapping[str, Any] = {
    "type": "Name",
    "price": None,
    "quantity": None,
    "currency": None,
    "solutionType": None,
    "closingDateTime": None,
}


def _invitation(row: Row) -> dict[str, Any]:
    """Who brought the deal, and what for: what a received copy is asked, else what its company asked of the vendor."""
    received = row["invited_by_id"] is not None
    sender = "invited_by" if received else "company"
    return {
        "notes": row["invite_notes"] or None,
        "assistanceRequestCode": row["invite_help"] if received else row["help_code"],
        "invitedMpnId": row["location__mpn_id"] if received else None,
        "invitedBy": {
            "organizationId": _company(row[f"{sender}__public_id"], row[f"{sender}__kind"]),
            "organizationName": row[f"{sender}__name"],
        },
    }
