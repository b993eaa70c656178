"""Bearer tokens: who a request acts as, and what for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from oauth2_provider.models import get_access_token_model
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from portal.accounts import services as accounts
from portal.accounts.rules import Actor, Grant
from portal.api.models import ApiClient


@dataclass(frozen=True)
class Access:
    """A valid token: the actor it stands for, and the scopes it has."""

    actor: Actor
    scopes: frozenset[str]
    client_id: int | None = None


class Bearer(BaseAuthentication):
    """Reads `Authorization: Bearer …`. Without one the request is nobody's, and every endpoint answers 401."""

    def authenticate(self, request: Request) -> tuple[Any, Access] | None:
        kind, _space, raw = request.headers.get("Authorization", "").partition(" ")
        if kind.casefold() != "bearer" or not raw:
            return None
        access = access_of(raw.strip())
        if access is None:
            raise exceptions.AuthenticationFailed("The token is unknown, expired or revoked.")
        return access.actor, access

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def access_of(raw: str) -> Access | None:
    """What the token gives; None for one that is unknown, expired, or of a client that was revoked."""
    import hashlib

    checksum = hashlib.sha256(raw.encode("utf-8")).hexdigest()
    tokens = get_access_token_model().objects.select_related("application__company", "user")
    token = tokens.filter(token_checksum=checksum).first()
    now = timezone.now()
    if token is None or token.is_expired() or not token.application.is_active(now):
        return None
    actor = actor_of(token.application) if token.user is None else person_of(token.user)
    return Access(actor, frozenset(token.scope.split()), token.application_id) if actor else None


def actor_of(client: ApiClient) -> Actor:
    """The actor that an API client is (ORG-2)."""
    return Actor(
        kind="client",
        name=client.name,
        company_id=client.company_id,
        company_name=client.company.name,
        is_vendor=client.company.is_vendor,
        grants=frozenset({Grant(client.role, client.location_id)}),
    )


def person_of(user: Any) -> Actor | None:
    """The actor a person is in their first company."""
    memberships = accounts.memberships(user)
    return accounts.actor_for(memberships[0]) if memberships else None
