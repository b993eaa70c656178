"""What every endpoint does before and after its own work, and the two shapes of an answer."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone, translation
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.accounts.rules import Actor
from portal.api.http import idempotency, limits
from portal.api.http.authentication import Access
from portal.api.http.errors import ApiError
from portal.api.services import tokens

#: The surface of a client that doesn't say what it is.
VIA = "Api"
#: Echoed, or made, so that both sides can find a request in their logs (F1.3).
REQUEST_IDS = ("request-id", "client-request-id", "MS-CorrelationId")


@method_decorator(csrf_exempt, name="dispatch")
class Endpoint(APIView):
    """A resource of the API.

    `scopes`: for each method the scope that a token needs. `targets`: wire paths of the fields that blockers name.
    """

    scopes: ClassVar[Mapping[str, str]] = {}
    targets: ClassVar[Mapping[str, str]] = {}
    #: For the API's description: for each method what it takes, and what it gives (by status, if it has several);
    #: serializers, or schemas as mappings. Without them it is any object.
    bodies: ClassVar[Mapping[str, Any]] = {}
    answers: ClassVar[Mapping[str, Any]] = {}
    #: Whether GET takes OData's options ($filter, $top, …).
    odata: ClassVar[bool] = False
    #: How much of its limit the client has used; None while nobody counts.
    usage: limits.Usage | None = None
    #: The row that keeps the answer, for a request that names a key.
    reserved: int | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not isinstance(request.auth, Access):
            raise exceptions.NotAuthenticated("Send a bearer token; /oauth2/token gives one.")
        self.now: datetime = timezone.now()
        self._count(request.auth)
        method = "GET" if request.method == "HEAD" else request.method or ""
        self.check_allowed(filter(None, [self.scopes.get(method)]))
        if hasattr(self, (request.method or "").lower()) and (key := idempotency.key_of(request._request)):
            self.reserved = idempotency.reserve(request, key, owner=request.auth.owner, now=self.now)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        def answer() -> Any:
            return super(Endpoint, self).dispatch(request, *args, **kwargs)

        with translation.override("en"):
            response = idempotency.once(answer, lambda: self.reserved) if idempotency.key_of(request) else answer()
        access = getattr(self.request, "auth", None) if response.status_code != 401 else None
        if isinstance(access, Access) and access.client_id:
            tokens.note_use(access.client_id, timezone.now())
        for name, value in (self.usage.headers() if self.usage else {}).items():
            response.headers[name] = value
        for name in REQUEST_IDS:
            response.headers[name] = request.headers.get(name) or str(uuid.uuid4())
        return response

    def handle_exception(self, exc: Exception) -> Any:
        return exc.answer if isinstance(exc, idempotency.Replay) else super().handle_exception(exc)

    def _count(self, access: Access) -> None:
        """Raises ApiError 429 for one request too many."""
        self.usage = limits.count(access.owner, limit=settings.API_REQUESTS_PER_MINUTE)
        if self.usage and self.usage.exceeded:
            wait = {"Retry-After": str(self.usage.reset)}
            raise ApiError(429, f"Only {self.usage.limit} requests a minute are answered.", headers=wait)

    def check_allowed(self, scopes: Iterable[str]) -> None:
        """Raises PermissionDenied for a scope that the token lacks."""
        assert isinstance(self.request.auth, Access)
        for scope in scopes:
            if scope not in self.request.auth.scopes:
                raise exceptions.PermissionDenied(f"The token lacks the scope {scope}.")

    @property
    def actor(self) -> Actor:
        """Who asks; their writes are marked as the API's, unless the client says what it is (F9)."""
        assert isinstance(self.request.auth, Access)
        return replace(self.request.auth.actor, via=VIA)


def single(data: Mapping[str, Any], *, etag: str, status: int = 200, location: str = "") -> Response:
    """One resource, with its ETag."""
    headers = {"ETag": etag}
    if location:
        headers["Location"] = location
    return Response(data, status, headers=headers)


def collection(
    items: Sequence[Mapping[str, Any]], *, context: str, count: int | None = None, next_link: str | None = None
) -> Response:
    """A page of resources in OData's envelope (F1.10)."""
    data: dict[str, Any] = {"@odata.context": context}
    if count is not None:
        data["@odata.count"] = count
    data["value"] = items
    if next_link:
        data["@odata.nextLink"] = next_link
    return Response(data)
