"""Writing referrals through the API: PATCH and PUT (F1.1, F1.7, F1.8, wire.md)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.demo.cast import Cast
from portal.events.models import Event
from referrals.models import Referral
from tests import build, do
from tests.api import Api, make_client
from tests.factories import DealFactory, vendor_copy

pytestmark = pytest.mark.django_db

REFERRALS = "/v1.0/engagements/referrals"
SOLUTIONS = "/details/requirements/solutions"
SHARE = "/consent/consentToShareReferralWithMicrosoftSellers"


@pytest.fixture
def vendor(cast: Cast) -> Api:
    return Api(make_client(cast.companies["vendor"], role="seller"))


@pytest.fixture
def deal(cast: Cast) -> Referral:
    return DealFactory(cast=cast, help_code="Unknown", vendor_may_view=False)


def at(deal: Referral, rest: str = "") -> str:
    return f"{REFERRALS}/{deal.public_id}{rest}"


def ops(**values: Any) -> list[dict[str, Any]]:
    """`details__dealValue=5` is a replace of /details/dealValue."""
    return [{"op": "replace", "path": "/" + name.replace("__", "/"), "value": value} for name, value in values.items()]


def problems(response: Any) -> list[tuple[str, str]]:
    return [(detail["code"], detail["target"]) for detail in response.json()["error"]["details"]]


PATCHES: list[tuple[str, Any, Any]] = [
    ("/campaignId", "spring", "spring"),
    (SHARE, True, True),
    ("/details/closingDateTime", "2027-03-01T00:00:00.0000000Z", "2027-03-01T00:00:00.0000000Z"),
    ("/details/currency", "chf", "CHF"),
    ("/details/dealValue", "10000.5", 10000.5),
    ("/details/notes", "Called them", "Called them"),
    ("/externalReferenceId", "006-17", "006-17"),
    ("/referralProgram", "A programme", "A programme"),
    ("/salesStage", "Propose", "Propose"),
    ("/salesStage", "60 %", "Propose"),
    ("/salesStage", 60, "Propose"),
    ("/DETAILS/dealvalue", 7, 7),
]


@pytest.mark.parametrize("kind", ["application/json", "application/json-patch+json"])
@pytest.mark.parametrize(("path", "value", "read"), PATCHES)
def test_each_path_of_the_connector_is_written_and_read_back(
    contoso: Api, deal: Referral, path: str, value: Any, read: Any, kind: str
) -> None:
    patch = [{"op": "replace", "path": path, "value": value}]
    response = contoso.patch(at(deal), patch, Content_Type=kind)
    assert (response.status_code, response.content) == (204, b"")
    body = contoso.get(at(deal)).json()
    assert response.headers["ETag"] == body["eTag"] == '"2"'
    assert body["lastModifiedVia"] == "Api"
    for step in path.casefold().split("/")[1:]:
        body = {key.casefold(): inner for key, inner in body.items()}[step]
    assert body == read


def test_an_object_is_a_merge_patch_of_the_same_paths(contoso: Api, deal: Referral) -> None:
    given = {"Details": {"DealValue": "10000", "notes": "Hi"}, "externalReferenceId": "9", "lastModifiedVia": "Flow",
             "lastRunId": "run-1"}  # fmt: skip
    response = contoso.patch(at(deal, "//"), given, Prefer="return=representation")
    assert response.status_code == 200, response.content
    body = response.json()
    assert body["details"]["dealValue"] == 10_000
    assert (body["externalReferenceId"], body["lastModifiedVia"], body["lastRunId"]) == ("9", "Flow", "run-1")
    refused = contoso.patch(at(deal), {"name": "New", "details": {"colour": 1}})
    assert refused.status_code == 400
    assert problems(refused) == [("unknown_path", "/name"), ("unknown_path", "/details/colour")]


def test_team_solutions_and_contacts_are_replaced_and_added_to(contoso: Api, deal: Referral) -> None:
    person = {"FirstName": "Ada", "lastName": "Kaya", "phoneNumber": "+90 1", "email": "Ada@Contoso.example"}
    added = [
        {"op": "add", "path": "/team/-", "value": person},
        {"op": "add", "path": SOLUTIONS + "/-", "value": {"id": "sol-10002-cts", "price": 5}},
        {"op": "add", "path": SOLUTIONS + "/-", "value": {"id": "WebDevelopment", "type": "Category"}},
        {"op": "replace", "path": "/customerProfile/team", "value": [{**person, "email": "b@ege.example"}, person]},
    ]  # fmt: skip
    assert contoso.patch(at(deal), added).status_code == 204
    body = contoso.get(at(deal)).json()
    assert [member["email"] for member in body["team"]] == ["user@contoso.example", "ada@contoso.example"]
    tags = body["details"]["requirements"]["solutions"]
    assert [(tag["id"], tag["price"]) for tag in tags[:2]] == [("SOL-10001-CTS", None), ("SOL-10002-CTS", 5)]
    assert tags[2]["id"] == "WebDevelopment"
    assert [member["email"] for member in body["customerProfile"]["team"]] == ["b@ege.example", "ada@contoso.example"]
    assert contoso.patch(at(deal), ops(team=[person])).status_code == 204
    assert len(contoso.get(at(deal)).json()["team"]) == 1


def test_ref_21_values_that_are_so_already_change_nothing(contoso: Api, deal: Referral) -> None:
    contoso.patch(at(deal), ops(details__notes="Hi", referralProgram="P", salesStage="Qualify"))
    body, events = contoso.get(at(deal)).json(), Event.objects.count()
    echoed = ops(
        status=body["status"],
        substatus=body["substatus"],
        salesStage=body["salesStage"],
        team=body["team"],
        details__notes=body["details"]["notes"],
        details__dealValue=str(body["details"]["dealValue"]),
        details__closingDateTime=body["details"]["closingDateTime"],
        details__requirements__solutions=body["details"]["requirements"]["solutions"],
        customerProfile__team=body["customerProfile"]["team"],
        consent__consentToShareReferralWithMicrosoftSellers=False,
        referralProgram="P",
        statusReason=None,
    )
    assert contoso.patch(at(deal), echoed).headers["ETag"] == body["eTag"]
    assert contoso.put(at(deal), body, If_Match=body["eTag"]).json() == body
    assert Event.objects.count() == events


def test_won_is_two_operations_in_one_request_and_won_early_is_noted(contoso: Api, cast: Cast) -> None:
    fresh = DealFactory(cast=cast, at=build.NOW, help_code="Unknown", vendor_may_view=False)
    response = contoso.patch(at(fresh), ops(status="Closed", substatus="Won", details__dealValue=50_000))
    assert response.status_code == 204, response.content
    body = contoso.get(at(fresh)).json()
    assert (body["status"], body["substatus"], body["salesStage"]) == ("Closed", "Won", "100")
    assert body["details"]["dealValue"] == 50_000
    again = contoso.patch(at(fresh), ops(status="Closed", substatus="Won"))
    assert again.headers["ETag"] == response.headers["ETag"] == body["eTag"]


def test_what_is_refused_of_one_request_is_told_at_once_and_nothing_is_written(contoso: Api, deal: Referral) -> None:
    wrong = ops(
        details__dealValue=-1,
        details__currency="XXQ",
        team=[],
        salesStage="Nowhere",
        details__requirements__solutions=[{"id": "SOL-0"}],
        details__notes="Fine",
        externalReferenceId="x" * 101,
    )
    response = contoso.patch(at(deal), wrong)
    assert response.status_code == 422
    assert sorted(problems(response)) == sorted(
        [
            ("value_not_positive", "details/dealValue"),
            ("unknown_currency", "details/currency"),
            ("too_long", "externalReferenceId"),
            ("team_required", "team"),
            ("unknown_stage", "salesStage"),
            ("solution_not_ready", "details/requirements/solutions"),
        ]
    )
    assert all(detail["rule"] for detail in response.json()["error"]["details"])
    assert contoso.get(at(deal)).json()["eTag"] == '"1"'


UNREADABLE: list[tuple[Any, str]] = [
    ([], ""),
    ("text", ""),
    ([{"op": "remove", "path": "/team/-"}], "0/op"),
    ([{"op": "replace", "path": "team", "value": []}], "0/path"),
    ([{"op": "replace", "path": "/team"}], "0/value"),
    (ops(name="New"), "/name"),
    (ops(details__dealValue="NaN"), "details/dealValue"),
    (ops(details__dealValue="1,5"), "details/dealValue"),
    (ops(details__closingDateTime="soon"), "details/closingDateTime"),
    (ops(status="Open"), "status"),
    (ops(status="Active", substatus="Won"), "substatus"),
    (ops(status="Closed"), "substatus"),
    (ops(team={"a": 1}), "team"),
    (ops(team=[{"email": "no address"}]), "team/0/email"),
    (ops(externalReferenceId={"a": 1}), "externalReferenceId"),
    (ops(details__requirements__solutions=["SOL-1"]), "details/requirements/solutions/0"),
    (ops(referralProgram="x" * 30_000), "referralProgram"),
]


@pytest.mark.parametrize(("patch", "target"), UNREADABLE)
def test_what_cant_be_read_is_400_with_its_place(contoso: Api, deal: Referral, patch: Any, target: str) -> None:
    response = contoso.patch(at(deal), patch)
    assert response.status_code == 400, response.content
    assert response.json()["error"]["code"] == "invalidRequest"
    assert response.json()["error"]["target"].startswith(target)


def test_if_match_on_an_old_version_is_412_with_both_versions(contoso: Api, deal: Referral) -> None:
    contoso.patch(at(deal), ops(details__dealValue=7), If_Match='"1"')
    response = contoso.patch(at(deal), ops(details__dealValue=8), If_Match='"1"')
    assert response.status_code == 412
    changed = [detail for detail in response.json()["error"]["details"] if detail["code"] == "changed"]
    assert {"target": "details/dealValue", "was": "40000.00", "now": "7.00"}.items() <= changed[0].items()
    assert not [detail for detail in changed if "via" in detail["target"]]
    assert contoso.patch(at(deal), ops(details__dealValue=8), If_Match='"2"').status_code == 204


def test_ref_12_received_is_accepted_with_no_more_than_the_status(vendor: Api, cast: Cast) -> None:
    copy = vendor_copy(DealFactory(cast=cast, at=build.NOW))
    Referral.objects.filter(pk=copy.pk).update(expires_at=build.NOW.replace(year=2099))
    assert vendor.patch(at(copy), ops(status="New", substatus="Pending")).headers["ETag"] == '"1"'
    early = vendor.patch(at(copy), ops(salesStage="Qualify"))
    assert early.status_code == 409
    assert problems(early) == [("wrong_state", "")]
    assert vendor.patch(at(copy), ops(status="Active", substatus="Accepted", salesStage="Qualify")).status_code == 204
    body = vendor.get(at(copy)).json()
    assert (body["substatus"], body["name"], body["salesStage"], body["team"]) == (
        "Accepted", "Plant monitoring", "Qualify", [],
    )  # fmt: skip


def test_a_crm_writes_its_own_id_to_a_deal_that_is_not_answered_yet(vendor: Api, cast: Cast) -> None:
    copy = vendor_copy(DealFactory(cast=cast, at=build.NOW))
    Referral.objects.filter(pk=copy.pk).update(expires_at=build.NOW.replace(year=2099))
    whole = {**vendor.get(at(copy)).json(), "externalReferenceId": "LEAD-1"}
    assert vendor.put(at(copy), whole, If_Match=whole["eTag"]).status_code == 200
    assert vendor.patch(at(copy), ops(campaignId="C-1")).status_code == 204
    also = vendor.patch(at(copy), ops(campaignId="C-2", details__dealValue=7))
    assert (also.status_code, problems(also)) == (409, [("wrong_state", "")])
    assert vendor.patch(at(copy), ops(substatus="Accepted")).status_code == 204
    body = vendor.get(at(copy)).json()
    assert (body["externalReferenceId"], body["campaignId"], body["substatus"]) == ("LEAD-1", "C-1", "Accepted")
    assert Event.objects.filter(verb="referral.references_set").count() == 2


REASONS = [
    ("Lost", 3, "other_vendor", "The customer chose another vendor"),
    ("Lost", "budget", "budget", "The budget was inadequate"),
    ("Lost", "the customer chose another vendor", "other_vendor", "The customer chose another vendor"),
    ("Lost", "They went bankrupt", "other", "They went bankrupt"),
    ("Lost", None, "other", "No reason given"),
    ("Error", "1", "duplicate_upload", "Duplicate created by a bulk upload"),
    ("Error", 6, "solution", "No reason given"),
]


@pytest.mark.parametrize(("substatus", "given", "code", "read"), REASONS)
def test_ref_17_a_reason_is_a_number_a_code_or_free_text(
    contoso: Api, deal: Referral, substatus: str, given: Any, code: str, read: str
) -> None:
    closing = ops(status="Closed", substatus=substatus, statusReason=given)
    assert contoso.patch(at(deal), closing).status_code == 204
    deal = Referral.objects.get(pk=deal.pk)
    assert (deal.substatus, deal.reason_code) == (substatus, code)
    body = contoso.get(at(deal)).json()
    assert body["statusReason"] == read
    assert contoso.patch(at(deal), ops(statusReason=read, status="Closed")).headers["ETag"] == body["eTag"]
    assert contoso.patch(at(deal), ops(details__dealValue=9)).status_code == 409


def test_ref_16_the_companys_own_stage_names_are_taken(contoso: Api, deal: Referral, cast: Cast) -> None:
    from referrals.services import stage_names

    who = {"actor": cast.actor("admin@contoso.example"), "now": build.NOW}
    stage_names.add(company=cast.companies["contoso"], name="Teklif", stage=60, **who)
    assert contoso.patch(at(deal), ops(salesStage="TEKLİF")).status_code == 204
    assert contoso.get(at(deal)).json()["salesStage"] == "Propose"


def test_ref_3_visibility_never_goes_back(contoso: Api, cast: Cast) -> None:
    shared = DealFactory(cast=cast, help_code="Unknown", vendor_may_view=True)
    patch = [{"op": "replace", "path": SHARE, "value": False}]
    response = contoso.patch(at(shared), patch)
    assert response.status_code == 422
    assert problems(response) == [("already_shared", "")]


def test_cards_and_what_the_vendor_only_views_are_read_only(contoso: Api, vendor: Api, cast: Cast) -> None:
    deal = DealFactory(cast=cast)
    assert contoso.patch(at(vendor_copy(deal)), ops(salesStage=20)).status_code == 403
    assert vendor.patch(at(deal), ops(salesStage=20)).status_code == 403
    other = Api(make_client(cast.companies["fabrikam"]))
    assert other.patch(at(deal), ops(salesStage=20)).status_code == 404


def test_put_needs_if_match_and_overlooks_what_is_read_only(contoso: Api, deal: Referral) -> None:
    body = contoso.get(at(deal)).json()
    assert contoso.put(at(deal), body).status_code == 400
    body |= {"name": "Renamed", "organizationName": "Else", "tags": ["a"], "solutionArea": "Data", "links": {}}
    body["details"]["requirements"]["additionalRequirements"]["attributes"] = [
        {"type": "CustomerMarketplaceIntent", "id": "Yes"}, {"type": "Colour", "id": "Blue"},
    ]  # fmt: skip
    response = contoso.put(at(deal), body, If_Match=body["eTag"])
    assert response.status_code == 200, response.content
    changed = response.json()
    assert (changed["name"], changed["organizationName"]) == ("Renamed", "Contoso Yazılım")
    assert (changed["tags"], changed["solutionArea"]) == (["a"], "Data")
    assert changed["details"]["requirements"]["additionalRequirements"]["attributes"] == [
        {"type": "CustomerMarketplaceIntent", "id": "Yes"}, {"type": "Colour", "id": "Blue"},
    ]  # fmt: skip
    assert contoso.put(at(deal), body, If_Match=body["eTag"]).status_code == 412


def test_another_surfaces_write_is_the_portals_and_of_no_run(contoso: Api, deal: Referral, cast: Cast) -> None:
    contoso.patch(at(deal), {"salesStage": 20, "lastModifiedVia": "Flow", "lastRunId": "7"})
    do.set_stage(deal, stage=40, actor=cast.actor(build.CONTOSO), now=build.NOW)
    body = contoso.get(at(deal)).json()
    assert (body["lastModifiedVia"], body["lastRunId"]) == ("Portal", None)


def test_a_partners_note_is_no_echo_of_ones_own(contoso: Api, cast: Cast) -> None:
    deal = DealFactory(cast=cast)
    contoso.patch(at(deal), {"salesStage": 20, "lastModifiedVia": "Flow", "lastRunId": "7"})
    before = contoso.get(at(deal)).json()
    do.add_note(vendor_copy(deal), text="From us", actor=cast.actor(build.SELLER), now=build.NOW)
    after = contoso.get(at(deal)).json()
    assert after["lastModifiedVia"] == "Portal"
    assert after["eTag"] != before["eTag"]


def statements(api: Api, deal: Referral, patch: Any) -> int:
    with CaptureQueriesContext(connection) as queries:
        response = api.patch(at(deal), patch)
    assert response.status_code == 204, response.content
    print(*[query["sql"][:150] for query in queries], sep="\n")
    return len([query for query in queries if "oauth2" not in query["sql"]])  # a token is looked up in the cache


def test_a_stage_takes_15_statements_and_won_25(contoso: Api, cast: Cast) -> None:
    deal = DealFactory(cast=cast, accepted=True)
    contoso.patch(at(deal), ops(salesStage="Qualify"))
    assert statements(contoso, deal, ops(salesStage="Develop")) <= 15
    assert statements(contoso, deal, ops(status="Closed", substatus="Won")) <= 25
