"""What is different about a request of the API: it has no session, and whatever refuses it answers in JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from portal.api.http import errors

#: Everything below these is the API's.
PREFIXES = ("/v1.0/", "/engagements/v1/", "/webhooks/v1/")
TOKENS = re.compile(r"^/(?:[^/]+/)?oauth2/(?:v2\.0/)?(?:token|revoke)$")

MESSAGES = {
    400: "The request can't be read.",
    404: errors.NOT_FOUND,
    405: "This method is not offered here.",
    413: "The body is too large.",
    500: "Something went wrong here. It is logged; try again later.",
}


class ApiMiddleware:
    """Stands before all that look for a session, and after what a server asks.

    Without its cookies a request is nobody's for them: no session or membership is looked up, and no page of the same
    browser lends it rights.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_token = TOKENS.match(request.path_info) is not None
        if not is_token and not request.path_info.startswith(PREFIXES):
            return self.get_response(request)
        request.COOKIES = {}
        response = self.get_response(request)
        if response.status_code < 400 or _is_json(response):
            return response
        return _oauth(response) if is_token else _plain(response)


def _is_json(response: HttpResponse) -> bool:
    return response.headers.get("Content-Type", "").startswith("application/json")


def _plain(response: HttpResponse) -> HttpResponse:
    """The same refusal with the API's body."""
    message = MESSAGES.get(response.status_code, "Refused.")
    return _with(response, errors.body(response.status_code, message))


def _oauth(response: HttpResponse) -> HttpResponse:
    """The same refusal as OAuth's clients read it (RFC 6749)."""
    code = "server_error" if response.status_code >= 500 else "invalid_request"
    return _with(response, {"error": code, "error_description": MESSAGES.get(response.status_code, "Refused.")})


def _with(response: HttpResponse, body: object) -> HttpResponse:
    kept = {name: value for name, value in response.headers.items() if name in {"Allow", "Retry-After"}}
    return HttpResponse(json.dumps(body), status=response.status_code, content_type="application/json", headers=kept)
