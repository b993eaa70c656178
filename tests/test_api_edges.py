"""What is true of every request of the API: limits, refusals in JSON, no session, no cost that nobody asked for."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_redis import get_redis_connection

from portal import circuit
from portal.api.models import ApiClient
from portal.bodies import PAGE_BYTES
from portal.demo.cast import Cast
from tests import build
from tests.api import SECRET, Api, make_client

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api_urls")]


@pytest.fixture
def client(cast: Cast) -> ApiClient:
    return make_client(cast.companies["contoso"], client_id="contoso-crm")


# Limits


def test_every_answer_tells_the_limit_and_what_is_left(client: ApiClient, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    api = Api(client)
    answers = [api.get("/v1.0/probe") for _number in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert {answer["RateLimit-Policy"] for answer in answers} == {'"default";q=3;w=60'}
    left = [re.fullmatch(r'"default";r=(\d+);t=\d+', answer["RateLimit"]) for answer in answers]
    assert [found and found[1] for found in left] == ["2", "1", "0", "0"]
    assert 1 <= int(answers[3]["Retry-After"]) <= 60
    assert answers[3].json()["error"]["code"] == "generalException"


def test_a_client_has_a_limit_of_its_own(client: ApiClient, cast: Cast, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1
    other = Api(make_client(cast.companies["fabrikam"]))
    assert [Api(client).get("/v1.0/probe").status_code for _number in range(2)] == [200, 429]
    assert other.get("/v1.0/probe").status_code == 200


def test_without_redis_there_is_no_limit(client: ApiClient, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1
    api = Api(client)
    circuit.CACHE.trip(OSError())
    for _number in range(3):
        answer = api.get("/v1.0/probe")
        assert (answer.status_code, "RateLimit" in answer) == (200, False)


def test_counters_go_by_themselves(client: ApiClient) -> None:
    Api(client).get("/v1.0/probe")
    redis = get_redis_connection()
    names = redis.keys("api-limit:*")
    assert len(names) == 2
    assert all(0 < redis.ttl(name) <= 120 for name in names)


def test_secrets_can_be_guessed_only_so_often(client: ApiClient, settings: Any) -> None:
    settings.API_TOKENS_PER_MINUTE = 2
    given = {"grant_type": "client_credentials", "client_id": "contoso-crm", "client_secret": "wrong"}
    answers = [Client().post("/oauth2/token", given) for _number in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert (answers[2].json()["error"], int(answers[2]["Retry-After"]) > 0) == ("temporarily_unavailable", True)


# Refusals


def refusal(answer: Any) -> tuple[int, str]:
    assert answer["Content-Type"] == "application/json", answer.content
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "target", "innerError", "details"}
    return answer.status_code, error["code"]


@pytest.mark.parametrize(
    "path", ["/v1.0/", "/v1.0/no/such/thing", "/v1.0/a\x00b", "/engagements/v1/x", "/webhooks/v1/x", "/v1.0/%ff"]
)
def test_an_unknown_address_is_404_in_json(client: ApiClient, path: str) -> None:
    assert refusal(Api(client).get(path)) == (404, "itemNotFound")
    assert refusal(Client().get(path)) == (404, "itemNotFound")


def test_refusals_of_the_http_kind_are_json(client: ApiClient) -> None:
    api = Api(client)
    assert refusal(api.delete("/v1.0/probe")) == (405, "invalidRequest")
    assert refusal(api.call("OPTIONS", "/v1.0/probe")) == (405, "invalidRequest")
    assert refusal(api.get("/v1.0/probe", Accept="text/html")) == (406, "invalidRequest")
    assert refusal(api.post("/v1.0/probe", b"{}", Content_Type="text/plain")) == (415, "invalidRequest")
    assert refusal(api.post("/v1.0/probe", b"{")) == (400, "invalidRequest")
    assert refusal(api.post("/v1.0/probe", b"{}", Content_Type="application/json; charset=latin-1")) == (
        400,
        "invalidRequest",
    )
    assert refusal(api.get("/v1.0/probe?a=%00")) == (400, "invalidRequest")
    assert refusal(api.post("/v1.0/probe", b"x" * (PAGE_BYTES + 1))) == (413, "invalidRequest")
    api.http.raise_request_exception = False
    assert refusal(api.post("/v1.0/probe", {"name": "broken"})) == (500, "generalException")


def test_an_upload_may_be_larger_for_a_client_with_a_token(client: ApiClient) -> None:
    body = b" " * PAGE_BYTES + b'{"name": "one"}'
    assert Api(client).post("/v1.0/upload", body).status_code == 201
    assert refusal(Api(client).post("/v1.0/upload", b" " * 2 * PAGE_BYTES + body))[0] == 413
    assert refusal(Client().post("/v1.0/upload", body, content_type="application/json"))[0] == 413


def test_without_a_token_everything_is_401(client: ApiClient) -> None:
    for headers in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}, {"Authorization": "Bearer ü"}):
        answer = Client().get("/v1.0/probe", headers=headers)
        assert refusal(answer) == (401, "unauthenticated")
        assert answer["WWW-Authenticate"] == "Bearer"


def test_a_scope_that_is_missing_is_named(client: ApiClient) -> None:
    answer = Api(client, scope="referrals.write").get("/v1.0/probe")
    assert refusal(answer) == (403, "accessDenied")
    assert "referrals.read" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/oauth2/token", "/tenant/oauth2/token", "/oauth2/revoke"])
def test_the_token_endpoint_refuses_in_oauths_words(path: str) -> None:
    asked = Client()
    for answer in (
        asked.get(path),
        asked.post(path, {"a": "x" * PAGE_BYTES}),
        asked.post(path, {"client_id": "\x00"}),
    ):
        assert answer["Content-Type"] == "application/json"
        assert answer.json()["error"] == "invalid_request"


# Sessions


def test_a_session_lends_no_rights_and_is_not_looked_up(cast: Cast, client: ApiClient) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.users[build.CONTOSO])
    with CaptureQueriesContext(connection) as found:
        answer = browser.get("/v1.0/probe")
        assert browser.get("/v1.0/no").status_code == 404
    assert answer.status_code == 401
    assert [query["sql"] for query in found] == []
    token = {"Authorization": f"Bearer {Api(client).token}"}
    browser.get("/v1.0/probe", headers=token)
    with CaptureQueriesContext(connection) as found:
        assert browser.get("/v1.0/probe", headers=token).json()["kind"] == "client"
    assert [query["sql"] for query in found] == []
    sent = browser.post("/v1.0/probe", b'{"name": "one"}', content_type="application/json", headers=token)
    assert sent.status_code == 201  # no CSRF token is asked for
    assert "sessionid" not in sent.cookies


def test_ids_of_a_request_are_given_back(client: ApiClient) -> None:
    answer = Api(client).get("/v1.0/probe", client_request_id="c1")
    assert (answer["client-request-id"], len(answer["request-id"])) == ("c1", 36)


def test_the_secret_stands_in_no_error_page(client: ApiClient) -> None:
    assert SECRET not in Client().post("/oauth2/token", {"client_secret": SECRET}).content.decode()
