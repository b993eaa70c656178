"""How much a request may bring: little for a page, more for an upload by a signed-in person or an API client."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth import get_user
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string

#: Bytes of a page's form: far more than the longest draft, a deal with its notes and fifty people.
PAGE_BYTES = 1_000_000
#: Set by the server for a request whose body it left out, because it may not be so large.
TOO_LARGE = "ortak.too_large"

#: Who is known besides persons with a session; whoever knows them adds a question for it.
KNOWN_BESIDES: list[Callable[[HttpRequest], bool]] = []

_log = logging.getLogger(__name__)

View = TypeVar("View", bound=Callable[..., Any])


def accepts_upload(max_bytes: int | Callable[[], int]) -> Callable[[View], View]:
    """For a view that takes files: how many bytes a signed-in person or an API client may send, the form included.

    A function is asked for each request, for a limit that the policy holds.
    """

    def declare(view: View) -> View:
        view.max_bytes = max_bytes  # type: ignore[attr-defined]
        return view

    return declare


def limit_for(request: HttpRequest) -> int:
    """How many bytes this request may bring; a stranger's never more than a page's."""
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        return PAGE_BYTES
    own = getattr(view, "max_bytes", PAGE_BYTES)
    if own == PAGE_BYTES or not (request.user.is_authenticated or any(knows(request) for knows in KNOWN_BESIDES)):
        return PAGE_BYTES
    return max(PAGE_BYTES, own() if callable(own) else own)


def limit_before_reading(environ: dict[str, Any]) -> int:
    """The same, for a server that has read only the head so far. Whatever goes wrong, it is a page's."""
    try:
        request = WSGIRequest(environ)
        store = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
        request.session = store(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
        request.user = SimpleLazyObject(lambda: get_user(request))  # type: ignore[assignment]
        return limit_for(request)
    except Exception:
        _log.warning("Could not tell how large a body may be; taken for a page's.", exc_info=True)
        return PAGE_BYTES


class BodyLimitMiddleware:
    """Refuses what is too large before anything reads it: 413 with a page that says the limit.

    Stands before the first middleware that looks into the form, and after those that know who asks.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = _length(request)
        refused = request.META.get(TOO_LARGE, False)
        if not refused and length <= PAGE_BYTES:
            return self.get_response(request)
        limit = limit_for(request)
        if not refused and length <= limit:
            return self.get_response(request)
        return render(request, "413.html", {"limit": limit}, status=413)


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
