"""Addresses of the API: each is the same resource with no, one or two slashes at its end, without a redirect (F1.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern
from django.urls.resolvers import RoutePattern

MAX_SLASHES = 2


class _Route(RoutePattern):
    """A route that overlooks slashes at the end: a redirect would lose the request's body."""

    def match(self, path: str) -> Any:
        bare = path.rstrip("/")
        return super().match(bare) if len(path) - len(bare) <= MAX_SLASHES else None


def route(address: str, view: Callable[..., Any], *, name: str) -> URLPattern:
    """Like `path`, for an endpoint. Ids are taken as `<id>`: the endpoint answers 404 for what is none."""
    return URLPattern(_Route(address, name=name, is_endpoint=True), view, {}, name)
