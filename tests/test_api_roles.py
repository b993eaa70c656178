"""Every endpoint of the API, whichever app offers it, by each client: without a token, with one that lacks the scope,
of the own company, of another one, of the vendor. Those of referrals have a table of their own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver
from rest_framework.views import APIView

from dealreg.models import Document
from portal.api import rules
from portal.api.http.endpoint import Endpoint
from portal.demo import papers
from portal.demo.cast import Cast
from tests import build, do, isv, licences
from tests.api import Api, make_client
from tests.edge import Live
from tests.test_api_exceptions import asked
from tests.test_api_referrals_create import body

METHODS = ("get", "post", "put", "patch", "delete")


def endpoints(patterns: list[Any], prefix: str = "/") -> Iterator[tuple[str, type[APIView]]]:
    """Every address with its view."""
    for entry in patterns:
        place = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from endpoints(entry.url_patterns, place)
        elif hasattr(entry.callback, "cls"):
            yield place, entry.callback.cls


def offered() -> list[tuple[str, str, type[Endpoint]]]:
    return [
        (place, method.upper(), view)
        for place, view in endpoints(get_resolver().url_patterns)
        for method in METHODS
        if issubclass(view, Endpoint) and hasattr(view, method)
    ]


def address(place: str) -> str:
    """With ids that nothing has."""
    parts = [str(uuid.uuid4()) if part.startswith("<") else part for part in place.split("/")]
    return "/".join(parts)


def test_every_view_of_the_api_is_an_endpoint_and_names_a_scope_for_each_method() -> None:
    assert offered()
    for place, view in endpoints(get_resolver().url_patterns):
        assert issubclass(view, Endpoint), place
    for place, method, view in offered():
        assert view.scopes.get(method) in rules.SCOPES, f"{method} {place}"


@pytest.mark.django_db
def test_without_a_token_or_its_scope_nothing_is_answered(cast: Cast) -> None:
    client = make_client(cast.companies["contoso"])
    tokens = {scope: Api(client, scope=scope) for scope in rules.SCOPES}
    for place, method, view in offered():
        told = Client().generic(method, address(place))
        assert (told.status_code, told.json()["error"]["code"]) == (401, "unauthenticated"), f"{method} {place}"
        for scope, api in tokens.items():
            if scope != view.scopes[method]:
                answer = api.call(method, address(place))
                assert (answer.status_code, answer.json()["error"]["code"]) == (403, "accessDenied"), (
                    f"{method} {place} with {scope}"
                )


REFERRAL, FILED, SALES = "/v1.0/engagements/referrals/<id>", "/v1.0/registrations", "/v1.0/marketplace/transactions"
ASKED = "/v1.0/exceptions"
CONSENTS, INVITED, GIVEN = "/v1.0/licensing/relationships", "/v1.0/licensing/invitations", "/v1.0/licensing/deals"
ISV_DEALS, INVOICES = "/v1.0/isvconnect/deals", "/v1.0/isvconnect/invoices"
#: Of a partner that there isn't.
SALE = {
    "transactionId": "MP-2", "partner": "nobody", "customer": "150483782", "solution": "SOL-10001-CTS",
    "date": "2026-11-10", "amount": "18500.50", "currency": "EUR",
}  # fmt: skip
HOOK = "/webhooks/v1/registration"
URL = {"WebhookUrl": "https://crm.example/hook", "WebhookEvents": ["referral-created"]}
PDF = b"%PDF-"
FILE = {"Content_Type": "application/octet-stream", "Content_Disposition": 'attachment; filename="b.pdf"'}
#: Address, method, body, and what it answers to who owns the thing: its referrals admin, its account admin, its viewer;
#: to another company's referrals admin; to the vendor's seller, and to its programme manager.
TABLE: list[tuple[str, str, Any, tuple[int, ...]]] = [
    (f"{REFERRAL}/eligibility", "GET", None, (200, 200, 200, 404, 403, 403)),
    (f"{REFERRAL}/registrations/check", "POST", {}, (200, 200, 200, 404, 403, 403)),
    (FILED, "GET", None, (200, 200, 200, 200, 200, 200)),
    (f"{FILED}/<id>", "GET", None, (200, 200, 200, 404, 404, 200)),
    (f"{FILED}/<id>/actions", "GET", None, (200, 200, 200, 404, 404, 200)),
    (f"{FILED}/<id>/actions", "POST", {"action": "withdraw"}, (409, 403, 403, 404, 404, 403)),
    (f"{FILED}/<id>/documents", "GET", None, (200, 200, 200, 404, 404, 404)),
    (f"{FILED}/<id>/documents", "POST", PDF, (422, 403, 403, 404, 404, 404)),
    (f"{FILED}/<id>/documents/<document_id>", "GET", None, (200, 200, 200, 404, 404, 404)),
    (f"{FILED}/<id>/documents/<document_id>", "DELETE", None, (422, 403, 403, 404, 404, 404)),
    (ASKED, "GET", None, (200, 200, 200, 200, 200, 200)),
    (ASKED, "POST", {}, (400, 400, 400, 400, 400, 400)),
    (f"{ASKED}/check", "POST", {}, (400, 400, 400, 400, 400, 400)),
    (f"{ASKED}/<id>", "GET", None, (200, 200, 200, 404, 404, 200)),
    (f"{ASKED}/<id>/actions", "GET", None, (200, 200, 200, 404, 404, 200)),
    (f"{ASKED}/<id>/actions", "POST", {"action": "answerEvidence", "note": "x"}, (409, 403, 403, 404, 404, 403)),
    (f"{ASKED}/<id>/documents", "GET", None, (200, 200, 200, 404, 404, 200)),
    (f"{ASKED}/<id>/documents", "POST", PDF, (422, 403, 403, 404, 404, 403)),
    (f"{ASKED}/<id>/documents/<document_id>", "GET", None, (404, 404, 404, 404, 404, 404)),
    (f"{ASKED}/<id>/documents/<document_id>", "DELETE", None, (404, 404, 404, 404, 404, 404)),
    (ISV_DEALS, "GET", None, (200, 200, 200, 200, 200, 200)),
    (ISV_DEALS, "POST", {}, (422, 403, 403, 422, 403, 403)),
    (f"{ISV_DEALS}/check", "POST", {}, (200, 200, 200, 200, 403, 403)),
    (f"{ISV_DEALS}/<id>", "GET", None, (200, 200, 200, 404, 200, 200)),
    (f"{ISV_DEALS}/<id>", "PATCH", {}, (409, 403, 403, 404, 403, 403)),
    (f"{ISV_DEALS}/<id>/actions", "GET", None, (200, 200, 200, 404, 200, 200)),
    (f"{ISV_DEALS}/<id>/actions", "POST", {"action": "cancel", "reason": ""}, (403, 403, 403, 404, 403, 422)),
    (INVOICES, "GET", None, (200, 200, 200, 200, 200, 200)),
    (f"{INVOICES}/<id>", "GET", None, (200, 200, 200, 404, 200, 200)),
    (f"{INVOICES}/<id>/pdf", "GET", None, (200, 200, 200, 404, 200, 200)),
    (f"{INVOICES}/<id>/csv", "GET", None, (200, 200, 200, 404, 200, 200)),
    (SALES, "GET", None, (403, 403, 403, 403, 403, 200)),
    (SALES, "POST", SALE, (403, 403, 403, 403, 403, 422)),
    (f"{SALES}/<path:id>", "GET", None, (403, 403, 403, 403, 403, 404)),
    (f"{SALES}/<path:id>/actions", "POST", {"action": "void"}, (403, 403, 403, 403, 403, 404)),
    (CONSENTS, "GET", None, (200, 200, 200, 200, 200, 200)),
    (f"{CONSENTS}/<id>", "GET", None, (200, 200, 200, 404, 200, 200)),
    (INVITED, "GET", None, (200, 200, 200, 200, 200, 200)),
    (INVITED, "POST", {"dealId": "nobody"}, (404, 404, 404, 404, 404, 404)),
    (f"{INVITED}/<id>", "GET", None, (200, 200, 200, 404, 200, 200)),
    (f"{INVITED}/<id>/actions", "GET", None, (200, 200, 200, 404, 200, 200)),
    (f"{INVITED}/<id>/actions", "POST", {"action": "accept"}, (403, 403, 403, 404, 403, 403)),
    (f"{GIVEN}/<id>/licenses", "GET", None, (200, 200, 200, 404, 200, 200)),
    (f"{GIVEN}/<id>/licenses", "PUT", {}, (400, 403, 403, 404, 403, 403)),
    (f"{GIVEN}/<id>/licenses/<plan_id>", "DELETE", None, (404, 403, 403, 404, 403, 403)),
    ("/v1.0/events", "GET", None, (200, 200, 200, 200, 200, 200)),
    (f"{HOOK}/events", "GET", None, (200, 200, 200, 200, 200, 200)),
    (HOOK, "GET", None, (404, 404, 404, 404, 404, 404)),
    (HOOK, "PUT", URL, (404, 404, 404, 404, 404, 404)),
    (f"{HOOK}/validationEvents", "POST", None, (404, 404, 404, 404, 404, 404)),
    (f"{HOOK}/validationEvents/<id>", "GET", None, (404, 404, 404, 404, 404, 404)),
    (HOOK, "POST", URL, (200, 200, 200, 200, 200, 200)),
]


def isv_things(cast: Cast) -> dict[str, Any]:
    """An ISV Connect deal with an invoice, the invoice, and another deal's licences, by where they are."""
    isv.rates(cast)
    invoiced = isv.invoiced(cast)
    given = licences.given(cast)
    invited = licences.invited(cast, given.deal).invitation
    consents = {CONSENTS: given.relationship, INVITED: invited, GIVEN: given.deal}
    return {ISV_DEALS: invoiced, INVOICES: invoiced.invoices.get(), **consents}


def test_every_route_is_in_a_table() -> None:
    from tests.test_api_roles_referrals import TABLE as OF_REFERRALS

    known = {(place, method) for place, method, _body, _answers in [*TABLE, *OF_REFERRALS]}
    assert {(place, method) for place, method, _view in offered()} == known


@pytest.mark.django_db
def test_each_client_gets_what_its_role_and_company_allow(cast: Cast) -> None:
    names = [
        ("contoso", "referrals_admin"), ("contoso", "account_admin"), ("contoso", "viewer"),
        ("fabrikam", "referrals_admin"), ("vendor", "seller"), ("vendor", "programme_manager"),
    ]  # fmt: skip
    clients = [
        Api(make_client(cast.companies[company], role=role, client_id=f"{company}-{role}")) for company, role in names
    ]
    deal = build.won(cast)
    do.add_document(deal, "a.pdf", papers.pdf("Signed"), actor=cast.actor(build.CONTOSO), now=build.NOW)
    filed = build.submitted(cast, deal)
    document = str(Document.objects.get().public_id)
    things = {FILED: filed, ASKED: asked(Live(cast)), **isv_things(cast)}
    found = {}
    for place, method, data, _answers in TABLE:
        thing = next((one.public_id for area, one in things.items() if place.startswith(area)), deal.public_id)
        address = place.replace("<id>", str(thing)).replace("<document_id>", document).replace("<path:id>", "MP-9")
        file = FILE if data is PDF else {}
        answers = [api.call(method, address, data, **file) for api in clients]
        found[(place, method)] = tuple(answer.status_code for answer in answers)
        assert all(answer.getvalue() for answer in answers if answer.streaming)
    assert found == {(place, method): answers for place, method, _body, answers in TABLE}


@pytest.mark.django_db
def test_org_6_what_is_anothers_is_answered_as_what_there_is_not(cast: Cast) -> None:
    """Ids of a stranger's things and of nothing are the same 404, in every place that takes one."""
    from tests.test_api_roles_referrals import TABLE as OF_REFERRALS

    stranger = Api(make_client(cast.companies["fabrikam"]))
    deal = build.won(cast)
    filed = build.submitted(cast, deal)
    things = {FILED: filed, ASKED: asked(Live(cast)), **isv_things(cast)}
    for place, method, data, _answers in [*TABLE, *OF_REFERRALS]:
        if "<id>" in place and not place.startswith(HOOK):
            thing = next((one.public_id for area, one in things.items() if place.startswith(area)), deal.public_id)
            file = FILE if data is PDF else {}
            answers = []
            for given in (thing, uuid.uuid4()):
                named = place.replace("<id>", str(given)).replace("<document_id>", str(uuid.uuid4()))
                answers.append(stranger.call(method, named, data, If_Match="*", **file))
            assert [answer.status_code for answer in answers] == [404, 404], (method, place)
            assert answers[0].content == answers[1].content
    foreign = stranger.post("/v1.0/engagements/referrals", body(engagementId=str(deal.engagement.public_id)))
    assert foreign.status_code == 404
