"""A company's API clients in its settings (ORG-2): made, given a new secret or key, revoked."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import connections
from django.test import Client
from django.utils import timezone
from jwcrypto.jwk import JWK

from portal.accounts.models import User
from portal.accounts.rules import SYSTEM
from portal.api.models import ApiClient
from portal.api.rules import SCOPES
from portal.api.services import clients
from portal.demo import clients as demo
from portal.demo.cast import ANKARA, Cast
from portal.events.models import Event
from portal.refusals import EXIT_CODE, refuse_demo_accounts
from portal.workflow.blockers import RuleViolation
from tests import build

pytestmark = pytest.mark.django_db

ADMIN = "admin@contoso.example"
NEW = {"name": "Dynamics", "kind": "company", "role": "referrals_admin", "scopes": ["referrals.read"]}


@pytest.fixture
def browser(cast: Cast) -> Client:
    found = Client()
    found.force_login(cast.users[ADMIN])
    return found


def add(browser: Client, **changed: Any) -> Any:
    return browser.post("/settings/api-clients/add/", {**NEW, **changed})


def token(client: ApiClient, secret: str) -> Any:
    given = {"grant_type": "client_credentials", "client_id": client.client_id, "client_secret": secret}
    return Client().post("/oauth2/token", given)


def create(cast: Cast, company: str = "contoso", **more: Any) -> tuple[ApiClient, str]:
    given: dict[str, Any] = {"name": "CRM", "role": "viewer", "scopes": ["referrals.read"], "actor": SYSTEM}
    return clients.create(company=cast.companies[company], now=timezone.now(), **{**given, **more})


def codes(violation: Any) -> set[str]:
    return {blocker.code for blocker in violation.value.blockers}


def test_the_secret_is_shown_once_and_kept_nowhere(browser: Client, cast: Cast) -> None:
    answer = add(browser)
    assert answer.status_code == 200
    client, secret = ApiClient.objects.get(), answer.context["secret"]
    assert secret in answer.content.decode()
    assert token(client, secret).status_code == 200
    assert (client.company, client.role, client.allowed_scopes) == (
        cast.companies["contoso"],
        "referrals_admin",
        "referrals.read",
    )
    page = browser.get(f"/settings/api-clients/{client.public_id}/").content.decode()
    assert client.client_id in page
    assert secret not in page + browser.get("/settings/api-clients/").content.decode()
    event = Event.objects.get(verb="api_client.created")
    assert (event.actor_user, event.company) == (cast.users[ADMIN], cast.companies["contoso"])
    told = str(event.after)
    assert "Dynamics" in told
    assert secret not in told
    assert client.client_secret not in told


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"role": ""}, "role"),
        ({"role": "seller"}, "role"),
        ({"location": "999999"}, "location"),
        ({"scopes": []}, "scopes"),
        ({"kind": "people"}, "redirect_uris"),
        ({"kind": "people", "redirect_uris": "http://crm.example/back"}, "redirect_uris"),
        ({"kind": "people", "redirect_uris": "https://u@crm.example/"}, "redirect_uris"),
        ({"kind": "people", "redirect_uris": "javascript:alert(1)"}, "redirect_uris"),
        ({"public_keys": "none"}, "public_keys"),
    ],
)
def test_a_refused_form_comes_back_with_what_was_typed(browser: Client, changed: dict[str, Any], field: str) -> None:
    answer = add(browser, **changed)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    for name, value in {**NEW, **changed}.items():
        assert answer.context["form"][name].value() == value
    assert ApiClient.objects.count() == 0


def test_org_1_org_2_a_client_holds_a_role_of_its_own_side_where_it_can_be_held(cast: Cast) -> None:
    for more, code in [
        ({"role": "seller"}, "wrong_role"),
        ({"location": cast.locations["Munich"]}, "foreign_location"),
        ({"role": "account_admin", "location": cast.locations["Ankara"]}, "keeper_everywhere"),
    ]:
        with pytest.raises(RuleViolation) as violation:
            create(cast, **more)
        assert codes(violation) == {code}
    with pytest.raises(RuleViolation) as violation:
        create(cast, "vendor", role="viewer")
    assert codes(violation) == {"wrong_role"}


def test_org_2_only_who_keeps_a_company_keeps_its_clients(cast: Cast) -> None:
    client, _secret = create(cast)
    now = timezone.now()
    for email in (build.CONTOSO, "referrals@fabrikam.example"):
        actor = cast.actor(email)
        for change in (
            lambda: create(cast, actor=actor),  # noqa: B023
            lambda: clients.rotate(client, actor=actor, now=now),  # noqa: B023
            lambda: clients.revoke(client, actor=actor, now=now),  # noqa: B023
            lambda: clients.set_public_keys(client, public_keys="", actor=actor, now=now),  # noqa: B023
        ):
            with pytest.raises(PermissionDenied):
                change()


def test_a_new_secret_leaves_the_one_before_it_for_a_while(browser: Client, cast: Cast) -> None:
    client, old = create(cast)
    page = browser.post(f"/settings/api-clients/{client.public_id}/rotate/")
    newest = page.context["secret"]
    assert {token(client, secret).status_code for secret in (old, newest)} == {200}
    assert Event.objects.filter(verb="api_client.rotated").count() == 1
    third = browser.post(f"/settings/api-clients/{client.public_id}/rotate/").context["secret"]
    assert [token(client, secret).status_code for secret in (old, newest, third)] == [401, 200, 200]


def test_a_revoked_client_stays_revoked(browser: Client, cast: Cast) -> None:
    client, secret = create(cast)
    assert browser.post(f"/settings/api-clients/{client.public_id}/revoke/").status_code == 302
    assert token(client, secret).status_code == 401
    page = browser.get("/settings/api-clients/").content.decode()
    assert "Revoked" in page
    for verb in ("rotate", "revoke"):
        answer = browser.post(f"/settings/api-clients/{client.public_id}/{verb}/", follow=True)
        assert "This client was revoked" in answer.content.decode()
    assert Event.objects.filter(verb="api_client.revoked").count() == 1


def test_org_2_what_a_client_may_do_is_changed_without_a_new_secret(browser: Client, cast: Cast) -> None:
    client, secret = create(cast)
    address, deals = f"/settings/api-clients/{client.public_id}/access/", "/v1.0/engagements/referrals"
    old = {"Authorization": f"Bearer {token(client, secret).json()['access_token']}"}
    assert Client().get(deals, headers=old).status_code == 200
    refused = browser.post(address, {"role": "seller", "scopes": []})
    assert (refused.status_code, set(refused.context["form"].errors)) == (422, {"role"})
    refused = browser.post(address, {"role": "viewer"})
    assert (refused.status_code, set(refused.context["form"].errors)) == (422, {"scopes"})
    ankara = cast.locations[ANKARA]
    changed = {"role": "referrals_admin", "location": ankara.pk, "scopes": ["referrals.read", "referrals.write"]}
    assert browser.post(address, changed).status_code == 302
    assert Client().get(deals, headers=old).status_code == 401
    assert token(client, secret).json()["scope"] == "referrals.read referrals.write"
    shown = browser.get(f"/settings/api-clients/{client.public_id}/").content.decode()
    assert "Referrals admin" in shown
    assert str(ankara) in shown
    assert browser.post(address, changed).status_code == 302  # once more changes nothing
    assert Event.objects.filter(verb="api_client.access_changed").count() == 1


def test_a_public_key_is_kept_as_typed_and_refused_if_it_is_none(browser: Client, cast: Cast) -> None:
    client, _secret = create(cast)
    address = f"/settings/api-clients/{client.public_id}/"
    pem = JWK.generate(kty="EC", crv="P-256").export_to_pem().decode()
    assert browser.post(address, {"public_keys": pem}).status_code == 302
    client.refresh_from_db()
    assert client.public_keys == pem.strip()
    refused = browser.post(address, {"public_keys": "nothing"})
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["public_keys"])
    assert Event.objects.filter(verb="api_client.key_changed").count() == 1


def test_org_6_another_companys_client_is_unknown(browser: Client, cast: Cast) -> None:
    client, _secret = create(cast, "fabrikam")
    assert browser.get(f"/settings/api-clients/{client.public_id}/").status_code == 404
    for verb in ("rotate", "revoke", "access"):
        assert browser.post(f"/settings/api-clients/{client.public_id}/{verb}/").status_code == 404
    assert client.client_id[:15] not in browser.get("/settings/api-clients/").content.decode()


def test_what_a_client_did_is_told_by_its_name(cast: Cast) -> None:
    from portal.accounts import services as accounts
    from portal.api.services.tokens import actor_of
    from portal.workflow.timeline import entry

    client, _secret = create(cast, role="account_admin", name="Dynamics")
    accounts.add_location(
        company=client.company,
        name="New",
        city="X",
        country="TR",
        mpn_id="1",
        actor=actor_of(client),
        now=timezone.now(),
    )
    event = Event.objects.get(verb="location.added", actor_kind="client")
    assert (event.actor_client, entry(event)["who"]) == ("Dynamics", "Dynamics")


def test_the_demo_has_its_clients_and_production_refuses_them(cast: Cast) -> None:
    assert not clients.demo_clients_exist()
    demo.create(cast, now=timezone.now())
    assert clients.demo_clients_exist()
    for client_id in ("contoso-crm", "fabrikam-crm", "vendor-ops"):
        client = ApiClient.objects.get(client_id=client_id)
        answer = token(client, demo.SECRET)
        assert set(answer.json()["scope"].split()) == set(SCOPES)
    call_command("demo", if_empty=True)


def test_production_does_not_start_over_the_demos_clients(cast: Cast, settings: Any) -> None:
    settings.MODE = "production"
    User.objects.update(is_demo=False)
    demo.create(cast, now=timezone.now())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections["default"], "close", lambda: None)  # it is the test's own transaction
        with pytest.raises(SystemExit) as ended:
            refuse_demo_accounts()
        assert ended.value.code == EXIT_CODE
        ApiClient.objects.update(is_demo=False)
        refuse_demo_accounts()
