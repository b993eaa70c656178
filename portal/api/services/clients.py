"""A company's API clients: made, given a new secret or key, revoked, each with its event (ORG-2)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction

from portal.accounts import rules as roles
from portal.accounts import services as accounts
from portal.accounts.models import Company, Location
from portal.accounts.rules import Actor, Grant
from portal.api import rules
from portal.api.models import ApiClient
from portal.api.services import keys, tokens
from portal.events import services as events
from portal.policy import services as policies
from portal.workflow.blockers import Blocker, RuleViolation

#: Bytes of chance in a secret.
SECRET_BYTES = 32


@transaction.atomic
def create(
    *,
    company: Company,
    name: str,
    scopes: Sequence[str],
    actor: Actor,
    now: datetime,
    role: str = "",
    location: Location | None = None,
    redirect_uris: Sequence[str] = (),
    public_keys: str = "",
    for_people: bool = False,
    **own: Any,
) -> tuple[ApiClient, str]:
    """A new client and its secret, which is told this once. `own`: columns that the demo sets.

    One that acts for people has no role: theirs count. Raises RuleViolation (ORG-1, ORG-2).
    """
    accounts.check_allowed(actor, company.pk)
    grant = None if for_people else Grant(role, location.pk if location else None)
    blockers = [*_role_blockers(company, grant), *_key_blockers(public_keys)]
    blockers += rules.client_blockers(scopes=scopes, for_people=for_people, redirect_uris=redirect_uris)
    if blockers:
        raise RuleViolation(blockers)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    client = ApiClient(
        company=company,
        name=name,
        role=grant.role if grant else "",
        location=location if grant else None,
        allowed_scopes=_in_order(scopes),
        redirect_uris=" ".join(redirect_uris),
        public_keys=public_keys,
        client_secret=secret,
        # People's apps can keep no secret; they prove themselves by PKCE, and by the secret if they send one.
        client_type=ApiClient.CLIENT_PUBLIC if for_people else ApiClient.CLIENT_CONFIDENTIAL,
        authorization_grant_type=(
            ApiClient.GRANT_AUTHORIZATION_CODE if for_people else ApiClient.GRANT_CLIENT_CREDENTIALS
        ),
        created_by_id=actor.user_id,
    )
    for column, value in own.items():
        setattr(client, column, value)
    secret = client.client_secret
    client.save()
    _record(client, "api_client.created", actor=actor, now=now, **_event_values(client))
    return client, secret


@transaction.atomic
def rotate(client: ApiClient, *, actor: Actor, now: datetime) -> str:
    """A new secret, told this once; the one before it is good for a while longer (policy, `api_secret_overlap_hours`).

    Raises RuleViolation for a client that was revoked.
    """
    fresh = _locked(client, actor, now)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    fresh.previous_secret = fresh.client_secret
    fresh.previous_until = now + timedelta(hours=policies.current(now).api_secret_overlap_hours)
    fresh.client_secret = make_password(secret)
    fresh.save(update_fields=["previous_secret", "previous_until", "client_secret", "updated"])
    _record(fresh, "api_client.rotated", actor=actor, now=now)
    return secret


@transaction.atomic
def set_access(
    client: ApiClient, *, role: str, location: Location | None, scopes: Sequence[str], actor: Actor, now: datetime
) -> ApiClient:
    """Replace what a client may do, and end its tokens: the next ones have the new rights. Raises RuleViolation
    (ORG-1, ORG-2)."""
    fresh = _locked(client, actor, now)
    for_people = fresh.acts_for_people
    grant = None if for_people else Grant(role, location.pk if location else None)
    blockers = list(_role_blockers(fresh.company, grant))
    uris = fresh.redirect_uris.split()
    blockers += rules.client_blockers(scopes=scopes, for_people=for_people, redirect_uris=uris)
    if blockers:
        raise RuleViolation(blockers)
    before = _event_values(fresh)
    if grant:
        fresh.role, fresh.location = grant.role, location
    fresh.allowed_scopes = _in_order(scopes)
    if _event_values(fresh) != before:
        fresh.save(update_fields=["role", "location", "allowed_scopes", "updated"])
        tokens.end_all(fresh)
        _record(fresh, "api_client.access_changed", actor=actor, now=now, **_event_values(fresh))
    return fresh


@transaction.atomic
def set_public_keys(client: ApiClient, *, public_keys: str, actor: Actor, now: datetime) -> ApiClient:
    """Replace the keys by which the client's assertions are checked. Raises RuleViolation."""
    fresh = _locked(client, actor, now)
    if blockers := list(_key_blockers(public_keys)):
        raise RuleViolation(blockers)
    if fresh.public_keys != public_keys:
        fresh.public_keys = public_keys
        fresh.save(update_fields=["public_keys", "updated"])
        _record(fresh, "api_client.key_changed", actor=actor, now=now)
    return fresh


@transaction.atomic
def revoke(client: ApiClient, *, actor: Actor, now: datetime) -> ApiClient:
    """End a client with all its tokens, at once and for good. Raises RuleViolation if it was revoked already."""
    fresh = _locked(client, actor, now)
    fresh.revoked_at = now
    fresh.save(update_fields=["revoked_at", "updated"])
    tokens.end_all(fresh)
    _record(fresh, "api_client.revoked", actor=actor, now=now)
    return fresh


def demo_clients_exist() -> bool:
    return ApiClient.objects.filter(is_demo=True).exists()


def _locked(client: ApiClient, actor: Actor, now: datetime) -> ApiClient:
    accounts.check_allowed(actor, client.company_id)
    fresh = ApiClient.objects.select_for_update(of=("self",)).get(pk=client.pk)
    if not fresh.is_active(now):
        raise RuleViolation([rules.REVOKED])
    return fresh


def _in_order(scopes: Sequence[str]) -> str:
    return " ".join(scope for scope in rules.SCOPES if scope in scopes)


def _role_blockers(company: Company, grant: Grant | None) -> Iterator[Blocker]:
    """A client holds a role of its company's own side, where a person could hold it (ORG-1, ORG-2)."""
    if grant is None:
        return
    yield from accounts.location_and_role_blockers(company, [grant])
    yield from roles.role_blockers([grant], vendor=company.is_vendor)


def _key_blockers(public_keys: str) -> Iterator[Blocker]:
    if not public_keys:
        return
    try:
        keys.read(public_keys)
    except ValueError:
        yield rules.KEY_UNREADABLE


def _event_values(client: ApiClient) -> dict[str, Any]:
    """What an event says of a new client."""
    grants = [Grant(client.role, client.location_id)] if client.role else []
    return {"roles": accounts.roles_of(client.company, grants), "scopes": client.allowed_scopes}


def _record(client: ApiClient, verb: str, *, actor: Actor, now: datetime, **after: Any) -> None:
    after = {"name": client.name, "client_id": client.client_id, **after}
    events.record_one(client, verb, actor=actor, now=now, company_id=client.company_id, after=after)
