"""OAuth as Microsoft's clients speak it, over django-oauth-toolkit (wire.md, Auth; F1.2)."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.db import IntegrityError, transaction
from django.utils import timezone
from jwcrypto.common import JWException
from jwcrypto.jws import JWS
from jwcrypto.jwt import JWT
from oauth2_provider.models import get_grant_model
from oauth2_provider.oauth2_validators import OAuth2Validator

from portal.api import rules
from portal.api.models import ApiClient, UsedAssertion
from portal.api.services import keys, tokens

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
#: Seconds that an assertion may be good for; it is remembered as long, so that it is good once.
MAX_ASSERTION_SECONDS = 3600
#: What jwcrypto forgives of clocks that differ, in seconds.
LEEWAY = 60
MAX_ASSERTION_LENGTH = 10_000


class Validator(OAuth2Validator):  # type: ignore[misc]
    """Who asks for a token, which scopes it gets, and whose records it opens."""

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """By a signed assertion, or by the secret in body or header: the newest, or the one before it for a while."""
        if assertion := _param(request, "client_assertion"):
            return self._is_signed(request, assertion)
        client_id, secret = _credentials(request)
        client = self._load_application(client_id, request)
        return client is not None and any(check_password(secret, kept) for kept in client.secrets(timezone.now()))

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        return bool(_param(request, "client_assertion")) or super().client_authentication_required(request)

    def _is_signed(self, request: Any, assertion: str) -> bool:
        """Whether a key of the client signed it, for us, now, and for the first time (RFC 7523)."""
        if _param(request, "client_assertion_type") != ASSERTION_TYPE or len(assertion) > MAX_ASSERTION_LENGTH:
            return False
        try:
            client = self._load_application(_subject(assertion), request)
            claims = _checked_claims(assertion, client) if client and client.public_keys else None
            return claims is not None and _is_for_us(claims, request) and _is_new(claims, client)
        except (JWException, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            return False

    def validate_scopes(self, client_id: str, scopes: list[str], client: ApiClient, request: Any, **_: Any) -> bool:
        """`…/.default` means all the client has; of what it hasn't, nothing is given."""
        request.scopes = rules.granted_scopes(" ".join(scopes), client.allowed_scopes).split()
        return bool(request.scopes)

    def is_within_original_scope(self, request_scopes: list[str], refresh_token: str, request: Any, **_: Any) -> bool:
        """The same for a token that is renewed: never more than it had."""
        original = self.get_original_scopes(refresh_token, request)
        request.scopes = rules.granted_scopes(" ".join(request_scopes), original).split()
        return bool(request.scopes)

    def _check_and_set_request_resource(self, request: Any) -> None:
        """What a client sends as `resource` is ignored; a person's token is for the company that they chose."""
        request.resource = []
        if request.grant_type == "authorization_code":
            found = get_grant_model().objects.filter(code=request.code, application=request.client)
            request.resource = found.values_list("resource", flat=True).first() or []
        elif request.grant_type == "refresh_token":
            request.resource = request.refresh_token_instance.resource

    def revoke_token(self, token: str, token_type_hint: str, request: Any, *args: Any, **kwargs: Any) -> None:
        if request.client is not None:
            tokens.give_back(token, request.client)
        super().revoke_token(token, token_type_hint, request)


def _param(request: Any, name: str) -> str:
    """A parameter that oauthlib knows nothing of."""
    try:
        return str(getattr(request, name) or "")
    except AttributeError:
        return ""


def _credentials(request: Any) -> tuple[str, str]:
    """Id and secret out of the Authorization header (form-encoded each, RFC 6749), else out of the body."""
    kind, _space, encoded = (request.headers.get("Authorization") or "").partition(" ")
    if kind.casefold() != "basic":
        return _param(request, "client_id"), _param(request, "client_secret")
    try:
        client_id, _colon, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return unquote_plus(client_id), unquote_plus(secret)


def _subject(assertion: str) -> str:
    """Who the assertion says it is of; nothing of it is checked yet."""
    unverified = JWS()
    unverified.deserialize(assertion)
    return str(json.loads(unverified.objects["payload"])["sub"])


def _checked_claims(assertion: str, client: ApiClient) -> dict[str, Any]:
    """The claims of an assertion that one of the client's keys signed and that is in force. Raises JWException."""
    expected = {"iss": client.client_id, "sub": client.client_id, "exp": None, "jti": None, "aud": None}
    signed = JWT(check_claims=expected, algs=ALGORITHMS, expected_type="JWS")
    signed.leeway = LEEWAY
    signed.deserialize(assertion, keys.read(client.public_keys))
    claims: dict[str, Any] = json.loads(signed.claims)
    return claims


def _is_for_us(claims: dict[str, Any], request: Any) -> bool:
    """Whether it names us, or the address it was sent to, and is good for an hour at most."""
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    ours = {settings.BASE_URL, f"{settings.BASE_URL}/", settings.BASE_URL + urlsplit(request.uri).path}
    now = timezone.now().timestamp() + LEEWAY
    in_time = float(claims.get("nbf", 0)) <= now and float(claims["exp"]) <= now + MAX_ASSERTION_SECONDS
    return in_time and any(name in ours for name in audience if isinstance(name, str))


def _is_new(claims: dict[str, Any], client: ApiClient) -> bool:
    """Remembers it; False for one that was used."""
    jti = claims["jti"]
    if not isinstance(jti, str) or not 0 < len(jti) <= 255 or "\x00" in jti:
        return False
    expires = datetime.fromtimestamp(float(claims["exp"]) + 2 * LEEWAY, UTC)
    try:
        with transaction.atomic():
            UsedAssertion.objects.create(client=client, jti=jti, expires_at=expires)
    except IntegrityError:
        return False
    return True
