"""The words of the wire (F1.5, F1.6): tokens for our values, and the values that are only kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.conf import settings
from django.utils import translation

from portal.accounts.selectors import vendor_name
from portal.customers.rules import fold
from portal.params import whole_number
from referrals import rules
from referrals.models import Referral

COLLECTION = "v1.0/engagements/referrals"
#: Microsoft's id of itself, in `organizationId` and in `target`.
VENDOR_ID = "msft"
SHARED, INDEPENDENT = "Shared", "Independent"
INCOMING, OUTGOING = "Incoming", "Outgoing"

#: What a copy is to the vendor or another partner too; else it is the company's alone.
STAGES: Mapping[int, str] = {**{stage: name for name, stage in rules.STAGE_NAMES.items()}, rules.WON_STAGE: "100"}
INTENT_TYPE = "CustomerMarketplaceIntent"
INTENTS: Mapping[str, str] = {
    Referral.Intent.YES: "Yes",
    Referral.Intent.NO: "No",
    Referral.Intent.UNDECIDED: "HaveNotDecided",
}

#: What the programme has no use for: taken, kept and given back, by its path, with what it is where nothing was sent.
KEPT: Mapping[str, Any] = {
    "qualification": "SalesQualified",
    "referralProgram": None,
    "dealSensitivity": "None",
    "createdVia": None,
    "tags": [],
    "target": [],
    "callToAction": None,
    "referralSource": None,
    "quality": "Unknown",
    "partnerRole": None,
    "solutionArea": None,
    "solutionPlay": None,
    "customerProfile/size": None,
    "customerProfile/address/region": None,
    "consent/consentToContact": False,
    "consent/consentToMicrosoftToContactSpecificPartners": False,
    "details/customerRequestedContact": False,
    "details/customerAction": None,
    "details/incentiveLevel": None,
    "details/requirements/industries": [],
    "details/requirements/products": [],
    "details/requirements/services": [],
    "details/requirements/offers": [],
    "details/requirements/salesPlays": [],
    "details/requirements/additionalRequirements/iot": None,
}
#: Kept as well, below these names: other attributes, other contacts, and what solution tags say beside the solution.
ATTRIBUTES, CONTACTS, TAGS, CATEGORIES = "attributes", "contacts", "solutionTags", "categories"


def url(path: str) -> str:
    return f"{settings.BASE_URL}/{path}"


def deal_type(*, help_code: str, p2p: bool) -> str:
    """Shared where another company has a copy by what this one asked for, or by how it got it."""
    return SHARED if help_code != rules.NO_HELP or p2p else INDEPENDENT


def person(first_name: str, last_name: str, phone: str, email: str, title: str = "") -> dict[str, Any]:
    """A Member (F1.6)."""
    return {
        "firstName": first_name,
        "lastName": last_name,
        "phoneNumber": phone,
        "email": email,
        "title": title or None,
        "contactPreference": {"locale": None, "disableNotifications": False},
    }


def contact(name: str, phone: str, email: str) -> dict[str, Any]:
    """The customer's contact as a Member; the wire has two names where we have one."""
    first, _space, last = name.strip().rpartition(" ")
    return person(first or last, last if first else "", phone, email)


def member(held: Any) -> dict[str, Any]:
    """A person of a team as a Member."""
    return person(held.first_name, held.last_name, held.phone, held.email, held.title)


def parts(given: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    """First name, last name, phone, e-mail and title of a Member."""
    return (
        given["firstName"],
        given["lastName"],
        given["phoneNumber"],
        given["email"],
        given["title"] or "",
    )


def intents(attributes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The customer's marketplace intent, where attributes state it; what is none, as it was given."""
    tokens = {token.casefold(): intent for intent, token in INTENTS.items()}
    for attribute in attributes:
        if attribute["type"] == INTENT_TYPE:
            yield tokens.get(attribute["id"].casefold(), attribute["id"])


# Reasons (F3.1)

#: In the order of F3.1's numbers.
CLOSE_CODES, ERROR_CODES = tuple(rules.CLOSE_REASONS), tuple(rules.ERROR_REASONS)
OTHER = "other"
#: Stands where a client gives no reason: *other* needs words.
NO_REASON = "No reason given"


def reason_text(code: str, note: str, *, error: bool) -> str | None:
    """`statusReason`: the words of whoever closed it, else the reason's, in English."""
    return note or _reasons(error).get(code) or None


def read_reason(given: Any, *, error: bool) -> tuple[str, str]:
    """Reason code and note for a number, a code or a text of F3.1; any other text is *other*, with that text."""
    codes = ERROR_CODES if error else CLOSE_CODES
    written = str(given or "").strip()
    number = whole_number(written)
    if number and number <= len(codes):
        return _explained(codes[number - 1])
    folded = {fold(text): code for code, text in _reasons(error).items()} | {code: code for code in codes}
    if code := folded.get(fold(written)):
        return _explained(code)
    return OTHER, written or NO_REASON


def _explained(code: str) -> tuple[str, str]:
    return code, NO_REASON if code in rules.EXPLAINED_REASONS else ""


def _reasons(error: bool) -> dict[str, str]:
    with translation.override("en"):
        vendor = {"vendor": vendor_name()}
    return {code: text % vendor for code, text in (rules.ERROR_REASONS if error else rules.CLOSE_REASONS).items()}


def names(paths: Iterable[str]) -> dict[str, str]:
    """Each path by how it is compared: keys come in any case (F1.4)."""
    return {path.casefold(): path for path in paths}
