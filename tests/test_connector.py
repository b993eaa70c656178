"""A client of Microsoft's Referrals API, as its public connector calls it, works here after a change of base URL.

The requests are derived anew from the connector's contract (facts, SW and F1): seven operations, its headers, its
trailing slashes, and the properties it reads with their types.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from dealreg import sweeps
from dealreg.models import Registration
from dealreg.services import registration as dealreg
from tests import build
from tests.api import Api, make_client
from tests.edge import Live

pytestmark = pytest.mark.django_db

REFERRALS = "/v1.0/engagements/referrals"
HEADERS = {"X_Caller_Id": "60858c1b-2062-40ad-b42c-996b6b5b047d"}

TEXT, NUMBER, FLAG, INSTANT = (str,), (int, float), (bool,), (str,)
#: What the connector reads of a person.
MEMBER = {
    "firstName": TEXT,
    "lastName": TEXT,
    "email": TEXT,
    "phoneNumber": TEXT,
    "contactPreference": {"locale": TEXT, "disableNotifications": FLAG},
}
PERIOD = {"startDateTime": INSTANT, "endDateTime": INSTANT, "signDateTime": INSTANT}
MARKETPLACE = {"isMarketplaceTransacted": FLAG, "marketplaceTransactionDateTime": INSTANT}
REGISTRATION: dict[str, Any] = {
    "id": TEXT,
    "registrationDateTime": INSTANT,
    "contract": {"value": NUMBER, "currency": TEXT, "term": TEXT, **PERIOD},
    "solutionDetails": [
        {
            "id": TEXT,
            "name": TEXT,
            "value": NUMBER,
            "isDeployedOnAzure": FLAG,
            "primaryDeploymentOn": TEXT,
            "pricingModel": TEXT,
            "marketplaceTransactionDetails": MARKETPLACE,
        }
    ],
    "statusHistory": {
        f"{step}DateTime": INSTANT
        for step in ("reviewPending", "actionRequired", "passed", "failed", "approved", "resubmission")
    },
}
ADDRESS = ("addressLine1", "addressLine2", "city", "country", "postalCode", "region", "state")
SIMPLE = """id engagementId organizationId organizationName externalReferenceId campaignId name type status substatus
statusReason direction qualification eTag salesStage mpnId referralProgram lastModifiedVia lastRunId createdDateTime
updatedDateTime acceptedDateTime closedDateTime expirationDateTime registrationStatus callToAction referralSource
quality"""
CONSENT = "consentToContact consentToToShareInfoWithOthers consentToShareReferralWithMicrosoftSellers"
#: Every property of the connector's Referral. All may be null.
REFERRAL: dict[str, Any] = {
    **dict.fromkeys(SIMPLE.split(), TEXT),
    "favorite": FLAG,
    "isSpam": FLAG,
    "consent": dict.fromkeys(CONSENT.split(), FLAG),
    "customerProfile": {
        "name": TEXT,
        "size": TEXT,
        "ids": [{"profileType": TEXT, "id": TEXT}],
        "address": dict.fromkeys(ADDRESS, TEXT),
        "team": [MEMBER],
    },
    "details": {
        "closingDateTime": INSTANT,
        "currency": TEXT,
        "customerAction": TEXT,
        "customerRequestedContact": FLAG,
        "dealValue": NUMBER,
        "notes": TEXT,
        "requirements": {
            "industries": [{"id": TEXT}],
            "products": [{"id": TEXT}],
            "services": [{"id": TEXT}],
            "solutions": [{"id": TEXT, "name": TEXT, "type": TEXT}],
            "offers": [],
        },
    },
    "inviteContext": {
        "assistanceRequestCode": TEXT,
        "notes": TEXT,
        "invitedBy": {"organizationId": TEXT, "organizationName": TEXT},
    },
    "links": {"relatedReferrals": {"uri": TEXT, "method": TEXT}, "self": {"uri": TEXT, "method": TEXT}},
    "registrations": [REGISTRATION],
    "tags": [TEXT],
    "target": [{"type": TEXT, "id": TEXT}],
    "team": [MEMBER],
    "trackingInfo": {"microsoftMsxId": TEXT},
}


def check(value: Any, expected: Any, path: str = "") -> None:
    """The value has every property the connector reads, each null or of its type."""
    if value is None:
        return
    match expected:
        case dict():
            assert isinstance(value, dict), path
            assert set(expected) - set(value) == set(), path
            for name, kind in expected.items():
                check(value[name], kind, f"{path}/{name}")
        case list():
            assert isinstance(value, list), path
            for item in value:
                check(item, expected[0] if expected else object, f"{path}/-")
        case _:
            assert isinstance(value, expected), (path, value)
            assert bool in expected or not isinstance(value, bool), path


@pytest.fixture
def crm(live: Live) -> Api:
    return Api(make_client(live.cast.companies["contoso"]), scope="https://api.partner.microsoft.com/.default")


def person(**changes: str) -> dict[str, str]:
    return {
        "firstName": "Rüya",
        "lastName": "İpekçi",
        "phoneNumber": "+90 212 555 0101",
        "email": "referrals@contoso.example",
        **changes,
    }


def new_referral(live: Live, **changes: Any) -> dict[str, Any]:
    """As the documentation's sample: mixed case, a decimal as text, `ids` as an object."""
    closing = (live.now + timedelta(days=30)).strftime("%Y-%m-%dT00:00:00.0000000Z")
    return {
        "name": "Fabrika izleme",
        "type": "Independent",
        "qualification": "SalesQualified",
        "externalReferenceId": "OPP-1",
        "campaignId": "CMP-7",
        "customerProfile": {
            "name": "Anadolu Cam Sanayi",
            "address": {"addressLine1": "Büyükdere Caddesi 101", "city": "Istanbul", "country": "TR"},
            "ids": {"profileType": "Duns", "id": "510000011"},
            "team": [],
        },
        "Consent": {"ConsentToToShareInfoWithOthers": True, "consentToShareReferralWithMicrosoftSellers": True},
        "details": {
            "notes": "From the CRM",
            "dealValue": "40000.50",
            "currency": "EUR",
            "closingDateTime": closing,
            "requirements": {"solutions": [{"id": "SOL-10001-CTS", "type": "Name"}]},
        },
        "inviteContext": {"assistanceRequestCode": "Unknown"},
        "team": [person()],
        "status": "New",
        "substatus": "Pending",
        **changes,
    }


def created(crm: Api, live: Live, **changes: Any) -> dict[str, Any]:
    answer = crm.post(REFERRALS, new_referral(live, **changes), **HEADERS)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def read(crm: Api, referral: dict[str, Any]) -> dict[str, Any]:
    answer = crm.get(f"{REFERRALS}/{referral['id']}", **HEADERS)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def patch(crm: Api, referral: dict[str, Any], *ops: tuple[str, str, Any], slashes: str = "") -> Any:
    body = [{"op": op, "path": path, "value": value} for op, path, value in ops]
    return crm.patch(f"{REFERRALS}/{referral['id']}{slashes}", body, **HEADERS)


def test_create_gives_an_accepted_deal_with_all_properties(crm: Api, live: Live) -> None:
    """CreateReferral"""
    referral = created(crm, live)
    check(referral, REFERRAL)
    assert (referral["status"], referral["substatus"]) == ("Active", "Accepted")
    assert referral["direction"] == "Outgoing"
    assert referral["details"]["dealValue"] == 40000.5
    assert {"profileType": "Duns", "id": "510000011"} in referral["customerProfile"]["ids"]
    assert referral["consent"]["consentToShareReferralWithMicrosoftSellers"] is True
    assert referral["eTag"].startswith('"')
    assert referral["acceptedDateTime"] == referral["createdDateTime"]
    assert referral["registrationStatus"] == "None"


def test_get_by_id(crm: Api, live: Live) -> None:
    """GetReferralById"""
    referral = created(crm, live)
    answer = crm.get(
        f"{REFERRALS}/{referral['id']}", Content_Type="application/json", MS_CorrelationId=str(uuid.uuid4())
    )
    body = answer.json()
    check(body, REFERRAL)
    assert body["@odata.context"].endswith("#Referrals/$entity")
    assert answer.headers["ETag"] == body["eTag"]
    assert crm.get(f"/engagements/v1/referrals/{referral['id']}").json()["id"] == referral["id"]


def test_list_with_the_documented_filters(crm: Api, live: Live) -> None:
    """GetAllReferrals"""
    referral = created(crm, live)
    waiting = live.received()
    mine = f"engagementId eq '{referral['engagementId']}'"
    bare = f"engagementId eq {referral['engagementId']}"
    updated = f"updatedDateTime ge {(live.now - timedelta(days=1)).strftime('%Y-%m-%dT%H:%M:%SZ')}"
    theirs = "team/any(t:t/email eq 'referrals@contoso.example')"
    for query, expected in [
        (mine, referral["id"]),
        (bare, referral["id"]),
        (f"status eq 'Active' and direction eq 'Outgoing' and type eq 'Independent' and {theirs}", referral["id"]),
        (f"({updated}) and qualification eq 'SalesQualified' and direction eq 'Outgoing'", referral["id"]),
        ("direction eq 'Incoming' and substatus eq 'Pending'", str(waiting.public_id)),
        ("status eq 'New' and type eq 'Shared'", str(waiting.public_id)),
        ("customerProfile/address/country eq 'TR' and substatus eq 'Accepted'", referral["id"]),
    ]:
        answer = crm.get(f"{REFERRALS}?$filter={query}&$orderby=createdDateTime desc&$top=200&$count=true", **HEADERS)
        assert answer.status_code == 200, (query, answer.content)
        body = answer.json()
        assert [item["id"] for item in body["value"]] == [expected], query
        assert body["@odata.count"] == 1
        check(body["value"][0], REFERRAL)


def test_pages_follow_each_other_by_their_links(crm: Api, live: Live) -> None:
    made = {created(crm, live, name=f"Deal {number}")["id"] for number in range(5)}
    seen: list[str] = []
    link = f"{REFERRALS}?$top=2&$select=id,name&$filter=status eq 'Active'"
    while link:
        body = crm.get(link).json()
        assert all(set(item) <= {"id", "name", "@odata.etag"} for item in body["value"])
        seen += [item["id"] for item in body["value"]]
        parts = urlsplit(body.get("@odata.nextLink", ""))
        assert not parts.path or parts.scheme.startswith("http")
        link = f"{parts.path}?{parts.query}" if parts.path else ""
    assert len(seen) == len(set(seen))
    assert set(seen) == made


def test_related_referrals_are_found_by_the_link(crm: Api, live: Live) -> None:
    referral = created(crm, live)
    parts = urlsplit(referral["links"]["relatedReferrals"]["uri"])
    body = crm.get(f"{parts.path}?{parts.query}").json()
    assert referral["id"] in [item["id"] for item in body["value"]]
    parts = urlsplit(referral["links"]["self"]["uri"])
    assert crm.get(parts.path).json()["id"] == referral["id"]


def test_replace_needs_the_etag_and_ignores_what_the_server_owns(crm: Api, live: Live) -> None:
    """UpdateReferralById: a flow reads a referral, puts its own id into it, and sends all of it back."""
    referral = created(crm, live)
    changed = {**referral, "externalReferenceId": "LEAD-9", "organizationName": "Somebody else", "eTag": "x"}
    path = f"{REFERRALS}/{referral['id']}"
    assert crm.put(path, changed, **HEADERS).status_code == 400
    answer = crm.put(path, changed, If_Match=referral["eTag"], **HEADERS)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    check(body, REFERRAL)
    assert body["externalReferenceId"] == "LEAD-9"
    assert body["organizationName"] == referral["organizationName"]
    assert {**body, "externalReferenceId": "", "eTag": "", "updatedDateTime": "", "lastModifiedVia": ""} == {
        **referral,
        "externalReferenceId": "",
        "eTag": "",
        "updatedDateTime": "",
        "lastModifiedVia": "",
        **{name: value for name, value in body.items() if name.startswith("@odata")},
    }
    stale = crm.put(path, {**changed, "externalReferenceId": "LEAD-10"}, If_Match=referral["eTag"], **HEADERS)
    assert stale.status_code == 412
    assert stale.json()["error"]["code"] in {"resourceModified", "preconditionFailed"}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("/campaignId", "CMP-8", "CMP-8"),
        ("/externalReferenceId", "OPP-2", "OPP-2"),
        ("/details/dealValue", "10000", 10000),
        ("/details/currency", "USD", "USD"),
        ("/details/closingDateTime", "2027-03-31T00:00:00.0000000Z", "2027-03-31T00:00:00.0000000Z"),
        ("/salesStage", "Propose", "Propose"),
        ("/salesStage", "80", "Close"),
        ("/referralProgram", "Whatever", "Whatever"),
        ("/details/requirements/solutions", [{"id": "SOL-10002-CTS"}], None),
        ("/details/requirements/solutions/-", {"id": "SOL-10002-CTS"}, None),
        ("/team", [person(email="user@contoso.example")], None),
        ("/team/-", person(email="user@contoso.example", firstName="Umut", lastName="Öztürk"), None),
    ],
)
def test_patch_of_each_path(crm: Api, live: Live, path: str, value: Any, expected: Any) -> None:
    """PatchReferralById"""
    referral = created(crm, live)
    op = "add" if path.endswith("/-") else "replace"
    answer = patch(crm, referral, (op, path, value))
    assert answer.status_code == 204, answer.content
    assert answer.content == b""
    body = read(crm, referral)
    check(body, REFERRAL)
    assert body["eTag"] != referral["eTag"]
    if expected is not None:
        for name in path.strip("/").split("/"):
            body = body[name]
        assert body == expected
    elif "solutions" in path:
        ids = [solution["id"] for solution in body["details"]["requirements"]["solutions"]]
        assert ids == (["SOL-10001-CTS", "SOL-10002-CTS"] if op == "add" else ["SOL-10002-CTS"])
    else:
        emails = [member["email"] for member in body["team"]]
        assert sorted(emails) == sorted(
            ["referrals@contoso.example", "user@contoso.example"] if op == "add" else ["user@contoso.example"]
        )


def test_accepting_declining_and_closing_need_no_more_than_microsofts(crm: Api, live: Live) -> None:
    first, second, third = (str(live.received(name=name).public_id) for name in ("One", "Two", "Three"))
    accepted = patch(crm, {"id": first}, ("replace", "/status", "Active"), ("replace", "/substatus", "Accepted"))
    assert accepted.status_code == 204, accepted.content
    assert read(crm, {"id": first})["substatus"] == "Accepted"
    declined = patch(
        crm,
        {"id": second},
        ("replace", "/status", "Closed"),
        ("replace", "/substatus", "Declined"),
        ("replace", "/statusReason", "Not our customer"),
    )
    assert declined.status_code == 204, declined.content
    assert read(crm, {"id": second})["substatus"] == "Declined"
    lost = patch(crm, {"id": first}, ("replace", "/status", "Closed"), ("replace", "/substatus", "Lost"))
    assert lost.status_code == 204, lost.content
    wrong = patch(crm, {"id": third}, ("replace", "/status", "Closed"), ("replace", "/substatus", "Won"))
    assert wrong.status_code == 409
    assert read(crm, {"id": third})["substatus"] in {"Received", "Pending"}


def test_won_is_two_operations_and_both_land_or_none(crm: Api, live: Live) -> None:
    referral = created(crm, live)
    refused = patch(
        crm,
        referral,
        ("replace", "/details/dealValue", "-5"),
        ("replace", "/status", "Closed"),
        ("replace", "/substatus", "Won"),
    )
    assert refused.status_code in {400, 422}
    assert read(crm, referral)["eTag"] == referral["eTag"]
    won = patch(crm, referral, ("replace", "/status", "Closed"), ("replace", "/substatus", "Won"))
    assert won.status_code == 204, won.content
    assert (read(crm, referral)["status"], read(crm, referral)["substatus"]) == ("Closed", "Won")


def registration_value(live: Live, **contract: Any) -> dict[str, Any]:
    today = live.now.date().isoformat()
    return {
        "type": "AzureIPCoSell",
        "contract": {
            "value": "40000.50",
            "currency": "EUR",
            "term": "Finite",
            "signDateTime": f"{today}T00:00:00Z",
            "startDateTime": f"{today}T00:00:00Z",
            "endDateTime": (live.now + timedelta(days=364)).strftime("%Y-%m-%dT00:00:00Z"),
            **contract,
        },
        "solutionDetails": [
            {
                "id": "SOL-10001-CTS",
                "currency": "EUR",
                "value": "40000.50",
                "isDeployedOnAzure": True,
                "primaryDeploymentOn": "Customer",
                "pricingModel": "Other",
                "marketplaceTransactionDetails": {"isMarketplaceTransacted": False},
            }
        ],
    }


def test_a_won_deal_is_registered_and_corrected(crm: Api, live: Live) -> None:
    """PatchDealRegistrationByReferralId, with one slash; its update, with two."""
    referral = created(crm, live)
    assert patch(crm, referral, ("replace", "/status", "Closed"), ("replace", "/substatus", "Won")).status_code == 204
    value = registration_value(live, value="2000000", currency="EUR")
    answer = patch(crm, referral, ("add", "/registrations/-", value), slashes="/")
    assert answer.status_code == 204, answer.content
    sweeps.route_submitted(now=live.now + timedelta(minutes=1))
    body = read(crm, referral)
    check(body, REFERRAL)
    assert body["registrationStatus"] == "ReviewPending"
    assert body["registrations"][0]["contract"]["value"] == 2_000_000
    again = patch(crm, referral, ("add", "/registrations/-", value), slashes="/")
    assert again.status_code == 409
    assert again.json()["error"]["details"][0]["code"] == "wrong_state"

    registration = Registration.objects.get(referral__public_id=referral["id"])
    reviewer = live.cast.actor(build.REVIEWER)
    given = {"reason_code": "dates_do_not_match_contract", "comment": "Correct the start."}
    later = live.now + timedelta(minutes=2)
    dealreg.decide(registration, "require_action", actor=reviewer, now=later, **given)
    assert read(crm, referral)["registrationStatus"] == "ActionRequired"
    sent = patch(
        crm,
        referral,
        ("replace", "/registrations/0/contract/term", "Perpetual"),
        ("replace", "/registrations/0/contract/value", 2_500_000),
        ("replace", "/registrations/0/solutionDetails/0/value", 40_000),
        slashes="//",
    )
    assert sent.status_code == 204, sent.content
    body = read(crm, referral)
    check(body, REFERRAL)
    assert body["registrationStatus"] == "ReviewPending"
    assert body["registrations"][0]["contract"]["term"] == "Perpetual"
    assert body["registrations"][0]["contract"]["endDateTime"] is None
    assert body["registrations"][0]["contract"]["value"] == 2_500_000


def test_the_second_post_of_a_shared_referral_asks_the_vendor(crm: Api, live: Live) -> None:
    """F1.8: a deal of type Shared is created by two POSTs with one engagementId."""
    own = created(
        crm,
        live,
        type="Shared",
        Consent={"consentToToShareInfoWithOthers": True, "consentToShareReferralWithMicrosoftSellers": False},
        target=[{"type": "SolutionProfile", "id": "SOL-10001-CTS"}],
    )
    contact = person(firstName="Canan", lastName="Kaya", email="canan@anadolu.example")
    asked = new_referral(
        live,
        type="Shared",
        engagementId=own["engagementId"],
        target=[{"type": "BusinessProfileLocation", "id": "msft"}],
        inviteContext={"assistanceRequestCode": "ProofOfConceptOrDemo", "notes": "Please show it."},
    )
    asked["customerProfile"]["team"] = [contact]
    answer = crm.post(REFERRALS, asked, **HEADERS)
    assert answer.status_code == 200, answer.content
    vendors = answer.json()
    assert vendors["engagementId"] == own["engagementId"]
    assert vendors["id"] != own["id"]
    assert read(crm, own)["inviteContext"]["assistanceRequestCode"] == "ProofOfConceptOrDemo"
    assert read(crm, own)["consent"]["consentToShareReferralWithMicrosoftSellers"] is True
    refused = patch(crm, vendors, ("replace", "/status", "Active"), ("replace", "/substatus", "Accepted"))
    assert refused.status_code == 403


def test_unknown_paths_and_operations_are_refused_with_the_error_body(crm: Api, live: Live) -> None:
    referral = created(crm, live)
    for ops in [
        ("replace", "/name", "Another"),
        ("replace", "/customerProfile/name", "Another"),
        ("remove", "/campaignId", None),
        ("replace", "/registrations/0/contract/currency", "USD"),
    ]:
        answer = patch(crm, referral, ops)
        assert answer.status_code in {400, 409}, (ops, answer.content)
        error = answer.json()["error"]
        assert set(error) >= {"code", "message", "target", "innerError", "details"}
        assert len(error["message"]) <= 1024
    unknown = crm.get(f"{REFERRALS}/{uuid.uuid4()}")
    assert unknown.status_code == 404
    assert unknown.json()["error"]["code"] == "itemNotFound"
    assert Api.call(crm, "GET", REFERRALS, Authorization="Bearer nonsense").status_code == 401
