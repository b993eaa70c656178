"""Creating referrals through the API: POST (F1.1, F1.8, wire.md)."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.customers import services as customers
from portal.customers.models import Customer
from portal.customers.rules import LENGTHS
from portal.demo.cast import BERLIN, ISTANBUL, Cast
from referrals.models import Engagement, Referral
from tests import build
from tests.api import Api, make_client
from tests.factories import DealFactory

pytestmark = pytest.mark.django_db

REFERRALS = "/v1.0/engagements/referrals"


#: As Microsoft's own sample mixes the cases of its keys (F1.4).
BODY: dict[str, Any] = {
    "Name": "Line 4",
    "externalReferenceId": "006-17",
    "type": "Independent",
    "qualification": "SalesQualified",
    "status": "New",
    "substatus": "Pending",
    "createdVia": "Flow",
    "customerProfile": {
        "name": "Ege Tekstil A.Ş.",
        "size": "51to250employees",
        "address": {"city": "izmir", "country": "TR", "region": "35"},
        "ids": {},
        "team": [
            {"firstName": "Deniz", "lastName": "Aksoy", "phoneNumber": "+90 532", "email": "deniz@ege.example"},
            {"firstName": "Ece", "lastName": "Ak", "phoneNumber": "+90 533", "email": "ece@ege.example"},
        ],
    },
    "consent": {
        "ConsentToToShareInfoWithOthers": True,
        "consentToContact": True,
        "consentToShareReferralWithMicrosoftSellers": False,
    },
    "details": {
        "notes": "First talk",
        "dealValue": "30000.50",
        "currency": "eur",
        "closingDateTime": "2099-05-01T00:00:00.0000000Z",
        "requirements": {
            "products": [{"id": "Azure"}],
            "solutions": [{"id": "SOL-10001-CTS", "type": "Name", "quantity": 3}],
            "additionalRequirements": {"attributes": [{"type": "CustomerMarketplaceIntent", "id": "yes"}]},
        },
    },
    "team": [{"firstName": "Umut", "lastName": "Öztürk", "phoneNumber": "+90 212", "email": "User@contoso.example"}],
    "inviteContext": {"notes": "", "assistanceRequestCode": "Unknown"},
}


def body(**changes: Any) -> dict[str, Any]:
    """`details__currency="X"` changes that part."""
    made = copy.deepcopy(BODY)
    for path, value in changes.items():
        *above, last = path.split("__")
        place = made
        for name in above:
            place = place[name]
        place[last] = value
    return made


def problems(response: Any) -> list[tuple[str, str]]:
    return [(detail["code"], detail["target"]) for detail in response.json()["error"]["details"]]


def test_ref_10_an_own_deal_is_born_accepted_whatever_status_is_sent(contoso: Api, cast: Cast) -> None:
    response = contoso.post(REFERRALS, BODY)
    assert response.status_code == 200, response.content
    made = response.json()
    assert response.headers["Location"].endswith(f"{REFERRALS}/{made['id']}")
    assert contoso.get(f"{REFERRALS}/{made['id']}").json() == made
    assert (made["status"], made["substatus"], made["type"]) == ("Active", "Accepted", "Independent")
    assert made["details"]["dealValue"] == 30000.5
    assert (made["details"]["currency"], made["details"]["notes"]) == ("EUR", "First talk")
    assert made["customerProfile"]["isMatchingComplete"] is True
    assert {"profileType": "Duns", "id": "510000021"} in made["customerProfile"]["ids"]
    assert [member["firstName"] for member in made["customerProfile"]["team"]] == ["Deniz", "Ece"]
    assert made["customerProfile"]["size"] == "51to250employees"
    assert made["customerProfile"]["address"]["region"] == "35"
    assert made["consent"]["consentToContact"] is True
    assert made["consent"]["consentToShareReferralWithMicrosoftSellers"] is False
    assert made["details"]["requirements"]["products"] == [{"id": "Azure"}]
    assert made["details"]["requirements"]["solutions"][0]["quantity"] == 3
    assert made["details"]["requirements"]["additionalRequirements"]["attributes"][0]["id"] == "Yes"
    assert made["createdVia"] == "Flow"
    assert made["mpnId"] == cast.locations[ISTANBUL].mpn_id


KINDS = [
    ("Unknown", False, "private"),
    ("Unknown", True, "partner_led"),
    ("ProofOfConceptOrDemo", True, "co_sell"),
    ("proofofconceptordemo", False, "co_sell"),
]


@pytest.mark.parametrize(("code", "share", "kind"), KINDS)
def test_ref_1_the_deal_type_follows_from_the_flags(contoso: Api, code: str, share: bool, kind: str) -> None:
    given = body(inviteContext__assistanceRequestCode=code, consent__consentToShareReferralWithMicrosoftSellers=share)
    made = contoso.post(REFERRALS, given).json()
    assert Referral.objects.select_related("engagement").get(public_id=made["id"]).deal_type == kind


def test_the_second_post_asks_the_vendor_in_the_same_engagement_once(contoso: Api) -> None:
    first = contoso.post(REFERRALS, body(type="Shared")).json()
    second = body(engagementId=first["engagementId"], target=[{"type": "BusinessProfileLocation", "id": "msft"}])
    second["inviteContext"] = {"notes": "Please", "assistanceRequestCode": "QuotesOrLicensing"}
    card = contoso.post(REFERRALS, second)
    assert card.status_code == 200, card.content
    assert (card.json()["organizationId"], card.json()["substatus"]) == ("msft", "Received")
    assert contoso.post(REFERRALS, second).json()["id"] == card.json()["id"]
    own = contoso.get(f"{REFERRALS}/{first['id']}").json()
    assert (own["type"], own["inviteContext"]["assistanceRequestCode"]) == ("Shared", "QuotesOrLicensing")
    copy = Referral.objects.get(public_id=card.json()["id"])
    assert copy.invite_notes == "Please"
    assert Engagement.objects.count() == 1


def test_a_partner_is_invited_by_its_partner_id(contoso: Api, fabrikam: Api) -> None:
    invitation = {"invitedMpnId": "4302001", "assistanceRequestCode": "GeneralOrOther", "notes": "Your part"}
    made = contoso.post(REFERRALS, body(inviteContext=invitation)).json()
    assert made["type"] == "Shared"
    received = fabrikam.get(REFERRALS).json()["value"][0]
    assert (received["substatus"], received["direction"]) == ("Received", "Incoming")
    assert received["inviteContext"]["assistanceRequestCode"] == "GeneralOrOther"
    assert received["inviteContext"]["invitedBy"]["organizationName"] == "Contoso Yazılım"
    later = contoso.post(REFERRALS, body()).json()
    again = contoso.post(REFERRALS, body(engagementId=later["engagementId"], inviteContext=invitation))
    assert again.json()["organizationName"] == "Fabrikam GmbH"
    assert contoso.get(f"{REFERRALS}/{again.json()['id']}").json()["substatus"] == "Received"
    nobody = contoso.post(REFERRALS, body(inviteContext={**invitation, "invitedMpnId": "0"}))
    assert problems(nobody) == [("unknown_partner", "inviteContext/invitedMpnId")]


def test_org_6_a_foreign_engagement_is_404(fabrikam: Api, cast: Cast) -> None:
    foreign = DealFactory(cast=cast)
    assert fabrikam.post(REFERRALS, body(engagementId=str(foreign.engagement.public_id))).status_code == 404


def test_the_vendors_seller_sends_a_deal_to_a_partner(cast: Cast) -> None:
    vendor = Api(make_client(cast.companies["vendor"], role="seller"))
    invitation = {"invitedMpnId": "4302001", "assistanceRequestCode": "GeneralOrOther"}
    given = body(inviteContext=invitation, details__requirements__solutions=[{"id": "SOL-20001-FBK"}])
    made = vendor.post(REFERRALS, given)
    assert made.status_code == 200, made.content
    assert made.json()["organizationId"] == "msft"
    assert problems(vendor.post(REFERRALS, body())) == [
        ("unknown_partner", "inviteContext/invitedMpnId"),
        ("unknown_partner", "inviteContext/invitedMpnId"),
        ("foreign_solution", "details/requirements/solutions"),
        ("help_required", "inviteContext/assistanceRequestCode"),
    ]


def test_everything_that_is_refused_is_told_at_once(contoso: Api) -> None:
    refused = contoso.post(REFERRALS, {"customerProfile": {"name": "New"}, "mpnId": "4302001"})
    assert refused.status_code == 422
    assert set(problems(refused)) == {
        ("country_missing", "customerProfile/address/country"),
        ("name_required", "name"),
        ("value_not_positive", "details/dealValue"),
        ("unknown_currency", "details/currency"),
        ("close_date_past", "details/closingDateTime"),
        ("foreign_location", "mpnId"),
        ("team_required", "team"),
        ("solution_required", "details/requirements/solutions"),
    }
    assert not Customer.objects.filter(name="New").exists()


UNREADABLE = [
    (body(details__dealValue="much"), "details/dealValue"),
    (body(engagementId="none"), "engagementId"),
    (body(customerProfile__ids="510000021"), "customerProfile/ids"),
    (body(customerProfile__address="Here"), "customerProfile/address"),
    (body(team="me"), "team"),
    ([], ""),
    ("text", ""),
]


@pytest.mark.parametrize(("given", "target"), UNREADABLE)
def test_what_cant_be_read_is_400_with_its_place(contoso: Api, given: Any, target: str) -> None:
    response = contoso.post(REFERRALS, given)
    assert response.status_code == 400, response.content
    assert response.json()["error"]["target"].startswith(target)


# Customers


def test_ref_5_a_customer_is_matched_by_its_number_else_by_name_and_place(contoso: Api, cast: Cast) -> None:
    def matched(**profile: Any) -> Customer:
        made = contoso.post(REFERRALS, body(customerProfile=profile)).json()
        external = {one["profileType"]: one["id"] for one in made["customerProfile"]["ids"]}["External"]
        return Customer.objects.get(public_id=external)

    known = cast.customers
    tr = {"country": "tr"}
    assert matched(name="?", address=tr, ids=[{"profileType": "Duns", "id": "51-000-0011"}]) == known["anadolu"]
    assert matched(name="?", address=tr, ids={"profileType": "Duns", "id": 510000011}) == known["anadolu"]
    assert matched(name="?", address=tr, ids={"External": str(known["ege"].public_id)}) == known["ege"]
    assert matched(name="anadolu cam SANAYI", address={**tr, "city": "MERSİN"}) == known["anadolu2"]
    assert matched(name="Ege Tekstil A.Ş.", address=tr) == known["ege"]
    unclear = matched(name="Anadolu Cam Sanayi", address=tr)
    assert unclear.pk not in {customer.pk for customer in known.values()}


def test_ref_5_a_new_customer_is_its_companys_until_it_is_confirmed(contoso: Api, fabrikam: Api, cast: Cast) -> None:
    profile = {"name": "Yeni Makine", "address": {"country": "TR", "city": "Bursa"}, "ids": []}
    made = contoso.post(REFERRALS, body(customerProfile=profile)).json()
    again = contoso.post(REFERRALS, body(customerProfile=profile)).json()
    assert made["customerProfile"]["isMatchingComplete"] is False
    assert again["customerProfile"]["ids"] == made["customerProfile"]["ids"]
    new = Customer.objects.get(name="Yeni Makine")
    assert new.managed is False

    def seen(api: Api) -> bool:
        return bool(api.get("/v1.0/customers?search=yeni&country=TR").json()["value"])

    assert (seen(contoso), seen(fabrikam)) == (True, False)
    other = body(customerProfile=profile, mpnId="", details__requirements__solutions=[{"id": "SOL-20001-FBK"}])
    assert fabrikam.post(REFERRALS, other).status_code == 200
    assert Customer.objects.filter(name="Yeni Makine").count() == 2
    customers.confirm(new, actor=cast.actor("manager@vendor.example"), now=build.NOW)
    assert (seen(contoso), seen(fabrikam)) == (True, True)
    shown = contoso.get(f"{REFERRALS}/{made['id']}").json()
    assert shown["customerProfile"]["isMatchingComplete"] is True


def test_ref_5_a_customer_that_is_merged_takes_its_deals_along(contoso: Api, cast: Cast) -> None:
    profile = {"name": "Ege Tekstil Sanayi", "address": {"country": "TR"}}
    made = contoso.post(REFERRALS, body(customerProfile=profile)).json()
    new, kept = Customer.objects.get(name="Ege Tekstil Sanayi"), cast.customers["ege"]
    customers.merge(new, into=kept, actor=cast.actor("manager@vendor.example"), now=build.NOW)
    shown = contoso.get(f"{REFERRALS}/{made['id']}").json()
    assert (shown["customerProfile"]["name"], shown["customerProfile"]["isMatchingComplete"]) == (kept.name, True)
    assert shown["eTag"] != made["eTag"]
    later = contoso.post(REFERRALS, body(customerProfile=profile)).json()
    assert later["customerProfile"]["name"] == kept.name


def test_ref_5_the_programme_confirms_and_merges_in_the_administration(cast: Cast, contoso: Api) -> None:
    for name in ("Yeni Makine", "Ege Tekstil Sanayi"):
        contoso.post(REFERRALS, body(customerProfile={"name": name, "address": {"country": "TR"}}))
    new, other = (Customer.objects.get(name=name) for name in ("Yeni Makine", "Ege Tekstil Sanayi"))
    manager = Client()
    manager.force_login(cast.users["manager@vendor.example"])
    chosen = {"action": "confirm_named", "_selected_action": [new.pk]}
    assert manager.post("/admin/customers/customer/", chosen).status_code == 302
    assert Customer.objects.get(pk=new.pk).confirmed
    page = f"/admin/customers/customer/{other.pk}/change/"
    assert b"There is no such entry." in manager.post(page, {"into": "510000099"}).content
    form = {name: getattr(other, name) for name in LENGTHS}
    assert manager.post(page, {**form, "into": "51-000-0021"}).status_code == 302
    assert Customer.objects.get(pk=other.pk).merged_into == cast.customers["ege"]


# Locations


def test_ref_10_without_a_partner_id_it_is_the_customers_country_within_the_clients_scope(cast: Cast) -> None:
    everywhere = Api(make_client(cast.companies["contoso"]))
    german = {"name": "Nordwerk Maschinenbau", "address": {"country": "DE"}}
    assert everywhere.post(REFERRALS, body(customerProfile=german)).json()["mpnId"] == cast.locations[BERLIN].mpn_id
    ankara = cast.locations["Ankara"]
    there = Api(make_client(cast.companies["contoso"], location=ankara, client_id="ankara"))
    assert there.post(REFERRALS, body(customerProfile=german)).json()["mpnId"] == ankara.mpn_id
    refused = there.post(REFERRALS, body(mpnId=cast.locations[BERLIN].mpn_id))
    assert problems(refused) == [("foreign_location", "mpnId")]


# Once


def test_the_same_key_creates_one_deal_and_the_stage_is_set(contoso: Api) -> None:
    given = body(salesStage="Propose")
    answers = [contoso.post(REFERRALS, given, Idempotency_Key="k-1").json() for _time in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["salesStage"] == "Propose"
    assert Referral.objects.count() == 1


#: What is read of a token and noted of its use, once a minute at most.
TOKENS = re.compile("oauth2|api_apiclient")


def statements(api: Api, given: Any) -> int:
    with CaptureQueriesContext(connection) as queries:
        response = api.post(REFERRALS, given)
    assert response.status_code == 200, response.content
    sql = [query["sql"] for query in queries if not TOKENS.search(query["sql"])]
    # Outside a test the first savepoint is the transaction itself, and so is its release.
    assert sql[0].startswith("SAVEPOINT")
    return len(sql) - 2


def test_a_new_deal_takes_25_statements_and_40_with_help(contoso: Api) -> None:
    contoso.post(REFERRALS, body())
    assert statements(contoso, body()) <= 25
    assert statements(contoso, body(inviteContext__assistanceRequestCode="GeneralOrOther")) <= 40
