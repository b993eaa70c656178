"""Tokens of API clients and of people (wire.md, Auth; F1.2)."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT
from oauth2_provider.models import get_access_token_model

from portal import circuit
from portal.accounts import services as accounts
from portal.accounts.models import Membership
from portal.accounts.rules import SYSTEM, Grant
from portal.api.http.authentication import access_of
from portal.api.models import ApiClient
from portal.api.services import clients, keys, tokens
from portal.demo.cast import Cast
from tests import build
from tests.api import SECRET, Api, make_client

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api_urls")]

ADMIN = "admin@contoso.example"
BACK = "https://crm.example/back?tenant=7"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-abc"


@pytest.fixture
def client(cast: Cast) -> ApiClient:
    return make_client(cast.companies["contoso"], client_id="contoso-crm")


def asked(path: str = "/oauth2/token", *, basic: str = "", **given: str) -> Any:
    headers = {"Authorization": f"Basic {base64.b64encode(basic.encode()).decode()}"} if basic else {}
    return Client().post(path, given, headers=headers)


def credentials(**more: str) -> dict[str, str]:
    return {"grant_type": "client_credentials", "client_id": "contoso-crm", "client_secret": SECRET, **more}


def probe(token: str) -> Any:
    return Client().get("/v1.0/probe", headers={"Authorization": f"Bearer {token}"})


def test_a_client_gets_a_token_with_all_its_scopes(cast: Cast) -> None:
    client = make_client(cast.companies["contoso"], scopes="referrals.read referrals.write")
    access = access_of(Api(client).token)
    assert access is not None
    assert access.actor.company_id == client.company_id
    assert access.scopes == {"referrals.read", "referrals.write"}


@pytest.mark.parametrize("path", ["/oauth2/token", "/a-tenant/oauth2/token", "/a.b/oauth2/v2.0/token?api-version=1.0"])
def test_microsofts_addresses_parameters_and_scopes_are_taken(client: ApiClient, path: str) -> None:
    scope = "https://api.partner.microsoft.com/.default openid offline_access"
    answer = asked(path, **credentials(scope=scope, resource="fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"))
    assert answer.status_code == 200, answer.content
    assert answer.json()["expires_in"] == 3600
    assert set(answer.json()["scope"].split()) == set(client.allowed_scopes.split())
    assert probe(answer.json()["access_token"]).json()["company"] == client.company.name


def test_the_secret_may_come_in_the_header(client: ApiClient) -> None:
    assert asked(basic=f"contoso-crm:{SECRET}", grant_type="client_credentials").status_code == 200
    assert asked(basic="contoso-crm:wrong", grant_type="client_credentials").status_code == 401
    assert asked(basic="\xff", grant_type="client_credentials").json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    ("given", "status", "error"),
    [
        (credentials(client_secret="wrong"), 401, "invalid_client"),
        (credentials(client_id="nobody"), 401, "invalid_client"),
        (credentials(scope="everything"), 400, "invalid_scope"),
        (credentials(grant_type="password"), 400, "unsupported_grant_type"),
        (credentials(grant_type="urn:ietf:params:oauth:grant-type:device_code"), 400, "unsupported_grant_type"),
        ({}, 400, "unsupported_grant_type"),
    ],
)
def test_refusals_are_oauths(client: ApiClient, given: dict[str, str], status: int, error: str) -> None:
    answer = asked(**given)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_scope_can_be_narrowed_and_never_widened(cast: Cast) -> None:
    make_client(cast.companies["contoso"], client_id="contoso-crm", scopes="referrals.read")
    assert asked(**credentials(scope="referrals.read referrals.write")).json()["scope"] == "referrals.read"
    assert asked(**credentials(scope="referrals.write")).status_code == 400


def test_no_token_is_kept_as_it_is(client: ApiClient) -> None:
    api = Api(client)
    [kept] = get_access_token_model().objects.all()
    assert (kept.token, kept.token_checksum) == ("", hashlib.sha256(api.token.encode()).hexdigest())


def test_a_request_costs_no_query_for_its_token(client: ApiClient, django_assert_num_queries: Any) -> None:
    api = Api(client)
    first = api.get("/v1.0/probe")
    with django_assert_num_queries(0):
        assert api.get("/v1.0/probe").json() == first.json()


def test_a_token_is_looked_up_in_the_database_while_redis_is_away(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api(client)
    circuit.CACHE.trip(OSError())
    assert api.get("/v1.0/probe").status_code == 200
    clients.revoke(client, actor=SYSTEM, now=timezone.now())
    assert api.get("/v1.0/probe").status_code == 401


def test_a_revoked_client_is_refused_at_once(client: ApiClient) -> None:
    api = Api(client)
    assert api.get("/v1.0/probe").status_code == 200
    clients.revoke(client, actor=SYSTEM, now=timezone.now())
    assert api.get("/v1.0/probe").status_code == 401
    assert asked(**credentials()).status_code == 401
    # A request that looked the token up before the revocation and keeps it after changes nothing.
    key = f"api-token:1:{tokens.checksum_of(api.token)}"
    cache.add(key, {"expires": time.time() + 60}, 60)
    assert cache.get(key) == tokens.MARK


def test_an_expired_token_is_refused(client: ApiClient) -> None:
    api = Api(client)
    get_access_token_model().objects.update(expires=timezone.now())
    assert api.get("/v1.0/probe").status_code == 401


def test_a_token_given_back_is_refused(client: ApiClient, cast: Cast) -> None:
    api = Api(client)
    other = make_client(cast.companies["fabrikam"], client_id="other")
    assert api.get("/v1.0/probe").status_code == 200
    asked("/oauth2/revoke", token=api.token, client_id=other.client_id, client_secret=SECRET)
    assert api.get("/v1.0/probe").status_code == 200
    asked("/oauth2/revoke", token=api.token, client_id=client.client_id, client_secret=SECRET)
    assert api.get("/v1.0/probe").status_code == 401


def test_last_use_is_written_once_a_minute(client: ApiClient) -> None:
    api = Api(client)
    api.get("/v1.0/probe")
    client.refresh_from_db()
    first = client.last_used_at
    api.get("/v1.0/probe")
    client.refresh_from_db()
    assert first is not None
    assert client.last_used_at == first


def test_org_2_a_client_acts_with_its_role_where_it_holds(cast: Cast) -> None:
    place = cast.locations["Ankara"]
    client = make_client(cast.companies["contoso"], role="referrals_user", location=place)
    assert Api(client).get("/v1.0/probe").json() == {
        "kind": "client",
        "name": client.name,
        "company": cast.companies["contoso"].name,
        "grants": [["referrals_user", place.pk]],
    }


# Secrets and keys


def test_the_secret_before_the_newest_is_good_for_a_while(client: ApiClient) -> None:
    now = timezone.now()
    newest = clients.rotate(client, actor=SYSTEM, now=now)
    assert asked(**credentials()).status_code == 200
    assert asked(**credentials(client_secret=newest)).status_code == 200
    ApiClient.objects.update(previous_until=now)
    assert asked(**credentials()).status_code == 401
    assert asked(**credentials(client_secret=newest)).status_code == 200


@pytest.fixture(scope="module")
def key() -> JWK:
    return JWK.generate(kty="RSA", size=2048)


def assertion(key: JWK, *, alg: str = "RS256", **claims: Any) -> str:
    now = int(time.time())
    given = {
        "iss": "contoso-crm",
        "sub": "contoso-crm",
        "aud": f"{settings.BASE_URL}/oauth2/token",
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + 300,
        **claims,
    }
    signed = JWT(header={"alg": alg}, claims={name: value for name, value in given.items() if value is not None})
    signed.make_signed_token(key)
    return str(signed.serialize())


def asked_with(signed: str, **more: str) -> Any:
    return asked(
        grant_type="client_credentials",
        client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion=signed,
        **more,
    )


def with_keys(client: ApiClient, text: str) -> None:
    clients.set_public_keys(client, public_keys=text, actor=SYSTEM, now=timezone.now())


def test_a_client_proves_itself_by_a_signed_assertion_once(client: ApiClient, key: JWK) -> None:
    with_keys(client, key.export_to_pem().decode())
    signed = assertion(key)
    answer = asked_with(signed)
    assert answer.status_code == 200, answer.content
    assert probe(answer.json()["access_token"]).json()["name"] == client.name
    assert asked_with(signed).json()["error"] == "invalid_client"
    assert asked_with(assertion(key), client_id="contoso-crm").status_code == 200


def test_keys_may_be_a_set(client: ApiClient, key: JWK) -> None:
    other = JWK.generate(kty="EC", crv="P-256", kid="other")
    public = [json.loads(one.export_public()) for one in (key, other)]
    with_keys(client, json.dumps({"keys": public}))
    assert asked_with(assertion(key)).status_code == 200
    assert asked_with(assertion(other, alg="ES256")).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1},
        {"exp": int(time.time()) + 100_000},
        {"exp": "soon"},
        {"exp": None},
        {"jti": None},
        {"jti": 7},
        {"aud": "https://elsewhere.example/oauth2/token"},
        {"aud": None},
        {"iss": "somebody"},
        {"sub": "fabrikam-crm"},
        {"sub": None},
        {"nbf": int(time.time()) + 1000},
    ],
)
def test_an_assertion_that_says_something_else_is_refused(client: ApiClient, key: JWK, claims: dict[str, Any]) -> None:
    with_keys(client, key.export_to_pem().decode())
    assert asked_with(assertion(key, **claims)).status_code == 401


def test_an_assertion_of_another_key_is_refused(client: ApiClient, key: JWK) -> None:
    assert asked_with(assertion(key)).status_code == 401  # the client has none yet
    with_keys(client, key.export_to_pem().decode())
    assert asked_with(assertion(JWK.generate(kty="RSA", size=2048))).status_code == 401
    public = key.export_to_pem()
    forged = JWK(kty="oct", k=base64.urlsafe_b64encode(public).decode().rstrip("="))
    assert asked_with(assertion(forged, alg="HS256")).status_code == 401
    assert asked_with("no.jwt.atall").status_code == 401


def test_what_is_no_public_key_is_refused() -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    weak = JWK.generate(kty="RSA", size=1024).export_to_pem().decode()
    secret = JWK.generate(kty="oct", size=256).export()
    for text in ("key", "{", '{"keys": []}', '{"keys": 7}', '{"keys": [7]}', "[]", pem, weak, secret, "x" * 30_000):
        with pytest.raises(ValueError):  # noqa: PT011  each kind says it in its own words
            keys.read(text)


# People


@pytest.fixture
def app(cast: Cast) -> ApiClient:
    found, _secret = clients.create(
        company=cast.companies["contoso"],
        name="Contoso Desk",
        scopes=["referrals.read", "referrals.write"],
        redirect_uris=[BACK, "http://127.0.0.1/back"],
        for_people=True,
        actor=SYSTEM,
        now=timezone.now(),
    )
    return found


def authorize(browser: Client, app: ApiClient, **more: str) -> Any:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    given = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": BACK,
        "state": "s1",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "resource": "not-a-uri",
        **more,
    }
    return browser.get("/oauth2/authorize", {name: value for name, value in given.items() if value})


def agreed(browser: Client, page: Any, *, allow: bool = True, **more: str) -> dict[str, list[str]]:
    """What the browser is sent back to the program with."""
    form = page.context["form"]
    given = {name: form[name].value() or "" for name in form.fields if name != "allow"}
    answer = browser.post("/oauth2/authorize", {**given, **({"allow": "on"} if allow else {}), **more})
    assert answer.status_code == 302, answer.content
    assert answer["Location"].startswith("https://crm.example/back?tenant=7&")
    return parse_qs(urlsplit(answer["Location"]).query)


def redeemed(app: ApiClient, code: str, **more: str) -> Any:
    given = {"grant_type": "authorization_code", "client_id": app.client_id, "code": code, "redirect_uri": BACK}
    return asked(**{**given, "code_verifier": VERIFIER, **more})


def signed_in(cast: Cast, email: str) -> Client:
    browser = Client()
    browser.force_login(cast.users[email])
    return browser


def test_a_person_lets_a_program_act_for_them(cast: Cast, app: ApiClient) -> None:
    browser = signed_in(cast, build.CONTOSO)
    page = authorize(browser, app)
    assert page.status_code == 200
    assert "Contoso Desk" in page.content.decode()
    assert "https://crm.example" in page["Content-Security-Policy"]
    back = agreed(browser, page)
    assert (back["state"], back["iss"]) == (["s1"], [settings.BASE_URL])
    answer = redeemed(app, back["code"][0])
    assert answer.status_code == 200, answer.content
    who = probe(answer.json()["access_token"]).json()
    assert (who["kind"], who["grants"]) == ("person", [["referrals_admin", None]])
    renewed = asked(
        grant_type="refresh_token",
        client_id=app.client_id,
        refresh_token=answer.json()["refresh_token"],
        scope="x/.default",
    )
    assert renewed.status_code == 200, renewed.content
    assert probe(renewed.json()["access_token"]).status_code == 200
    assert probe(answer.json()["access_token"]).status_code == 401
    assert redeemed(app, back["code"][0]).json()["error"] == "invalid_grant"


def test_a_stranger_signs_in_first(app: ApiClient) -> None:
    answer = authorize(Client(), app)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=/oauth2/authorize")


def test_who_does_not_agree_gives_nothing(cast: Cast, app: ApiClient) -> None:
    browser = signed_in(cast, build.CONTOSO)
    assert agreed(browser, authorize(browser, app), allow=False)["error"] == ["access_denied"]


@pytest.mark.parametrize("more", [{"code_challenge": ""}, {"code_challenge_method": "plain"}])
def test_without_pkce_nobody_gets_a_code(cast: Cast, app: ApiClient, more: dict[str, str]) -> None:
    browser = signed_in(cast, build.CONTOSO)
    page = authorize(browser, app, **more)
    if page.status_code == 200:
        assert "error" in agreed(browser, page)
    else:
        assert "error=invalid_request" in page["Location"]


def test_another_redirect_is_refused_on_a_page_of_ours(cast: Cast, app: ApiClient) -> None:
    page = authorize(signed_in(cast, build.CONTOSO), app, redirect_uri="https://evil.example/back")
    assert page.status_code == 400
    assert "This link can't be used" in page.content.decode()


def test_org_6_a_program_of_another_company_is_allowed_nothing(cast: Cast, app: ApiClient) -> None:
    browser = signed_in(cast, "referrals@fabrikam.example")
    page = authorize(browser, app)
    assert list(page.context["form"].fields["company"].choices) == []
    given = {name: page.context["form"][name].value() or "" for name in page.context["form"].fields}
    company = str(cast.companies["fabrikam"].public_id)
    assert browser.post("/oauth2/authorize", {**given, "allow": "on", "company": company}).status_code == 422


def test_a_person_of_two_companies_chooses_one_for_a_program_of_the_vendor(cast: Cast, app: ApiClient) -> None:
    ApiClient.objects.update(company=cast.companies["vendor"])
    user, now = cast.users[build.CONTOSO], timezone.now()
    fabrikam = cast.companies["fabrikam"]
    accounts.set_membership(user=user, company=fabrikam, grants=[Grant("viewer")], actor=SYSTEM, now=now)
    browser = signed_in(cast, build.CONTOSO)
    back = agreed(browser, authorize(browser, app), company=str(fabrikam.public_id))
    who = probe(redeemed(app, back["code"][0]).json()["access_token"]).json()
    assert (who["company"], who["grants"]) == (fabrikam.name, [["viewer", None]])


def test_org_2_a_persons_roles_are_read_at_each_request(cast: Cast, app: ApiClient) -> None:
    browser = signed_in(cast, build.CONTOSO)
    token = redeemed(app, agreed(browser, authorize(browser, app))["code"][0]).json()["access_token"]
    assert probe(token).json()["grants"] == [["referrals_admin", None]]
    held = Membership.objects.get(user__email=build.CONTOSO)
    now = timezone.now()
    accounts.change_roles(held, [Grant("viewer")], actor=SYSTEM, now=now)
    assert probe(token).json()["grants"] == [["viewer", None]]
    accounts.set_active(held, active=False, actor=SYSTEM, now=now)
    assert probe(token).status_code == 401


def test_a_person_whose_account_is_closed_is_refused_at_once(cast: Cast, app: ApiClient) -> None:
    browser = signed_in(cast, build.CONTOSO)
    token = redeemed(app, agreed(browser, authorize(browser, app))["code"][0]).json()["access_token"]
    user = cast.users[build.CONTOSO]
    user.is_active = False
    user.save()
    assert probe(token).status_code == 401


def test_a_revoked_program_renews_nothing(cast: Cast, app: ApiClient) -> None:
    browser = signed_in(cast, build.CONTOSO)
    answer = redeemed(app, agreed(browser, authorize(browser, app))["code"][0]).json()
    clients.revoke(app, actor=SYSTEM, now=timezone.now())
    assert probe(answer["access_token"]).status_code == 401
    renewed = asked(grant_type="refresh_token", client_id=app.client_id, refresh_token=answer["refresh_token"])
    assert renewed.status_code == 401
    assert authorize(browser, app).status_code == 400
