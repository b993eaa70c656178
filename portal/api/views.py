"""Tokens: the endpoint that gives them, the one that takes them back, and the page on which a person agrees."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe
from oauth2_provider.views import AuthorizationView, RevokeTokenView, TokenView

from portal.accounts.models import Company
from portal.api.forms import ConsentForm
from portal.api.http import limits, schema
from portal.api.models import ApiClient

GRANTS = ("client_credentials", "authorization_code", "refresh_token")


class Token(TokenView):  # type: ignore[misc]
    """Gives tokens. Its refusals are OAuth's (RFC 6749), in JSON."""

    http_method_names = ["post"]

    @method_decorator(sensitive_post_parameters("client_secret", "client_assertion", "refresh_token", "code"))
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if wait := limits.token_wait(request):
            return oauth_error(429, "temporarily_unavailable", "Too many requests for tokens.", retry_after=wait)
        if request.POST.get("grant_type") not in GRANTS:
            return oauth_error(400, "unsupported_grant_type", f"grant_type is one of {', '.join(GRANTS)}.")
        request.META["QUERY_STRING"] = ""  # Microsoft's clients send api-version, which OAuth forbids
        response: HttpResponse = self.authorization_flow_token_response(request)
        return response


class Revoke(RevokeTokenView):  # type: ignore[misc]
    """Takes a token back (RFC 7009)."""

    http_method_names = ["post"]


class Authorize(AuthorizationView):  # type: ignore[misc]
    """Asks a person whether a program may act for them, and for which of their companies."""

    template_name = "api/authorize.html"
    form_class = ConsentForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        given = request.GET.copy()
        for ignored in ("approval_prompt", "resource"):  # nobody agrees unasked; the company is the person's choice
            given.pop(ignored, None)
        request.GET = given  # type: ignore[assignment]
        return super().get(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        client_id = self.request.POST.get("client_id") or self.oauth2_data.get("client_id", "")
        return {**super().get_form_kwargs(), "companies": self._companies(client_id)}

    def get_initial(self) -> dict[str, Any]:
        actor = getattr(self.request, "actor", None)
        own = Company.objects.filter(pk=actor.company_id).first() if actor else None
        return {**super().get_initial(), "company": str(own.public_id) if own else ""}

    def _companies(self, client_id: str) -> list[Company]:
        """Those of the person's for which the program may act: its own company, or any for one of the vendor's."""
        client = ApiClient.objects.select_related("company").filter(client_id=client_id).first()
        own = [membership.company for membership in getattr(self.request, "memberships", [])]
        return [c for c in own if client and (client.company.is_vendor or client.company_id == c.pk)]

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().render_to_response(context, **kwargs)
        target = urlsplit(str(context.get("redirect_uri") or ""))
        if target.scheme in {"http", "https"}:  # browsers apply form-action to where the form's answer leads, too
            response._csp_update = {"form-action": [f"{target.scheme}://{target.netloc}"]}  # type: ignore[attr-defined]
        return response


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """The API's description, for everybody: it says nothing that a company would keep."""
    return HttpResponse(schema.document(), content_type="application/json")


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The same to read."""
    return render(request, "api/docs.html")


def oauth_error(status: int, code: str, message: str, *, retry_after: int = 0) -> HttpResponse:
    """A refusal as OAuth's clients read it."""
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    body = json.dumps({"error": code, "error_description": message})
    return HttpResponse(body, status=status, content_type="application/json", headers=headers)
