"""Bearer tokens: who a request acts as, and what for."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from portal.api.services.tokens import Access as Access
from portal.api.services.tokens import access_of as access_of


class Bearer(BaseAuthentication):
    """Reads `Authorization: Bearer …`. Without one the request is nobody's, and every endpoint answers 401."""

    def authenticate(self, request: Request) -> tuple[Any, Access] | None:
        raw = bearer(request.headers.get("Authorization", ""))
        if not raw:
            return None
        access = access_of(raw)
        if access is None:
            raise exceptions.AuthenticationFailed("The token is unknown, expired or revoked.")
        return access.actor, access

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def bearer(header: str) -> str:
    """The token that an Authorization header holds; empty for none."""
    kind, _space, raw = header.partition(" ")
    return raw.strip() if kind.casefold() == "bearer" else ""


def has_token(request: HttpRequest) -> bool:
    """Whether a client of the API asks, or a person through one."""
    raw = bearer(request.headers.get("Authorization", ""))
    return bool(raw) and access_of(raw) is not None
