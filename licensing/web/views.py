"""Pages of licences."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def not_yet(_request: HttpRequest, **_named: object) -> HttpResponse:
    raise Http404
