"""Registrations as resources of the API: lists, actions, documents, and the vendor's marketplace transactions."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dealreg.api.schema import RegistrationResource
from dealreg.models import Document, MarketplaceTransaction, Registration
from dealreg.verbs import MACHINE
from portal.accounts import rules as roles
from portal.api.http.actions import camel
from portal.demo.cast import Cast
from tests import build, do
from tests.api import Api, make_client
from tests.build import CONTOSO, DAY, NOW
from tests.files import GOOD
from tests.test_api_registrations import at, partner_led, sent
from tests.test_dealreg import BIG

ALL = "/v1.0/registrations"
SALES = "/v1.0/marketplace/transactions"
PDF = GOOD["pdf"]


@pytest.fixture
def reviewer(cast: Cast) -> Api:
    return Api(make_client(cast.companies["vendor"], role=roles.REVIEWER, client_id="reviews"))


@pytest.fixture
def manager(cast: Cast) -> Api:
    return Api(make_client(cast.companies["vendor"], role=roles.PROGRAMME_MANAGER, client_id="vendor-ops"))


def one(registration: Registration, rest: str = "") -> str:
    return f"{ALL}/{registration.public_id}{rest}"


def act(api: Api, registration: Registration, action: str, **given: Any) -> Any:
    return api.post(one(registration, "/actions"), {"action": action, **given})


def codes(answer: Any) -> list[str]:
    return [detail["code"] for detail in answer.json()["error"]["details"]]


# Reading ---------------------------------------------------------------------------------------------------------


def test_a_registration_by_itself(cast: Cast, contoso: Api) -> None:
    filed = build.submitted(cast, build.won(cast), routed=True)
    answer = contoso.get(one(filed))
    body = answer.json()
    assert set(body) - {"@odata.context"} == set(RegistrationResource().fields)
    assert body["eTag"] == answer.headers["ETag"] == f'"{filed.version}"'
    assert body["referralId"] == str(filed.referral.public_id)
    assert body["organizationName"] == "Contoso Yazılım"


def test_the_list_is_filtered_sorted_and_counted(cast: Cast, contoso: Api) -> None:
    build.won(cast)
    approved = build.submitted(cast, build.won(cast), routed=True)
    review = build.in_review(cast)
    everything = contoso.get(f"{ALL}?$count=true").json()
    assert everything["@odata.count"] == 3
    assert [item["status"] for item in everything["value"]].count("None") == 1

    def ids(query: str) -> list[str]:
        answer = contoso.get(f"{ALL}?{query}")
        assert answer.status_code == 200, answer.content
        return [item["id"] for item in answer.json()["value"]]

    assert ids("$filter=status eq 'ReviewPending'") == [str(review.public_id)]
    assert ids("$filter=status eq 'Approved' and registrationDateTime le 2026-11-18T12:00:00Z") == [
        str(approved.public_id)
    ]
    assert ids("$filter=contract/value gt 1000000&$select=id,status") == [str(review.public_id)]
    assert ids(f"$filter=referralId eq {approved.referral.public_id}") == [str(approved.public_id)]
    first = contoso.get(f"{ALL}?$top=2&$orderby=createdDateTime asc").json()
    assert len(contoso.get(first["@odata.nextLink"].partition("8000")[2]).json()["value"]) == 1
    assert contoso.get(f"{ALL}?$filter=comment eq 'x'").status_code == 400


def test_a_list_of_many_takes_few_queries(cast: Cast, contoso: Api) -> None:
    for _number in range(3):
        build.submitted(cast, build.won(cast), routed=True)
    contoso.get(ALL)
    with CaptureQueriesContext(connection) as asked:
        assert len(contoso.get(ALL).json()["value"]) == 3
    assert len(asked) <= 3
    filed = Registration.objects.first()
    assert filed is not None
    with CaptureQueriesContext(connection) as asked:
        contoso.get(one(filed))
    assert len(asked) <= 4


def test_org_6_registrations_are_their_companys_and_the_administrations(
    cast: Cast, contoso: Api, fabrikam: Api, reviewer: Api
) -> None:
    filed = build.submitted(cast, partner_led(cast), routed=True)
    seller = Api(make_client(cast.companies["vendor"], role=roles.SELLER, client_id="sells"))
    for api, sees in ((contoso, True), (reviewer, True), (fabrikam, False), (seller, False)):
        assert len(api.get(ALL).json()["value"]) == sees
        for path in ("", "/actions", "/documents"):
            assert api.get(one(filed, path)).status_code == (200 if sees else 404)


# Acting ----------------------------------------------------------------------------------------------------------


def test_every_verb_that_a_person_runs_has_its_action(cast: Cast, contoso: Api, reviewer: Api, manager: Api) -> None:
    offered = {camel(verb.name) for verb in MACHINE.verbs if not verb.by_worker}
    filed = build.submitted(cast, partner_led(cast), routed=True)
    listed: dict[str, list[str]] = {}
    for api in (contoso, reviewer, manager):
        listed |= {item["action"]: item["inputs"] for item in api.get(one(filed, "/actions")).json()["value"]}
    assert set(listed) == offered
    assert {"submit", "closeUnregistered", "registerAfterAll", "resubmit", "withdraw", "revalidate"} <= offered
    assert listed["submit"][:3] == ["type", "contract", "solutionDetails"]
    assert listed["passReview"] == ["comment", "validatedBy"]
    assert listed["requireAction"] == ["comment", "reasonCode"]
    assert listed["withdraw"] == []


def test_actions_tell_what_stands_in_their_way(cast: Cast, contoso: Api) -> None:
    opened = Registration.objects.get(referral=build.won(cast))
    listed = contoso.get(one(opened, "/actions")).json()["value"]
    by_name = {action["action"]: action for action in listed}
    assert by_name["submit"]["enabled"] is True
    assert by_name["closeUnregistered"]["enabled"] is True
    assert [b["code"] for b in by_name["withdraw"]["blockers"]] == ["wrong_state"]
    assert "passReview" not in by_name


def test_a_partners_actions(cast: Cast, contoso: Api) -> None:
    opened = Registration.objects.get(referral=build.won(cast))
    answer = act(contoso, opened, "CloseUnregistered")
    assert (answer.status_code, answer.json()["status"], answer.json()["outcome"]) == (200, "Closed", "NotRegistered")
    assert contoso.get(at(opened.referral)).json()["registrations"] == []
    assert act(contoso, opened, "registerAfterAll").json()["status"] == "None"
    empty = act(contoso, opened, "submit")
    assert empty.status_code == 422
    assert empty.json()["error"]["target"].startswith("registrations/0/")
    filed = act(contoso, opened, "submit", **sent(build.form(tcv=BIG)))
    assert filed.status_code == 200, filed.content
    assert filed.json()["submittedDateTime"]
    again = act(contoso, opened, "submit", **sent(build.form(tcv=BIG)))
    assert (again.status_code, codes(again)) == (409, ["wrong_state"])
    assert act(contoso, opened, "passReview", validatedBy="poe").status_code == 403
    assert act(contoso, opened, "dance").status_code == 400
    assert contoso.post(one(opened, "/actions"), [1]).status_code == 400


def test_a_reviewers_actions(cast: Cast, contoso: Api, reviewer: Api) -> None:
    filed = build.in_review(cast)
    refused = act(reviewer, filed, "requireAction", reasonCode="none", comment=" ")
    assert refused.status_code == 422
    assert [detail["target"] for detail in refused.json()["error"]["details"]] == ["reasonCode", "comment"]
    back = act(reviewer, filed, "requireAction", reasonCode="other", comment="Correct the start.")
    assert (back.status_code, back.json()["status"]) == (200, "ActionRequired")
    sent_again = act(contoso, filed, "resubmit", **sent(build.form(tcv=BIG)))
    assert (sent_again.status_code, sent_again.json()["status"]) == (200, "ReviewPending")
    passed = act(reviewer, filed, "passReview", validatedBy="poe", comment="Fine.")
    assert (passed.status_code, passed.json()["status"]) == (200, "Passed")
    kept = Registration.objects.get(pk=filed.pk)
    assert (kept.validated_by, kept.comment) == ("poe", "Fine.")


def test_flow_7_a_decision_on_an_old_version_is_412(cast: Cast, reviewer: Api) -> None:
    filed = build.in_review(cast)
    answer = reviewer.post(
        one(filed, "/actions"), {"action": "passReview", "validatedBy": "poe"}, If_Match=f'"{filed.version - 1}"'
    )
    assert answer.status_code == 412
    assert answer.json()["error"]["code"] == "resourceModified"


def test_a_pay_as_you_go_approval_is_revalidated(cast: Cast, contoso: Api, reviewer: Api) -> None:
    form = build.form(pricing="payg", end=(NOW - DAY).date(), tcv=BIG)
    filed = do.route(
        do.submit(Registration.objects.get(referral=build.won(cast)), form, actor=cast.actor(CONTOSO), now=NOW), now=NOW
    )
    assert act(reviewer, filed, "passReview", validatedBy="poe").status_code == 200
    less = act(contoso, filed, "revalidate", contract={"value": 5}, solutionDetails=[{"value": 5}])
    assert less.status_code == 422
    assert "registrations/0/contract/value" in [detail["target"] for detail in less.json()["error"]["details"]]
    assert act(contoso, filed, "revalidate", contract={"value": "x"}).status_code == 400


# Documents -------------------------------------------------------------------------------------------------------


def test_reg_16_documents_up_and_down(cast: Cast, contoso: Api, fabrikam: Api, reviewer: Api) -> None:
    filed = build.submitted(cast, build.won(cast), routed=True)
    here = one(filed, "/documents")
    added = contoso.call(
        "POST", here, PDF, Content_Type="application/pdf", Content_Disposition='attachment; filename="Signed Ü.pdf"'
    )
    assert added.status_code == 201, added.content
    body = added.json()
    assert (body["contentType"], body["size"], body["addedBy"]) == ("application/pdf", len(PDF), "Contoso Yazılım CRM")
    form = contoso.http.post(
        here,
        {"file": SimpleUploadedFile("again.pdf", PDF)},
        headers={"Authorization": f"Bearer {contoso.token}"},
    )
    assert (form.status_code, codes(form)) == (422, ["document_duplicate"])
    assert form.json()["error"]["target"] == "file"
    assert [one["id"] for one in reviewer.get(here).json()["value"]] == [body["id"]]
    file = contoso.get(f"{here}/{body['id']}", Accept="application/pdf")
    assert (file.status_code, b"".join(file.streaming_content)) == (200, PDF)
    assert file.headers["Content-Type"] == "application/pdf"
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert reviewer.delete(f"{here}/{body['id']}").status_code == 403
    assert fabrikam.get(f"{here}/{body['id']}").status_code == 404
    kept = contoso.delete(f"{here}/{body['id']}")
    assert (kept.status_code, codes(kept)) == (422, ["document_is_evidence"])


def test_reg_16_a_document_before_the_submission_can_be_removed(cast: Cast, contoso: Api) -> None:
    opened = Registration.objects.get(referral=build.won(cast))
    here = one(opened, "/documents")
    added = contoso.call(
        "POST", here, PDF, Content_Type="application/pdf", Content_Disposition="attachment; filename=a.pdf"
    )
    assert contoso.delete(f"{here}/{added.json()['id']}").status_code == 204
    assert contoso.get(here).json()["value"] == []
    assert Document.objects.get().added_by is None


def test_reg_16_no_file_and_the_wrong_file(cast: Cast, contoso: Api) -> None:
    here = one(Registration.objects.get(referral=build.won(cast)), "/documents")
    assert contoso.call("POST", here, b"x", Content_Type="application/pdf").status_code == 400
    refused = contoso.call(
        "POST", here, b"<html>", Content_Type="application/pdf", Content_Disposition="attachment; filename=a.pdf"
    )
    assert (refused.status_code, codes(refused)) == (422, ["document_type"])


# Marketplace transactions ----------------------------------------------------------------------------------------


def sale(cast: Cast, **changes: Any) -> dict[str, Any]:
    return {
        "transactionId": "MP-1/2",
        "partner": "Contoso Yazılım",
        "customer": str(cast.customers["anadolu"].public_id),
        "solution": cast.solutions["factory"].code,
        "date": "2026-11-10T00:00:00Z",
        "amount": "18500.50",
        "currency": "EUR",
        **changes,
    }


def test_flow_3_a_transaction_is_taken_in_once(cast: Cast, manager: Api, contoso: Api) -> None:
    first = manager.post(SALES, sale(cast))
    assert first.status_code == 201, first.content
    assert (first.json()["state"], first.json()["source"], first.json()["amount"]) == ("Free", "api", 18_500.5)
    again = manager.post(SALES, sale(cast))
    assert (again.status_code, again.json()) == (200, first.json())
    other = manager.post(SALES, sale(cast, amount=5))
    assert (other.status_code, codes(other)) == (409, ["transaction_differs"])
    assert MarketplaceTransaction.objects.get().created_by is None
    assert manager.get(f"{SALES}/MP-1/2").json() == first.json()
    assert len(manager.get(f"{SALES}?$filter=state eq 'Free' and date ge 2026-11-10").json()["value"]) == 1
    assert contoso.post(SALES, sale(cast)).status_code == 403
    assert contoso.get(SALES).status_code == 403


def test_flow_3_everything_wrong_with_a_transaction_at_once(cast: Cast, manager: Api) -> None:
    wrong = sale(cast, partner="Nobody", customer="1", solution="X", date="2099-01-01", amount=0, currency="XXX")
    answer = manager.post(SALES, wrong)
    assert answer.status_code == 422
    targets = {detail["target"] for detail in answer.json()["error"]["details"]}
    assert targets == {"partner", "customer", "solution", "date", "amount", "currency"}
    assert manager.post(SALES, {}).status_code == 400


def test_flow_3_a_wrong_transaction_is_voided(cast: Cast, manager: Api) -> None:
    manager.post(SALES, sale(cast))
    here = f"{SALES}/MP-1/2/actions"
    assert manager.post(here, {"action": "void"}).status_code == 422
    voided = manager.post(here, {"action": "void", "reason": "Typed twice"})
    assert (voided.status_code, voided.json()["state"], voided.json()["voidReason"]) == (200, "Voided", "Typed twice")
    assert manager.post(here, {"action": "void", "reason": "Again"}).status_code == 422
    assert manager.post(f"{SALES}/MP-9/actions", {"action": "void"}).status_code == 404
