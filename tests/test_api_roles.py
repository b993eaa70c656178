"""Every endpoint of the API, whichever app offers it: without a token, and with one that lacks the scope."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver
from rest_framework.views import APIView

from portal.api import rules
from portal.api.http.endpoint import Endpoint
from portal.demo.cast import Cast
from tests.api import Api, make_client

METHODS = ("get", "post", "put", "patch", "delete")


def endpoints(patterns: list[Any], prefix: str = "/") -> Iterator[tuple[str, type[APIView]]]:
    """Every address with its view."""
    for entry in patterns:
        place = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from endpoints(entry.url_patterns, place)
        elif hasattr(entry.callback, "cls"):
            yield place, entry.callback.cls


def offered() -> list[tuple[str, str, type[Endpoint]]]:
    return [
        (place, method.upper(), view)
        for place, view in endpoints(get_resolver().url_patterns)
        for method in METHODS
        if issubclass(view, Endpoint) and hasattr(view, method)
    ]


def address(place: str) -> str:
    """With ids that nothing has."""
    parts = [str(uuid.uuid4()) if part.startswith("<") else part for part in place.split("/")]
    return "/".join(parts)


def test_every_view_of_the_api_is_an_endpoint_and_names_a_scope_for_each_method() -> None:
    assert offered()
    for place, view in endpoints(get_resolver().url_patterns):
        assert issubclass(view, Endpoint), place
    for place, method, view in offered():
        assert view.scopes.get(method) in rules.SCOPES, f"{method} {place}"


@pytest.mark.django_db
def test_without_a_token_or_its_scope_nothing_is_answered(cast: Cast) -> None:
    client = make_client(cast.companies["contoso"])
    tokens = {scope: Api(client, scope=scope) for scope in rules.SCOPES}
    for place, method, view in offered():
        told = Client().generic(method, address(place))
        assert (told.status_code, told.json()["error"]["code"]) == (401, "unauthenticated"), f"{method} {place}"
        for scope, api in tokens.items():
            if scope != view.scopes[method]:
                answer = api.call(method, address(place))
                assert (answer.status_code, answer.json()["error"]["code"]) == (403, "accessDenied"), (
                    f"{method} {place} with {scope}"
                )
