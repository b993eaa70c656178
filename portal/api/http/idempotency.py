"""A request that names a key is carried out once, however often it is sent (wire.md; F1.3).

The key is the header `Idempotency-Key`, or `request-id`. An answer below 400 is kept. A refusal is not: it changed
nothing, so the same request may be tried again once nothing stands in its way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import OperationalError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.datastructures import MultiValueDict
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.http.errors import ApiError
from portal.api.services import idempotency
from portal.api.services.idempotency import Key

METHODS = ("POST", "PATCH")
HEADERS = ("Idempotency-Key", "request-id")
MAX_KEY = 255
#: What of an answer's head is kept with it.
KEPT_HEADERS = ("Content-Type", "ETag", "Location", "Preference-Applied", "Content-Location")
#: Says that an answer was given before.
REPLAYED = "Idempotency-Replayed"


class Replay(Exception):
    """The request was answered before."""

    def __init__(self, answer: HttpResponse) -> None:
        self.answer = answer


def key_of(request: HttpRequest) -> str:
    """The key that a request names; empty for one that is carried out each time it is sent."""
    if request.method not in METHODS:
        return ""
    return next((value for name in HEADERS if (value := request.headers.get(name, "").strip())), "")


def reserve(request: Request, key: str, *, owner: str, now: datetime) -> int:
    """Begin to answer. Raises Replay for a request that was answered; ApiError 409 for another body under this key,
    and where the first one takes too long."""
    if len(key) > MAX_KEY:
        raise ApiError(400, f"The key may have {MAX_KEY} characters.", target="Idempotency-Key")
    wanted = Key(owner, request.method or "", request.path, key, _digest(request))
    try:
        with transaction.atomic(savepoint=False):
            found = idempotency.reserve(wanted, now=now)
    except OperationalError:
        message = "A request with this key is still running. Send this one again in a moment."
        raise ApiError(409, message, target="Idempotency-Key", headers={"Retry-After": "1"}) from None
    if isinstance(found, int):
        return found
    if found.digest != wanted.digest:
        message = "This key was used for a request with another body. Use a new key for each request."
        raise ApiError(409, message, target="Idempotency-Key")
    raise Replay(HttpResponse(bytes(found.body), status=found.status, headers={**found.headers, REPLAYED: "true"}))


def once(answer: Callable[[], Any], reserved: Callable[[], int | None]) -> Any:
    """Carry out a request and keep its answer in one transaction; a refusal takes back all that was written."""
    with transaction.atomic():
        response = answer()
        if response.status_code >= 400:
            transaction.set_rollback(True)
        elif number := reserved():
            _keep(number, response)
    return response


def _keep(number: int, response: Any) -> None:
    if isinstance(response, Response):
        response.render()
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    body = getattr(response, "kept_body", response.content)  # without what is told once only, as a secret link
    idempotency.keep(number, status=response.status_code, headers=headers, body=body)


def _digest(request: Request) -> str:
    """Of the body as sent; of an upload the parts, because each sending draws other lines between them, and because
    it may be larger than what is read at once."""
    kind = request.content_type or ""
    if "json" in kind:
        return hashlib.sha256(request._request.body).hexdigest()
    found = hashlib.sha256()
    sent: Any = request._request if kind.startswith("multipart/") else request
    for name, values in sorted(sent.POST.lists()):
        found.update(repr((name, values)).encode())
    for name, file in _files(sent.FILES):
        found.update(repr((name, file.name)).encode())
        for chunk in file.chunks():
            found.update(chunk)
        file.seek(0)
    return found.hexdigest()


def _files(sent: Any) -> list[tuple[str, Any]]:
    """Of a form several under each name; of a body its one file."""
    if not isinstance(sent, MultiValueDict):
        return list(sent.items())
    return [(name, file) for name in sorted(sent) for file in sent.getlist(name)]
