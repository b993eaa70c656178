"""ISV Connect as resources of the API: reported, checked, corrected, acted on, invoiced and announced (wire.md)."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from isvconnect.api import webhooks
from isvconnect.api.schema import InvoiceResource, InvoiceShape, IsvDealResource, IsvDealShape
from isvconnect.models import FeeRate, Invoice, IsvDeal
from isvconnect.verbs import MACHINE
from portal.accounts import rules as roles
from portal.api.http.actions import camel
from portal.customers.models import Customer
from portal.demo.cast import ANKARA, Cast
from portal.events.models import Event
from referrals.models import Referral
from tests import build, isv
from tests.api import Api, make_client
from tests.edge import Live
from tests.test_feed import settled

DEALS, INVOICES = "/v1.0/isvconnect/deals", "/v1.0/isvconnect/invoices"


@pytest.fixture
def manager(cast: Cast) -> Api:
    return Api(make_client(cast.companies["vendor"], role=roles.PROGRAMME_MANAGER, client_id="manages"))


def value(live: Live, **changes: Any) -> dict[str, Any]:
    """A sale of a year from yesterday on, 12,000 of 15,000 EUR for the solution, where the customer has an id."""
    customer = live.cast.customers["anadolu"]
    given = {
        "mpnId": "4301001",
        "customerProfile": {"ids": {"External": str(customer.public_id)}},
        "contract": {
            "value": 15_000,
            "currency": "EUR",
            "signDateTime": f"{live.day(-1)}T00:00:00Z",
            "startDateTime": f"{live.day(-1)}T00:00:00Z",
            "endDateTime": f"{live.day(363)}T00:00:00Z",
        },
        "solution": {
            "id": isv.tagged(live.cast).code,
            "value": 12_000,
            "currency": "EUR",
            "isDeployedOnAzure": True,
            "primaryDeploymentOn": "Customer",
            "tenantId": str(isv.TENANT),
        },
        "contact": {"firstName": "Umut", "lastName": "Öztürk", "phoneNumber": "+90 212", "email": "u@contoso.example"},
    }
    return {**given, **changes}


def dated(live: Live, **changes: Any) -> dict[str, Any]:
    """For isv.deal(): of these days."""
    return {"now": live.now, "signed": live.day(-1), "start": live.day(-1), "end": live.day(363), **changes}


def deal(live: Live, **changes: Any) -> IsvDeal:
    return isv.deal(live.cast, **dated(live, **changes))


def invoiced(live: Live, **changes: Any) -> IsvDeal:
    """Of two years, reported two days ago; the first invoice came a day later."""
    isv.rates(live.cast, now=live.now)
    days = {"now": live.ago(2), "signed": live.day(-3), "start": live.day(-3), "end": live.day(700)}
    return isv.invoiced(live.cast, **{**days, **changes})


def one(found: IsvDeal, rest: str = "") -> str:
    return f"{DEALS}/{found.public_id}{rest}"


def details(answer: Any) -> dict[str, str]:
    return {detail["target"]: detail["code"] for detail in answer.json()["error"]["details"]}


# Reporting --------------------------------------------------------------------------------------------------------


def test_isv_2_a_client_reports_a_sale_that_comes_from_no_referral(live: Live, contoso: Api) -> None:
    isv.rates(live.cast, now=live.now)
    answer = contoso.post(DEALS, value(live))
    assert answer.status_code == 201, answer.content
    body, made = answer.json(), IsvDeal.objects.get()
    assert answer["Location"].endswith(one(made))
    assert body["eTag"] == answer["ETag"] == f'"{made.version}"'
    assert set(body) - {"@odata.context"} == set(IsvDealResource().fields)
    assert (body["status"], body["incentive"], body["feePercent"]) == ("Submitted", "Premium", 20)
    assert body["referralId"] is None
    assert body["contract"]["valueUsd"] == 16_500
    assert body["solution"]["rateMonth"] == f"{live.now:%Y-%m}"
    (year,) = body["schedule"]
    assert (year["share"], year["fee"], year["isIssued"]) == (12_000, 2_400, False)
    assert year["dueDateTime"].startswith(str(live.day(1)))
    assert (made.contact_last_name, made.tenant_guid) == ("Öztürk", isv.TENANT)


def test_isv_4_with_a_referral_the_rest_is_taken_from_it(live: Live, contoso: Api) -> None:
    registration = live.approved(isv.won(live.cast, at=live.ago(1), created=live.ago(10)))
    referral = registration.referral
    sent = {"referralId": str(referral.public_id), "solution": {"tenantId": str(isv.TENANT)}}
    body = contoso.post(f"{DEALS}/check", sent).json()
    assert body["violations"] == [], body
    answer = contoso.post(DEALS, sent)
    assert answer.status_code == 201, answer.content
    made = IsvDeal.objects.get()
    assert (made.referral, made.customer) == (referral, referral.engagement.customer)
    assert (made.tcv, made.signed) == (registration.tcv, registration.signed)
    again = contoso.post(DEALS, sent)
    assert (again.status_code, details(again)[""]) == (422, "isv_deal_exists")
    found = contoso.get(f"{DEALS}?$filter=referralId eq {referral.public_id}&$select=id").json()["value"]
    assert found == [{"id": str(made.public_id)}]


def test_isv_3_all_violations_come_at_once_each_at_its_path(live: Live, contoso: Api) -> None:
    wrong = value(live, contract={"value": 5_000, "currency": "USD", "signDateTime": str(live.day(2))}, contact={})
    answer = contoso.post(DEALS, wrong)
    assert answer.status_code == 422
    found = details(answer)
    assert found["contract/signDateTime"] == "signed_in_future"
    assert found["contract/startDateTime"] == "start_required"
    assert found["contact/email"] == "contact_email_required"
    assert found["contract/value"] == "isv_value_not_above_minimum"
    empty = details(contoso.post(DEALS, {}))
    assert {"mpnId", "customerProfile", "solution/id", "solution/value", "solution/primaryDeploymentOn"} <= set(empty)
    unknown = value(live, mpnId="nobody", solution={"id": "SOL-20001-FBK"})
    found = details(contoso.post(DEALS, unknown))
    assert (found["mpnId"], found["solution/id"]) == ("location_not_yours", "solution_not_tagged")
    for unreadable in ({"contract": {"value": "much"}}, {"solution": {"tenantId": "x"}}, [], "x"):
        assert contoso.post(DEALS, unreadable).status_code == 400, unreadable
    assert not IsvDeal.objects.exists()


def test_a_customer_of_no_entry_is_added_and_a_dry_run_adds_none(live: Live, contoso: Api) -> None:
    profile = {"name": "Yeni Fırın", "address": {"country": "DE", "city": "Berlin"}}
    before = Customer.objects.count()
    sent = value(live, customerProfile=profile, mpnId=None)
    body = contoso.post(f"{DEALS}/check", sent).json()
    assert body["violations"] == []
    assert Customer.objects.count() == before
    assert not Event.objects.filter(verb="customer.named").exists()
    wrong = contoso.post(DEALS, value(live, customerProfile={"name": "Yeni Fırın"}))
    assert set(details(wrong)) == {"customerProfile/address/country"}
    assert Customer.objects.count() == before
    made = contoso.post(DEALS, sent).json()
    assert not made["customerProfile"]["isMatchingComplete"]
    assert made["mpnId"] == "4301003"  # the nearest of the company's own (REF-10)


def test_isv_6_the_check_tells_the_invoices_there_would_be(live: Live, contoso: Api) -> None:
    waits = contoso.post(f"{DEALS}/check", value(live)).json()
    assert (waits["feePercent"], waits["invoices"][0]["fee"]) == (None, None)
    isv.rates(live.cast, now=live.now)
    body = contoso.post(f"{DEALS}/check", value(live)).json()
    assert (body["incentive"], body["feePercent"]) == ("Premium", 20)
    month = f"{live.now:%Y-%m}"
    assert body["contractValue"] == {"value": 15_000, "currency": "EUR", "valueUsd": 16_500, "rateMonth": month}
    assert body["solutionValue"]["valueUsd"] == 13_200
    assert [(year["number"], year["share"], year["fee"]) for year in body["invoices"]] == [(1, 12_000, 2_400)]
    nothing = contoso.post(f"{DEALS}/check", {}).json()
    assert (nothing["contractValue"], nothing["incentive"], nothing["invoices"]) == (None, None, [])
    assert not IsvDeal.objects.exists()


def test_isv_7_who_may_not_report_it_is_refused(live: Live, cast: Cast, fabrikam: Api, manager: Api) -> None:
    """By role and location; another company's referral is unknown."""
    ankara = Api(make_client(cast.companies["contoso"], location=cast.locations[ANKARA], client_id="ankara"))
    assert details(ankara.post(DEALS, value(live)))["mpnId"] == "location_not_yours"
    viewer = Api(make_client(cast.companies["contoso"], role=roles.VIEWER, client_id="reads"))
    assert viewer.post(DEALS, value(live)).status_code in {403, 422}
    referral = isv.won(cast, at=live.ago(1), created=live.ago(10))
    assert viewer.post(DEALS, {"referralId": str(referral.public_id)}).status_code == 403
    for other in (str(referral.public_id), str(uuid.uuid4()), "nonsense"):
        assert fabrikam.post(DEALS, value(live, referralId=other)).status_code == 404
        assert fabrikam.post(f"{DEALS}/check", value(live, referralId=other)).status_code == 404
    assert manager.post(DEALS, value(live)).status_code == 403
    assert manager.post(f"{DEALS}/check", value(live)).status_code == 403
    assert not IsvDeal.objects.exists()


def test_the_same_key_reports_it_once(live: Live, contoso: Api) -> None:
    first = contoso.post(DEALS, value(live), Idempotency_Key="one")
    assert contoso.post(DEALS, value(live), Idempotency_Key="one").json() == first.json()
    assert IsvDeal.objects.count() == 1
    assert contoso.post(DEALS, value(live, mpnId="4301002"), Idempotency_Key="one").status_code == 409


# Correcting -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        {"solution": {"value": 13_000}, "CONTACT": {"lastname": "Yılmaz"}},
        [
            {"op": "replace", "path": "/solution/value", "value": "13000"},
            {"op": "add", "path": "/Contact/LastName", "value": "Yılmaz"},
        ],
        {"action": "correct", "solution": {"value": 13_000}, "contact": {"lastName": "Yılmaz"}},
    ],
    ids=["merge", "patch", "action"],
)
def test_isv_5_a_submitted_deal_is_corrected_and_its_schedule_follows(live: Live, contoso: Api, sent: Any) -> None:
    isv.rates(live.cast, now=live.now)
    found = deal(live)
    act = "action" in sent
    send, address = (contoso.post, one(found, "/actions")) if act else (contoso.patch, one(found))
    assert send(address, sent, If_Match='"77"').status_code == 412
    answer = send(address, sent, If_Match=f'"{found.version}"')
    assert answer.status_code == 200, answer.content
    body, now = answer.json(), isv.again(found)
    assert body["schedule"][0]["fee"] == 2_600
    assert (now.solution_value, now.contact_last_name, now.tcv) == (Decimal(13_000), "Yılmaz", found.tcv)
    assert answer["ETag"] == f'"{now.version}"' == f'"{found.version + 1}"'


def test_isv_5_what_can_t_be_corrected_is_refused_at_its_path(live: Live, cast: Cast, contoso: Api) -> None:
    found = deal(live)
    for unknown in (
        {"status": "Completed"},
        {"referralId": "x"},
        [{"op": "replace", "path": "/registrations/0/x", "value": 1}],
    ):
        assert contoso.patch(one(found), unknown).status_code == 400, unknown
    gone = contoso.patch(one(found), {"contract": {"endDateTime": None}})
    assert (gone.status_code, details(gone)) == (422, {"contract/endDateTime": "end_required"})
    nobody = contoso.patch(one(found), {"customerProfile": {"name": "Nobody"}})
    assert details(nobody) == {"customerProfile/address/country": "country_missing"}
    viewer = Api(make_client(cast.companies["contoso"], role=roles.VIEWER, client_id="reads"))
    assert viewer.patch(one(found), {"solution": {"value": 1}}).status_code == 403
    isv.cancelled(cast, of=found, now=live.now)
    late = contoso.patch(one(found), {"solution": {"value": 13_000}})
    assert (late.status_code, details(late)[""]) == (409, "wrong_state")


# Acting -----------------------------------------------------------------------------------------------------------


def test_isv_5_the_programme_cancels_and_credits_by_the_api(live: Live, contoso: Api, manager: Api) -> None:
    found = invoiced(live)
    listed = {row["action"]: row for row in manager.get(one(found, "/actions")).json()["value"]}
    assert set(listed) == {"cancel"}
    assert listed["cancel"]["inputs"] == ["reason", "creditIssued"]
    own = {row["action"]: row["enabled"] for row in contoso.get(one(found, "/actions")).json()["value"]}
    assert own == {"correct": False}
    cancel = {"action": "cancel", "reason": "Rescinded.", "creditIssued": True}
    assert contoso.post(one(found, "/actions"), cancel).status_code == 403
    empty = manager.post(one(found, "/actions"), {**cancel, "reason": " "})
    assert details(empty) == {"reason": "cancel_reason_required"}
    done = manager.post(one(found, "/actions"), cancel, If_Match=f'"{found.version}"')
    assert done.status_code == 200, done.content
    body = done.json()
    assert (body["status"], body["cancelReason"]) == ("Cancelled", "Rescinded.")
    invoice, note = body["invoices"]
    assert (note["kind"], note["creditsInvoiceId"], note["amount"]) == ("CreditNote", invoice["id"], -invoice["amount"])
    worker = manager.post(one(found, "/actions"), {"action": "issueInvoices"})
    assert worker.status_code == 400
    people = {camel(verb.name) for verb in MACHINE.verbs if not verb.by_worker}
    assert all(name in worker.json()["error"]["message"] for name in people)


# Reading ----------------------------------------------------------------------------------------------------------


def test_the_list_is_filtered_sorted_and_the_companys_own(
    live: Live, cast: Cast, contoso: Api, fabrikam: Api, manager: Api
) -> None:
    first = deal(live)
    second = isv.cancelled(cast, of=deal(live), now=live.now)
    everything = contoso.get(f"{DEALS}?$count=true&$orderby=createdDateTime asc").json()
    assert everything["@odata.count"] == 2
    assert set(everything["value"][0]) == set(IsvDealShape().fields)

    def ids(asked: str) -> list[str]:
        return [row["id"] for row in contoso.get(f"{DEALS}?$filter={asked}").json()["value"]]

    assert ids("status eq 'Cancelled'") == [str(second.public_id)]
    assert ids("status eq 'Submitted' and feePercent eq null") == [str(first.public_id)]
    assert len(ids("incentive eq 'premium' and contract/valueUsd gt 16000")) == 2
    assert ids("incentive eq 'Standard'") == []
    assert contoso.get(f"{DEALS}?$filter=policyVersion eq 1").status_code == 400
    pages = contoso.get(f"{DEALS}?$top=1").json()
    following = pages["@odata.nextLink"].partition("8000")[2] or pages["@odata.nextLink"].partition("testserver")[2]
    assert contoso.get(following).json()["value"][0]["id"] != pages["value"][0]["id"]
    assert fabrikam.get(DEALS).json()["value"] == []
    assert fabrikam.get(one(first)).status_code == 404
    assert len(manager.get(DEALS).json()["value"]) == 2
    ankara = Api(make_client(cast.companies["contoso"], location=cast.locations[ANKARA], client_id="ankara"))
    assert ankara.get(one(first)).status_code == 404


def test_the_list_asks_as_often_for_many_as_for_few(live: Live, contoso: Api) -> None:
    deal(live)
    contoso.get(DEALS)
    with CaptureQueriesContext(connection) as few:
        contoso.get(DEALS)
    deal(live)
    deal(live)
    with CaptureQueriesContext(connection) as many:
        contoso.get(DEALS)
    assert len(many) == len(few)


def test_isv_6_invoices_are_read_and_fetched_as_files(live: Live, contoso: Api, fabrikam: Api) -> None:
    found = invoiced(live)
    invoice = Invoice.objects.get()
    (row,) = contoso.get(f"{INVOICES}?$filter=dealId eq {found.public_id} and kind eq 'Invoice'").json()["value"]
    assert set(row) == set(InvoiceShape().fields)
    assert (row["number"], row["feePercent"]) == (invoice.number, 20)
    single = contoso.get(f"{INVOICES}/{invoice.public_id}")
    assert set(single.json()) - {"@odata.context"} == set(InvoiceResource().fields)
    assert single["ETag"] == '"1"'
    pdf = contoso.get(f"{INVOICES}/{invoice.public_id}/pdf", Accept="application/pdf")
    assert (pdf.status_code, pdf["Content-Type"]) == (200, "application/pdf")
    assert pdf.content.startswith(b"%PDF-")
    assert pdf["Content-Disposition"] == f'attachment; filename="{invoice.number}.pdf"'
    assert contoso.get(f"{INVOICES}/{invoice.public_id}/pdf?language=tr").content != pdf.content
    assert contoso.get(f"{INVOICES}/{invoice.public_id}/pdf?language=xx").status_code == 400
    csv = contoso.get(f"{INVOICES}/{invoice.public_id}/csv", Accept="text/csv")
    assert csv["Content-Type"].startswith("text/csv")
    assert invoice.number in csv.content.decode()
    for rest in ("", "/pdf", "/csv"):
        assert fabrikam.get(f"{INVOICES}/{invoice.public_id}{rest}").status_code == 404
        assert contoso.get(f"{INVOICES}/{uuid.uuid4()}{rest}").status_code == 404
    assert fabrikam.get(INVOICES).json()["value"] == []


def test_without_the_scope_of_isv_connect_nothing_is_read_or_reported(live: Live, cast: Cast) -> None:
    client = make_client(cast.companies["contoso"])
    reads = Api(client, scope="isvconnect.read")
    assert reads.get(DEALS).status_code == 200
    assert reads.post(DEALS, value(live)).status_code == 403
    assert Api(client, scope="referrals.read referrals.write").get(DEALS).status_code == 403


# Webhooks and feed ------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_webhooks_and_feed_tell_the_company_and_the_vendor(live: Live, cast: Cast, contoso: Api, fabrikam: Api) -> None:
    found = isv.cancelled(cast, of=invoiced(live), now=live.now, credit_issued=True)
    ours, vendor, other = (cast.companies[name].pk for name in ("contoso", "vendor", "fabrikam"))
    events = list(Event.objects.of_subject(found).order_by("pk"))
    told = [(a.event.verb, a.company_id, a.name) for a in webhooks.announce(events, [ours, vendor, other])]
    verbs = ["isv_deal.reported", "isv_deal.invoiced", "isv_deal.cancelled"]
    expected = [(verb, company, "isvconnect-deal-updated") for verb in verbs for company in (vendor, ours)]
    assert sorted(told) == sorted(expected)
    assert {r.path for r in webhooks.find(events, cast.actor(build.CONTOSO)).values()} == {one(found)}
    assert webhooks.find(events, cast.actor("referrals@fabrikam.example")) == {}
    settled()
    mine = [e for e in contoso.get("/v1.0/events").json()["value"] if e["resourceName"] == "isvconnect-deal"]
    assert [e["event"] for e in mine] == verbs
    assert mine[0]["resourceUri"].endswith(one(found))
    assert not [e for e in fabrikam.get("/v1.0/events").json()["value"] if e["resourceName"] == "isvconnect-deal"]


def test_deliveries_of_a_deal_from_a_referral_keep_that_deal_s_order(live: Live, cast: Cast) -> None:
    referral: Referral = isv.won(cast, at=live.ago(1), created=live.ago(10))
    found = isv.deal(cast, referral=referral, **dated(live))
    events = list(Event.objects.of_subject(found))
    ours = cast.companies["contoso"].pk
    assert {a.line for a in webhooks.announce(events, [ours])} == {referral.public_id}
    assert {a.line for a in webhooks.announce(list(Event.objects.of_subject(deal(live))), [ours])} != {
        referral.public_id
    }


def test_the_event_is_offered_and_a_fee_rate_is_none_of_the_partner_s(live: Live, cast: Cast, contoso: Api) -> None:
    assert "isvconnect-deal-updated" in contoso.get("/webhooks/v1/registration/events").json()
    isv.rates(cast, now=live.now)
    assert FeeRate.objects.exists()
    assert not [e for e in contoso.get("/v1.0/events").json()["value"] if e["event"].startswith("fee_rate")]
