"""Access tokens: whom one stands for, kept in Redis so that a request needs no query for it, and how it ends.

Only tokens of clients that act for their company are kept: whom a person stands for is read at each request. What is
revoked leaves a mark in the cache that no look-up overwrites, so it ends at once. With Redis away every look-up goes to
the database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Q
from django.utils import timezone
from oauth2_provider.models import get_access_token_model, get_refresh_token_model

from portal.accounts import selectors as accounts
from portal.accounts.models import User
from portal.accounts.rules import Actor, Grant
from portal.api.models import ApiClient

#: For so many seconds a token is believed without a look into the database; a mark outlives every token.
KEPT_SECONDS = 60
MARK = "revoked"
#: `last_used_at` is written at most this often.
USE_NOTED = timedelta(minutes=1)


@dataclass(frozen=True)
class Access:
    """A valid token: the actor it stands for, and the scopes it has."""

    actor: Actor
    scopes: frozenset[str]
    client_id: int | None = None

    @property
    def owner(self) -> str:
        """Who has limits and kept answers of their own: a client, or a person of one company through it."""
        person = f":{self.actor.user_id}:{self.actor.company_id}" if self.actor.user_id else ""
        return f"{self.client_id}{person}"


def access_of(raw: str) -> Access | None:
    """What the token gives; None for one that is unknown, expired or revoked, or of somebody who has no access."""
    now = timezone.now()
    checksum = checksum_of(raw)
    kept = cache.get(_key(checksum))
    if kept == MARK:
        return None
    if isinstance(kept, dict):
        return _from_cache(kept) if kept["expires"] > now.timestamp() else None
    return _look_up(checksum, now)


def checksum_of(raw: str) -> str:
    """What the database keeps of a token (SHA-256, hexadecimal)."""
    return hashlib.sha256(raw.encode("utf-8", "surrogateescape")).hexdigest()


def forget(checksums: Iterable[str]) -> None:
    """Believe these tokens no longer; called in the transaction that revokes them."""
    cache.set_many({_key(checksum): MARK for checksum in checksums}, 2 * _lifetime())


def give_back(raw: str, client: ApiClient) -> None:
    """Believe a token no longer that its own client gives back; another client's stays (RFC 7009)."""
    own = get_access_token_model().objects.filter(token_checksum=checksum_of(raw), application=client)
    forget(own.values_list("token_checksum", flat=True))


def end_all(client: ApiClient) -> None:
    """End every token of a client, those by which people's are renewed included."""
    tokens = get_access_token_model().objects.filter(application=client)
    forget(tokens.values_list("token_checksum", flat=True))
    get_refresh_token_model().objects.filter(application=client, revoked=None).update(revoked=timezone.now())
    tokens.delete()


def note_use(client_id: int, now: datetime) -> None:
    """Write down when a client last asked, at most once a minute."""
    if cache.add(f"api-used:{client_id}", 1, int(USE_NOTED.total_seconds())):
        due = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_NOTED)
        ApiClient.objects.filter(due, pk=client_id).update(last_used_at=now)


def company_uri(public_id: Any) -> str:
    """What a person's token is for: the company that they chose (the token's resource, RFC 8707)."""
    return f"{settings.BASE_URL}/companies/{public_id}"


def _key(checksum: str) -> str:
    return f"api-token:1:{checksum}"


def _lifetime() -> int:
    seconds: Any = settings.OAUTH2_PROVIDER["ACCESS_TOKEN_EXPIRE_SECONDS"]
    return int(seconds)


def _look_up(checksum: str, now: datetime) -> Access | None:
    tokens = get_access_token_model().objects.select_related("application__company", "user")
    token = tokens.filter(token_checksum=checksum).first()
    if token is None or token.expires <= now or not token.application.is_usable(None):
        return None
    scopes = frozenset(token.scope.split())
    if token.user is not None:
        actor = _person(token.user, token.resource)
        return Access(actor, scopes, token.application_id) if actor else None
    access = Access(actor_of(token.application), scopes, token.application_id)
    cache.add(_key(checksum), _for_cache(access, token.expires), KEPT_SECONDS)
    return access


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


def _person(user: User, resource: list[str]) -> Actor | None:
    """The actor a person is in the company they chose, with the roles they hold now (ORG-2)."""
    if not user.is_active:
        return None
    for membership in accounts.memberships(user):
        if company_uri(membership.company.public_id) in resource:
            membership.user = user
            return accounts.actor_for(membership)
    return None


def _for_cache(access: Access, expires: datetime) -> dict[str, Any]:
    """Plain values only: the cache outlives the code that filled it."""
    actor = access.actor
    return {
        "expires": expires.timestamp(),
        "client": access.client_id,
        "scopes": sorted(access.scopes),
        "name": actor.name,
        "company": [actor.company_id, actor.company_name, actor.is_vendor],
        "grants": [[grant.role, grant.location_id] for grant in actor.grants],
    }


def _from_cache(kept: dict[str, Any]) -> Access:
    company_id, company_name, is_vendor = kept["company"]
    actor = Actor(
        kind="client",
        name=kept["name"],
        company_id=company_id,
        company_name=company_name,
        is_vendor=is_vendor,
        grants=frozenset(Grant(role, location_id) for role, location_id in kept["grants"]),
    )
    return Access(actor, frozenset(kept["scopes"]), kept["client"])
