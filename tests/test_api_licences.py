"""Consents, invitations and licences in the API (LIC-1 to LIC-7, wire.md)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from isvconnect.models import IsvDeal
from licensing.api.schema import InvitationShape, LicencesShape, NewInvitation, RelationshipShape
from licensing.models import Invitation, InvitationState, Licences
from licensing.services import invitations
from portal.api.models import Answer
from portal.demo.cast import Cast
from tests import licences
from tests.api import Api, make_client

CONSENTS, INVITED = "/v1.0/licensing/relationships", "/v1.0/licensing/invitations"


@pytest.fixture
def api(cast: Cast) -> Api:
    return Api(make_client(cast.companies["contoso"]))


def of(deal: IsvDeal, plan: str = "") -> str:
    return f"/v1.0/licensing/deals/{deal.public_id}/licenses" + (f"/{plan}" if plan else "")


def put(
    api: Api, deal: IsvDeal, tag: str = "*", *, relationship: Any = None, confirmed: bool = False, **counts: Any
) -> Any:
    body = {
        "licenses": [{"planId": code, "count": count} for code, count in counts.items()],
        "relationshipId": relationship and str(relationship.public_id),
        "otherCustomerConfirmed": confirmed,
    }
    return api.put(of(deal), body, If_Match=tag)


def codes(answer: Any) -> list[tuple[str, str]]:
    return [(detail["code"], detail["target"]) for detail in answer.json()["error"]["details"]]


def test_lic_2_counts_are_put_and_the_customer_is_fixed_by_the_first(cast: Cast, api: Api) -> None:
    deal = licences.isv_deal(cast)
    relationship = licences.consented(cast, deal)
    before = api.get(of(deal))
    assert (before.headers["ETag"], before.json()["relationshipId"], before.json()["licenses"]) == ('"0"', None, [])
    offered = [plan["planId"] for plan in before.json()["availablePlans"]]
    assert {"basic", "premium"} <= set(offered)
    assert "classic" not in offered
    assert set(before.json()) - {"@odata.context"} == set(LicencesShape().fields)
    assert codes(put(api, deal)) == [("customer_required", "relationshipId"), ("plan_required", "licenses")]
    done = put(api, deal, '"0"', relationship=relationship, basic=30)
    assert done.status_code == 200, done.content
    assert done.json()["licenses"] == [{"planId": "basic", "planName": "Basic", "count": 30, "assigned": 0}]
    assert done.json()["tenantId"] == str(licences.TENANT)
    again = put(api, deal, done.headers["ETag"], premium=2)  # others stay
    assert [(one["planId"], one["count"]) for one in again.json()["licenses"]] == [("basic", 30), ("premium", 2)]
    other = licences.consented(cast, licences.isv_deal(cast), tenant_guid=licences.OTHER_TENANT)
    for named in (other, IsvDeal(public_id=uuid.uuid4())):
        refused = put(api, deal, relationship=named, basic=31)
        assert (refused.status_code, codes(refused)) == (422, [("customer_fixed", "relationshipId")])


def test_lic_3_what_is_wrong_with_counts_stands_at_its_place(cast: Cast, api: Api) -> None:
    given = licences.given(cast, basic=10)
    licences.assigned(given, *licences.people(4))
    refused = put(api, given.deal, basic=3, premium=0, classic=1)
    assert refused.status_code == 422
    assert codes(refused) == [
        ("count_below_assigned", "licenses/0/count"),
        ("count_not_positive", "licenses/1/count"),
        ("plan_not_offered", "licenses/2/count"),
    ]
    assert "4 licences of Basic are assigned" in refused.json()["error"]["message"]
    assert codes(put(api, given.deal, nothing=1)) == [("plan_unknown", "licenses")]
    for count in (10**30, -1, None):
        assert put(api, given.deal, basic=count).status_code == 422, count
    for count in ("many", 1.5, [], {}):
        assert put(api, given.deal, basic=count).status_code == 400, count
    assert licences.counts(given) == {"basic": (10, 4)}


def test_lic_4_no_answer_has_an_address_of_the_customer_s(cast: Cast, api: Api) -> None:
    given = licences.given(cast)
    invited = licences.invited(cast, given.deal).invitation
    licences.assigned(given, *licences.people(2))
    for path in (CONSENTS, INVITED, f"{INVITED}/{invited.public_id}", of(given.deal), "/v1.0/events"):
        answer = api.get(path)
        assert answer.status_code == 200
        assert "@anadolu.example" not in answer.content.decode(), path


def test_wire_if_match_is_needed_and_an_old_version_refused(cast: Cast, api: Api) -> None:
    deal = licences.isv_deal(cast)
    relationship = licences.consented(cast, deal)
    assert api.put(of(deal), {"licenses": []}).status_code == 400
    assert put(api, deal, '"3"', relationship=relationship, basic=1).status_code == 412
    first = put(api, deal, '"0"', relationship=relationship, basic=1).headers["ETag"]
    assert put(api, deal, first, basic=2).status_code == 200
    assert put(api, deal, first, basic=3).status_code == 412
    assert put(api, deal, '"0"', relationship=relationship, basic=3).status_code == 412
    assert licences.counts(Licences.objects.get()) == {"basic": (2, 0)}


def test_lic_6_another_customer_is_confirmed(cast: Cast, api: Api) -> None:
    deal = licences.isv_deal(cast, tenant_guid=licences.OTHER_TENANT)
    relationship = licences.consented(cast, deal)
    assert codes(put(api, deal, relationship=relationship, basic=1)) == [("other_tenant", "otherCustomerConfirmed")]
    assert put(api, deal, relationship=relationship, basic=1, confirmed=True).status_code == 200


def test_lic_3_the_bin_names_how_many_lose_theirs(cast: Cast, api: Api) -> None:
    given = licences.given(cast, basic=10, premium=1)
    licences.assigned(given, *licences.people(4))
    assert api.delete(of(given.deal, "premium")).status_code == 204
    for said in ("", "?confirmedAssignments=3", "?confirmedAssignments=x"):
        refused = api.delete(of(given.deal, "basic") + said)
        assert codes(refused) == [("confirm_removal", "confirmedAssignments")], said
    assert api.delete(of(given.deal, "basic") + "?confirmedAssignments=4", If_Match='"1"').status_code == 412
    assert api.delete(of(given.deal, "basic") + "?confirmedAssignments=4").status_code == 204
    assert api.delete(of(given.deal, "basic") + "?confirmedAssignments=4").status_code == 404
    assert licences.counts(given) == {}


def test_lic_7_frozen_counts_are_lowered_only(cast: Cast, api: Api) -> None:
    given = licences.given(cast)
    licences.revoked(given.relationship)
    assert api.get(of(given.deal)).json()["frozenReason"] == "ConsentRevoked"
    assert codes(put(api, given.deal, basic=11)) == [("counts_frozen", "licenses/0/count")]
    assert put(api, given.deal, basic=9).status_code == 200


def test_lic_1_the_link_is_told_once_and_kept_nowhere(cast: Cast, api: Api) -> None:
    """An answer that is given again by its key doesn't repeat it."""
    deal = licences.isv_deal(cast)
    made = api.post(INVITED, {"dealId": str(deal.public_id)}, Idempotency_Key="k1")
    assert made.status_code == 201, made.content
    assert set(made.json()) - {"@odata.context"} == set(NewInvitation().fields)
    link = made.json()["link"]
    token = link.rstrip("/").rpartition("/")[2]
    found = invitations.of_token(token)
    assert found is not None
    assert made.json()["id"] == str(found.public_id)
    again = api.post(INVITED, {"dealId": str(deal.public_id)}, Idempotency_Key="k1")
    assert again.json() == {**made.json(), "link": None}
    assert token.encode() not in b"".join(bytes(kept.body) for kept in Answer.objects.all())
    assert Invitation.objects.count() == 1
    one = api.get(f"{INVITED}/{found.public_id}").json()
    assert set(one) - {"@odata.context"} == set(InvitationShape().fields)
    assert (one["status"], one["dealId"]) == ("Sent", str(deal.public_id))
    (listed,) = api.get(f"{INVITED}?$filter=status eq 'Sent' and dealId eq {deal.public_id}").json()["value"]
    assert listed == {key: value for key, value in one.items() if key != "@odata.context"}


def test_lic_1_an_invitation_is_withdrawn_and_answered_by_the_customer_only(cast: Cast, api: Api) -> None:
    invited = licences.invited(cast, licences.isv_deal(cast)).invitation
    actions = f"{INVITED}/{invited.public_id}/actions"
    assert [one["action"] for one in api.get(actions).json()["value"]] == ["withdraw"]
    for action in ("accept", "refuse"):
        assert api.post(actions, {"action": action}).status_code == 403
    assert api.post(actions, {"action": "withdraw"}).json()["status"] == "Withdrawn"
    assert api.post(actions, {"action": "withdraw"}).status_code == 409
    assert Invitation.objects.get().state == InvitationState.WITHDRAWN
    assert Client().get(f"/consent/{'x' * 20}/").status_code == 404


def test_org_6_what_is_another_company_s_is_unknown(cast: Cast, api: Api) -> None:
    given, stranger = licences.given(cast), Api(make_client(cast.companies["fabrikam"]))
    invited = licences.invited(cast, given.deal).invitation
    for method, path, body in [
        ("GET", of(given.deal), None),
        ("PUT", of(given.deal), {"licenses": []}),
        ("DELETE", of(given.deal, "basic"), None),
        ("GET", f"{CONSENTS}/{given.relationship.public_id}", None),
        ("GET", f"{INVITED}/{invited.public_id}", None),
        ("POST", INVITED, {"dealId": str(given.deal.public_id)}),
        ("POST", f"{INVITED}/{invited.public_id}/actions", {"action": "withdraw"}),
    ]:
        assert stranger.call(method, path, body, If_Match="*").status_code == 404, (method, path)
    for path in (CONSENTS, INVITED):
        assert stranger.get(path).json()["value"] == []
    assert set(api.get(f"{CONSENTS}/{given.relationship.public_id}").json()) - {"@odata.context"} == set(
        RelationshipShape().fields
    )
    assert len(api.get(f"{CONSENTS}?$filter=status eq 'Consented'").json()["value"]) == 1


def test_lic_3_a_plan_of_the_solution_that_the_deal_had_is_changed_and_removed(cast: Cast, api: Api) -> None:
    """LIC-3, ISV-5: the deal was corrected after the first update; its licences stay, and so do both ways."""
    deal = licences.isv_deal(cast)
    licences.updated(cast, deal, licences.consented(cast, deal), basic=3)
    now = IsvDeal.objects.get(pk=deal.pk)
    now.solution = cast.solutions["field"]
    now.save()
    licences.plans(now.solution)
    assert [one["planId"] for one in api.get(of(deal)).json()["licenses"]] == ["basic"]
    assert put(api, deal, basic=2).json()["licenses"][0]["count"] == 2
    assert api.delete(of(deal, "basic")).status_code == 204
    assert api.get(of(deal)).json()["licenses"] == []
