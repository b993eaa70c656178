"""What the pages share that a link opens, without an account (LIC-1, LIC-4, LIC-8)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.core.internal import ratelimit
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

#: Nobody tries links, or addresses: so many requests from one network address, and with one link.
LIMITS = {"link": "600/5m/ip,120/5m/key", "page": "600/5m/ip"}
RETRY_AFTER = "300"
#: What other sites learn of the page one came from, the link's secret included. Never the page: not ours either, so
#: that it stands in no log. But our own address, as without one browsers send forms from nowhere (`Origin: null`).
REFERRER_POLICY = "strict-origin"

View = Callable[..., HttpResponse]


def opened_by_link(view: View) -> View:
    """For a page without an account: limited, in no search engine, and nothing of its address goes elsewhere."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        limit = {"action": "link", "key": kwargs["token"]} if "token" in kwargs else {"action": "page"}
        if ratelimit.consume(request, app="licensing", config=LIMITS, limit_get=True, **limit):
            response = view(request, *args, **kwargs)
        else:
            response = render(request, "licensing/too_many.html", status=429)
            response.headers["Retry-After"] = RETRY_AFTER
        response.headers["Referrer-Policy"] = REFERRER_POLICY
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    return wrapped


def refused_link(request: HttpRequest, state: str, *, of: str) -> HttpResponse:
    """A link that is no good any more, or never was: in words, and without a word on whose it is (LIC-1)."""
    return render(
        request, "licensing/link_refused.html", {"state": state, "of": of}, status=404 if state == "unknown" else 410
    )
