"""A referral's actions, timeline, notes and star in the API, and the typeahead (wire.md)."""

from __future__ import annotations

from typing import Any

import pytest

from portal.api.http.actions import camel
from portal.demo.cast import Cast
from referrals import verbs
from referrals.models import Referral
from tests import build
from tests.api import Api, make_client
from tests.factories import DealFactory, vendor_copy

pytestmark = pytest.mark.django_db

REFERRALS = "/v1.0/engagements/referrals"
PERSON = {"firstName": "Ada", "lastName": "Kaya", "phoneNumber": "+90 1", "email": "ada@contoso.example"}


@pytest.fixture
def vendor(cast: Cast) -> Api:
    return Api(make_client(cast.companies["vendor"], role="seller"))


@pytest.fixture
def deal(cast: Cast) -> Referral:
    return DealFactory(cast=cast, help_code="Unknown", vendor_may_view=False)


def at(deal: Referral, rest: str = "") -> str:
    return f"{REFERRALS}/{deal.public_id}{rest}"


def problems(response: Any) -> list[tuple[str, str]]:
    return [(detail["code"], detail["target"]) for detail in response.json()["error"]["details"]]


def test_every_verb_that_a_person_runs_is_an_action_with_all_its_inputs(contoso: Api, deal: Referral) -> None:
    listed = {one["action"]: one for one in contoso.get(at(deal, "/actions")).json()["value"]}
    assert set(listed) == {camel(verb.name) for verb in verbs.MACHINE.verbs if not verb.by_worker}
    assert listed["setStage"]["enabled"] is True
    assert listed["accept"]["blockers"][0]["code"] == "wrong_state"
    assert listed["invitePartner"]["inputs"] == [
        "partner", "closeDate", "value", "helpCode", "team", "solutions", "notes",
    ]  # fmt: skip
    assert listed["requestHelp"]["inputs"] == ["helpCode", "contact", "notes"]
    assert listed["editTeam"]["inputs"] == ["members"]


ACTIONS: list[tuple[dict[str, Any], tuple[str, ...], Any]] = [
    ({"action": "setStage", "stage": "Propose"}, ("salesStage",), "Propose"),
    ({"Action": "set_stage", "stage": 40}, ("salesStage",), "Develop"),
    ({"action": "shareWithVendor"}, ("consent", "consentToShareReferralWithMicrosoftSellers"), True),
    ({"action": "win", "signedOn": "2026-11-01"}, ("substatus",), "Won"),
    ({"action": "lose", "reasonCode": "budget"}, ("substatus",), "Lost"),
    ({"action": "closeAsError", "reasonCode": "test", "comment": "A try"}, ("statusReason",), "A try"),
    ({"action": "editTeam", "members": [PERSON]}, ("team", 0, "email"), "ada@contoso.example"),
    ({"action": "editSolutions", "solutions": [{"id": "SOL-10002-CTS"}]},
     ("details", "requirements", "solutions", 0, "id"), "SOL-10002-CTS"),
    ({"action": "editContact", **PERSON}, ("customerProfile", "team", 0, "email"), "ada@contoso.example"),
    ({"action": "addNote", "text": "Hi"}, ("details", "notes"), "Hi"),
    ({"action": "requestHelp", "helpCode": "GeneralOrOther", "contact": {**PERSON, "consent": True}},
     ("inviteContext", "assistanceRequestCode"), "GeneralOrOther"),
    ({"action": "invitePartner", "partner": "4302001", "closeDate": "2099-01-01", "helpCode": "GeneralOrOther",
      "value": {"value": "5000", "currency": "eur"}, "team": [PERSON], "solutions": [{"id": "SOL-20001-FBK"}]},
     ("type",), "Shared"),
    ({"action": "editDetails", "name": "New", "value": "7.5", "currency": "EUR", "closeDate": "2099-01-01",
      "crmId": "", "campaignId": "", "marketplaceIntent": "yes"}, ("name",), "New"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "path", "value"), ACTIONS)
def test_each_action_is_carried_out(
    contoso: Api, deal: Referral, given: dict[str, Any], path: tuple[Any, ...], value: Any
) -> None:
    response = contoso.post(at(deal, "/actions"), given)
    assert response.status_code == 200, response.content
    body = response.json()
    assert body["lastModifiedVia"] == "Api"
    for step in path:
        body = body[step]
    assert body == value


def test_what_an_action_refuses_names_its_own_inputs(contoso: Api, deal: Referral) -> None:
    actions = at(deal, "/actions")
    assert problems(contoso.post(actions, {"action": "lose", "reasonCode": "?"})) == [("reason_required", "reasonCode")]
    assert contoso.post(actions, {"action": "expire"}).status_code == 400
    assert contoso.post(actions, {}).status_code == 400
    assert contoso.post(actions, []).status_code == 400
    assert contoso.post(actions, {"action": "accept", "name": "x"}).status_code == 400
    assert contoso.post(actions, {"action": "setStage", "stage": 20}, If_Match='"9"').status_code == 412
    unknown = contoso.post(actions, {**ACTIONS[11][0], "partner": "0"})
    assert problems(unknown) == [("unknown_partner", "partner")]
    accepted = contoso.post(actions, {"action": "decline", "reasonCode": "budget"})
    assert accepted.status_code == 409


def test_a_received_deal_is_accepted_by_an_action(vendor: Api, cast: Cast) -> None:
    copy = vendor_copy(DealFactory(cast=cast))
    Referral.objects.filter(pk=copy.pk).update(expires_at=build.NOW.replace(year=2099))
    given = {"action": "accept", "name": "Ours", "value": {"value": 9, "currency": "EUR"}, "closeDate": "2099-01-01"}
    refused = vendor.post(at(copy, "/actions"), given)
    assert problems(refused) == [("team_required", "team")]
    accepted = vendor.post(at(copy, "/actions"), {**given, "team": [PERSON]})
    assert (accepted.json()["substatus"], accepted.json()["name"]) == ("Accepted", "Ours")


def test_the_timeline_tells_what_the_deals_page_tells(contoso: Api, deal: Referral) -> None:
    contoso.patch(at(deal), [{"op": "replace", "path": "/salesStage", "value": "Develop"}])
    told = contoso.get(at(deal, "/timeline")).json()["value"]
    assert [entry["event"] for entry in told] == ["referral.stage_set", "referral.created"]
    assert told[0]["text"] == "Contoso Yazılım moved the sales stage: Created / accepted (10%) → Developed (40%)"
    assert len(contoso.get(at(deal, "/timeline?group=notes")).json()["value"]) == 0
    assert contoso.get(at(deal, "/timeline?group=none")).status_code == 400


def test_ref_23_notes_are_shared_or_the_companys_own(contoso: Api, vendor: Api, cast: Cast) -> None:
    deal = DealFactory(cast=cast)
    assert contoso.post(at(deal, "/notes"), {"text": "For all"}).status_code == 201
    own = contoso.post(at(deal, "/notes"), {"text": "For us", "shared": False})
    assert (own.json()["text"], own.json()["shared"]) == ("For us", False)
    assert [note["text"] for note in contoso.get(at(deal, "/notes")).json()["value"]] == ["For us", "For all"]
    copy = at(vendor_copy(deal), "/notes")
    assert [note["text"] for note in vendor.get(copy).json()["value"]] == ["For all"]
    assert problems(contoso.post(at(deal, "/notes"), {"text": " "})) == [("note_required", "text")]
    assert contoso.post(at(deal, "/notes"), {}).status_code == 400


def test_ref_19_a_star_is_a_persons(contoso: Api, deal: Referral) -> None:
    assert contoso.put(at(deal, "/favorite")).status_code == 403
    assert contoso.delete(at(deal, "/favorite")).status_code == 403


def test_solutions_and_partners_are_found_by_their_beginning(contoso: Api) -> None:
    found = contoso.get("/v1.0/solutions?search=sol-1000").json()["value"]
    assert [one["id"] for one in found] == ["SOL-10001-CTS", "SOL-10003-CTS", "SOL-10004-CTS", "SOL-10002-CTS"]
    (partner,) = contoso.get("/v1.0/partners?search=fab&country=de").json()["value"]
    assert (partner["name"], partner["mpnIds"]) == ("Fabrikam GmbH", ["4302001"])
    customers = contoso.get("/v1.0/customers?search=ISIK&country=tr").json()["value"]
    assert [one["name"] for one in customers] == ["Işık Lojistik"]


@pytest.mark.parametrize("place", ["customers", "solutions", "partners"])
def test_what_is_no_text_is_400(contoso: Api, place: str) -> None:
    assert contoso.get(f"/v1.0/{place}?search=a%00").status_code == 400
    assert contoso.get(f"/v1.0/{place}?search=a&country=%00").status_code in (200, 400)


def test_a_list_is_filtered_selected_and_paged(contoso: Api, cast: Cast) -> None:
    first, second = (DealFactory(cast=cast, name=name) for name in ("A", "B"))
    page = contoso.get(f"{REFERRALS}?$top=1&$select=name,eTag&$orderby=createdDateTime asc&$count=true").json()
    assert page["value"] == [{"name": "A", "eTag": '"1"'}]
    assert page["@odata.count"] == 2
    following = contoso.get(page["@odata.nextLink"].split("testserver")[-1].split("localhost")[-1]).json()
    assert [one["name"] for one in following["value"]] == ["B"]
    related = contoso.get(f"{REFERRALS}?$filter=engagementId eq {first.engagement.public_id}").json()["value"]
    assert {one["id"] for one in related} == {str(first.public_id), str(vendor_copy(first).public_id)}
    assert contoso.get(f"{REFERRALS}?$filter=salesStage eq").status_code == 400
    assert second.name == "B"
