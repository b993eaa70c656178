"""What every request carries: the actor, and the person's language, zone and company."""

from __future__ import annotations

import codecs
import zoneinfo
from collections.abc import Callable, Mapping

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from portal.accounts import selectors, visits
from portal.accounts.models import User

GetResponse = Callable[[HttpRequest], HttpResponse]

COMPANY_KEY = "company"


class NoStoreMiddleware:
    """Keeps every page, fragment and download out of all caches, also a browser's on a shared machine.

    Static files and probes are answered before, and say themselves how long they are kept.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers["Cache-Control"] = "no-store"
        return response


class LanguageMiddleware:
    """The person's own language and zone; for a stranger the cookie, then what the browser asks for."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        language = user.language if isinstance(user, User) else translation.get_language_from_request(request)
        zone = user.time_zone if isinstance(user, User) else settings.TIME_ZONE
        request.LANGUAGE_CODE = language
        with translation.override(language), timezone.override(_zone(zone)):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


class PlainTextMiddleware:
    """Refuses what is not sent in UTF-8, as our pages are written, and NUL characters: nobody types one, and no text
    of the database can hold it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not _is_utf_8(request.content_params):
            raise BadRequest("charset")
        given = [*request.GET.lists(), *request.POST.lists()]
        if any("\x00" in part for name, values in given for part in [name, *values]):
            raise BadRequest("NUL character")
        return self.get_response(request)


class ActorMiddleware:
    """Sets request.actor (None for a stranger or a person without a company) and request.memberships."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = None  # type: ignore[attr-defined]
        request.memberships = []  # type: ignore[attr-defined]
        if isinstance(request.user, User) and not request.path.startswith(settings.STATIC_URL):
            memberships = selectors.memberships(request.user)
            chosen = request.session.get(COMPANY_KEY)
            membership = next(
                (m for m in memberships if m.company_id == chosen), memberships[0] if memberships else None
            )
            if membership is not None:
                membership.user = request.user
                request.actor = selectors.actor_for(membership)  # type: ignore[attr-defined]
                visits.note(membership, timezone.now())
            request.memberships = memberships  # type: ignore[attr-defined]
        return self.get_response(request)


def _is_utf_8(content_params: Mapping[str, str] | None) -> bool:
    """Whether the request says nothing else: some codecs of Python's make no text, and fail when they are asked to."""
    charset = (content_params or {}).get("charset", "utf-8")
    try:
        return codecs.lookup(charset).name == "utf-8"
    except (LookupError, ValueError):
        return False


def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")
