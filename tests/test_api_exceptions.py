"""Exceptions as resources of the API: asked for, checked, read, acted on, and announced (wire.md)."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dealreg.models import Document
from exceptions_council.api import webhooks
from exceptions_council.api.schema import ExceptionResource, ExceptionShape
from exceptions_council.models import ExceptionRequest
from exceptions_council.rules import MITIGATIONS
from exceptions_council.verbs import MACHINE
from portal.accounts import rules as roles
from portal.api.http.actions import camel
from portal.demo.cast import Cast
from portal.events.models import Event
from referrals.models import Referral
from tests import build, do, exceptions
from tests.api import Api, make_client
from tests.edge import Live
from tests.files import GOOD

ALL = "/v1.0/exceptions"
WHY = "The portal was down when the contract was signed."


@pytest.fixture
def council(cast: Cast) -> Api:
    return Api(make_client(cast.companies["vendor"], role=roles.COUNCIL_MEMBER, client_id="council"))


def ineligible(live: Live) -> Referral:
    return live.won(customer=exceptions.unmanaged())


def value(live: Live, deal: Referral, **changes: Any) -> dict[str, Any]:
    contract = {
        "term": "Finite",
        "signDateTime": f"{live.day(-100)}T00:00:00Z",
        "startDateTime": f"{live.day(-100)}T00:00:00Z",
        "endDateTime": f"{live.day(264)}T00:00:00Z",
    }
    given = {"referralId": str(deal.public_id), "kind": "PreRegistration", "justification": WHY, "contract": contract}
    return {**given, **changes}


def asked(live: Live, deal: Referral | None = None) -> ExceptionRequest:
    form = exceptions.asking(signed=live.day(-100), start=live.day(-100), end=live.day(264))
    return do.ask_exception(deal or ineligible(live), form, actor=live.cast.actor(build.CONTOSO), now=live.now)


def one(request: ExceptionRequest, rest: str = "") -> str:
    return f"{ALL}/{request.public_id}{rest}"


def details(answer: Any) -> dict[str, str]:
    return {detail["target"]: detail["code"] for detail in answer.json()["error"]["details"]}


# Asking -----------------------------------------------------------------------------------------------------------


def test_exc_1_a_client_asks_once_for_each_deal(live: Live, contoso: Api) -> None:
    deal = ineligible(live)
    version = deal.version
    answer = contoso.post(ALL, value(live, deal))
    assert answer.status_code == 201, answer.content
    body = answer.json()
    request = ExceptionRequest.objects.get()
    assert answer["Location"].endswith(one(request))
    assert body["eTag"] == answer["ETag"] == f'"{request.version}"'
    assert set(body) - {"@odata.context"} == set(ExceptionResource().fields)
    assert (body["kind"], body["status"], body["contract"]["term"]) == ("PreRegistration", "Submitted", "Finite")
    assert (request.signed, request.justification) == (live.day(-100), WHY)
    again = contoso.post(ALL, value(live, deal))
    assert (again.status_code, details(again)[""]) == (422, "exception_asked_already")
    assert ExceptionRequest.objects.count() == 1
    seen = contoso.get(f"/v1.0/engagements/referrals/{deal.public_id}").json()
    assert seen["exception"]["id"] == str(request.public_id)
    assert seen["exception"]["status"] == "Submitted"
    assert Referral.objects.get(pk=deal.pk).version == version + 1


def test_exc_4_the_check_names_each_refused_property_with_its_mitigation_and_writes_nothing(
    live: Live, contoso: Api
) -> None:
    deal = ineligible(live)
    solution = {
        "primaryDeploymentOn": "Partner",
        "isDeployedOnAzure": False,
        "value": 5,
        "pricingModel": "Other",
        "marketplaceTransactionDetails": {
            "isMarketplaceTransacted": True,
            "marketplaceTransactionDateTime": "2026-12-01T00:00:00Z",
        },
    }
    sent = value(live, deal, solutionDetails=[solution], customerProfile={"name": "Other"}, justification="")
    body = contoso.post(f"{ALL}/check", sent).json()
    found = {violation["target"]: violation for violation in body["violations"]}
    assert found["justification"]["code"] == "justification_required"
    assert found["solutionDetails/0/primaryDeploymentOn"]["message"] == MITIGATIONS["tenant"]
    assert found["solutionDetails/0/isDeployedOnAzure"]["message"] == MITIGATIONS["deployment"]
    assert found["customerProfile"]["message"] == MITIGATIONS["customer"]
    assert len([v for v in body["violations"] if v["code"] == "field_not_changeable"]) == len(MITIGATIONS)
    kinds = {kind["kind"]: kind["enabled"] for kind in body["kinds"]}
    assert kinds == {"PreRegistration": True, "Rejected": False, "Update": False, "Reregistration": True}
    assert contoso.post(f"{ALL}/check", value(live, deal)).json()["violations"] == []
    assert not ExceptionRequest.objects.exists()


def test_exc_13_bad_values_are_named_and_foreign_deals_are_unknown(live: Live, contoso: Api, fabrikam: Api) -> None:
    deal = ineligible(live)
    wrong = value(live, deal, kind="Other")
    assert contoso.post(ALL, wrong).status_code == 400
    assert contoso.post(ALL, {}).status_code == 400
    for other in ("nonsense", "00000000-0000-0000-0000-000000000000"):
        answer = contoso.post(ALL, value(live, deal, kind="Reregistration", replacesReferralId=other))
        assert details(answer)["replacesReferralId"] == "old_deal_unknown"
        assert contoso.post(ALL, value(live, deal, referralId=other)).status_code == 404
    assert fabrikam.post(ALL, value(live, deal)).status_code == 404
    assert fabrikam.post(f"{ALL}/check", value(live, deal)).status_code == 404


def test_exc_10_without_the_role_nothing_is_asked(live: Live, cast: Cast) -> None:
    viewer = Api(make_client(cast.companies["contoso"], role=roles.VIEWER, client_id="reads"))
    assert viewer.post(ALL, value(live, ineligible(live))).status_code == 403


# Reading ----------------------------------------------------------------------------------------------------------


def test_the_list_is_filtered_counted_and_the_companys_own(
    live: Live, contoso: Api, fabrikam: Api, council: Api
) -> None:
    first, second = asked(live), exceptions.denied(live.cast, asked(live), now=live.now)
    everything = contoso.get(f"{ALL}?$count=true").json()
    assert everything["@odata.count"] == 2
    assert set(everything["value"][0]) == set(ExceptionShape().fields)
    assert [row["id"] for row in contoso.get(f"{ALL}?$filter=status eq 'Denied'").json()["value"]] == [
        str(second.public_id)
    ]
    of_deal = f"{ALL}?$filter=referralId eq {first.referral.public_id}&$select=id,kind"
    assert contoso.get(of_deal).json()["value"] == [{"id": str(first.public_id), "kind": "PreRegistration"}]
    assert contoso.get(f"{ALL}?$filter=votes eq 1").status_code == 400
    assert fabrikam.get(ALL).json()["value"] == []
    assert fabrikam.get(one(first)).status_code == 404
    assert len(council.get(ALL).json()["value"]) == 2
    seller = Api(make_client(live.cast.companies["vendor"], role=roles.SELLER, client_id="sells"))
    assert seller.get(ALL).json()["value"] == []


def test_the_list_asks_as_often_for_many_as_for_few(live: Live, contoso: Api) -> None:
    asked(live)
    contoso.get(ALL)
    with CaptureQueriesContext(connection) as few:
        contoso.get(ALL)
    asked(live)
    asked(live)
    with CaptureQueriesContext(connection) as many:
        contoso.get(ALL)
    assert len(many) == len(few)


def test_exc_8_votes_are_counts_and_the_letter_comes_with_the_decision(live: Live, contoso: Api) -> None:
    request = exceptions.vote(live.cast, asked(live), "approve", now=live.now)
    body = contoso.get(one(request)).json()
    assert body["votes"] == {"given": 1, "needed": 2, "approve": None, "deny": None}
    assert body["letters"] == []
    assert "As the contract shows." not in str(body)
    exceptions.vote(live.cast, request, "approve", members=exceptions.COUNCIL[1:], now=live.now)
    body = contoso.get(one(request)).json()
    assert body["votes"] == {"given": 2, "needed": 2, "approve": 2, "deny": 0}
    assert {letter["language"] for letter in body["letters"]} == {"en", "tr"}
    assert body["openUntilDateTime"].startswith(str(live.day(60)))


# Acting -----------------------------------------------------------------------------------------------------------


def test_exc_11_the_partners_client_answers_the_council_under_if_match(live: Live, contoso: Api) -> None:
    request = asked(live)
    listed = {row["action"]: row for row in contoso.get(one(request, "/actions")).json()["value"]}
    assert set(listed) == {"answerEvidence"}
    assert not listed["answerEvidence"]["enabled"]
    wrong = contoso.post(one(request, "/actions"), {"action": "answerEvidence", "answer": "Here."})
    assert wrong.status_code == 409
    request = do.ask_evidence(request, "The contract?", actor=live.cast.actor(build.REVIEWER), now=live.now)
    old = contoso.post(one(request, "/actions"), {"action": "answerEvidence", "answer": "Here."}, If_Match='"1"')
    assert old.status_code == 412
    empty = contoso.post(one(request, "/actions"), {"action": "answerEvidence", "answer": " "})
    assert (empty.status_code, details(empty)["answer"]) == (422, "answer_required")
    given = {"action": "answerEvidence", "answer": "Here."}
    done = contoso.post(one(request, "/actions"), given, If_Match=f'"{request.version}"')
    assert done.status_code == 200, done.content
    assert done.json()["evidence"][0]["answer"] == "Here."
    assert done["ETag"] == f'"{exceptions.reload(request).version}"'


def test_exc_8_only_persons_vote(live: Live, contoso: Api, council: Api) -> None:
    request = asked(live)
    ballot = {"action": "vote", "choice": "approve", "rationale": "Fine."}
    assert contoso.post(one(request, "/actions"), ballot).status_code == 403
    assert council.post(one(request, "/actions"), ballot).status_code == 403
    unknown = council.post(one(request, "/actions"), {"action": "evidenceUnanswered"})
    assert unknown.status_code == 400
    people = {camel(verb.name) for verb in MACHINE.verbs if not verb.by_worker}
    assert all(name in unknown.json()["error"]["message"] for name in people)


def test_reg_16_the_documents_are_the_deals(live: Live, contoso: Api, fabrikam: Api, council: Api) -> None:
    request = asked(live)
    file = SimpleUploadedFile("contract.pdf", GOOD["pdf"], "application/pdf")
    sent = contoso.http.post(
        one(request, "/documents"), {"file": file}, headers={"Authorization": f"Bearer {contoso.token}"}
    )
    assert sent.status_code == 201, sent.content
    document = Document.objects.get()
    assert document.referral_id == request.referral_id
    assert sent["Location"].endswith(one(request, f"/documents/{document.public_id}"))
    listed = contoso.get(one(request, "/documents")).json()["value"]
    assert [row["name"] for row in listed] == ["contract.pdf"]
    assert council.get(one(request, "/documents")).json()["value"] == listed
    assert fabrikam.get(one(request, "/documents")).status_code == 404
    assert contoso.delete(one(request, f"/documents/{document.public_id}")).status_code == 204


# Webhooks ---------------------------------------------------------------------------------------------------------


def test_webhooks_tell_the_company_of_what_it_sees_and_the_vendor_of_everything(live: Live, cast: Cast) -> None:
    request = exceptions.vote(cast, asked(live), "approve", now=live.now)
    ours, vendor = cast.companies["contoso"].pk, cast.companies["vendor"].pk
    events = list(Event.objects.of_subject(request).order_by("pk"))
    told = [(a.event.verb, a.company_id, a.name) for a in webhooks.announce(events, [ours, vendor])]
    assert ("exception.asked", ours, "exception-updated") in told
    assert ("exception.asked", ours, "referral-updated") in told
    assert ("exception.voted", vendor, "exception-updated") in told
    assert not [row for row in told if row[:2] == ("exception.voted", ours)]
    stranger = cast.companies["fabrikam"].pk
    assert list(webhooks.announce(events, [stranger])) == []
    own = webhooks.find(events, cast.actor(build.CONTOSO))
    assert {event.verb for event in events if event.pk in own} == {"exception.asked"}
    assert {r.path for r in own.values()} == {one(request)}
