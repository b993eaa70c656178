"""Who may do what with referrals in the API: each endpoint by each client. A route missing here fails."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import get_resolver

from portal.demo.cast import Cast
from referrals.models import Referral
from tests.api import Api, make_client
from tests.factories import DealFactory, vendor_copy
from tests.test_api_roles import endpoints

pytestmark = pytest.mark.django_db

STAGE = [{"op": "replace", "path": "/salesStage", "value": 10}]
NOTE = {"text": "Hi"}
ONE = "/v1.0/engagements/referrals/<id>"

#: What a client of the deal's company gets: its admin, its viewer, its admin of another place; another company's, and
#: the vendor's seller, who may view it. Address, method, body, and the five answers.
TABLE: list[tuple[str, str, Any, tuple[int, ...]]] = [
    ("/v1.0/engagements/referrals", "GET", None, (200, 200, 200, 200, 200)),
    ("/v1.0/engagements/referrals", "POST", {}, (422, 422, 422, 422, 422)),
    (ONE, "GET", None, (200, 200, 404, 404, 200)),
    (ONE, "PATCH", STAGE, (204, 403, 404, 404, 403)),
    (ONE, "PUT", {}, (200, 403, 404, 404, 403)),
    ("/engagements/v1/referrals/<id>", "GET", None, (200, 200, 404, 404, 200)),
    ("/engagements/v1/referrals/<id>", "PATCH", STAGE, (204, 403, 404, 404, 403)),
    ("/engagements/v1/referrals/<id>", "PUT", {}, (200, 403, 404, 404, 403)),
    (f"{ONE}/actions", "GET", None, (200, 200, 404, 404, 200)),
    (f"{ONE}/actions", "POST", {"action": "shareWithVendor"}, (422, 403, 404, 404, 403)),
    (f"{ONE}/timeline", "GET", None, (200, 200, 404, 404, 200)),
    (f"{ONE}/notes", "GET", None, (200, 200, 404, 404, 200)),
    (f"{ONE}/notes", "POST", NOTE, (201, 403, 404, 404, 403)),
    (f"{ONE}/favorite", "PUT", None, (403, 403, 404, 404, 403)),
    (f"{ONE}/favorite", "DELETE", None, (403, 403, 404, 404, 403)),
    ("/v1.0/customers", "GET", None, (200, 200, 200, 200, 200)),
    ("/v1.0/solutions", "GET", None, (200, 200, 200, 200, 200)),
    ("/v1.0/partners", "GET", None, (200, 200, 200, 200, 200)),
]


@pytest.fixture
def clients(cast: Cast) -> list[Api]:
    contoso, berlin = cast.companies["contoso"], cast.locations["Berlin"]
    made = [
        make_client(contoso, client_id="own"),
        make_client(contoso, client_id="viewer", role="viewer"),
        make_client(contoso, client_id="berlin", location=berlin),
        make_client(cast.companies["fabrikam"]),
        make_client(cast.companies["vendor"], role="seller"),
    ]
    return [Api(client) for client in made]


def test_every_route_of_referrals_is_in_the_table() -> None:
    offered = {
        (place, method)
        for place, view in endpoints(get_resolver().url_patterns)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        if view.__module__.startswith("referrals.api") and hasattr(view, method.lower())
    }
    assert offered == {(place, method) for place, method, _body, _answers in TABLE}


@pytest.mark.parametrize(("place", "method", "body", "answers"), TABLE)
def test_each_client_gets_what_its_role_and_scope_allow(
    cast: Cast, clients: list[Api], place: str, method: str, body: Any, answers: tuple[int, ...]
) -> None:
    deal = DealFactory(cast=cast)
    address = place.replace("<id>", str(deal.public_id))
    tag = {"If_Match": "*"} if method == "PUT" else {}
    found = tuple(api.call(method, address, body, **tag).status_code for api in clients)
    assert found == answers


def test_a_card_is_read_and_nothing_else(cast: Cast, clients: list[Api]) -> None:
    card = str(vendor_copy(DealFactory(cast=cast)).public_id)
    for place, method, body, _answers in TABLE:
        if "<id>" in place:
            answer = clients[0].call(method, place.replace("<id>", card), body, If_Match="*")
            wanted = 200 if (place.endswith("<id>") and method == "GET") else 403
            assert answer.status_code == wanted, (place, method)
    assert Referral.objects.get(public_id=card).version == 1
