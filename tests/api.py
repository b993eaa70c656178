"""Calls the API in tests: a company's client with a token, over Django's test client."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from portal.accounts import rules as roles
from portal.accounts.models import Company, Location
from portal.api import rules
from portal.api.models import ApiClient

SECRET = "ortak-demo-secret"


def make_client(
    company: Company,
    *,
    role: str = roles.REFERRALS_ADMIN,
    location: Location | None = None,
    client_id: str = "",
    scopes: str = " ".join(rules.SCOPES),
) -> ApiClient:
    return ApiClient.objects.create(
        name=client_id or f"{company.name} CRM",
        client_id=client_id or f"{company.name.lower()}-crm",
        client_secret=SECRET,
        client_type=ApiClient.CLIENT_CONFIDENTIAL,
        authorization_grant_type=ApiClient.GRANT_CLIENT_CREDENTIALS,
        company=company,
        role=role,
        location=location,
        allowed_scopes=scopes,
    )


class Api:
    """A signed-in client. Answers are Django's test responses; `response.json()` is the body."""

    def __init__(self, client: ApiClient, scope: str = "", **extra: Any) -> None:
        self.http = Client(raise_request_exception=True)
        given = {"grant_type": "client_credentials", "client_id": client.client_id, "client_secret": SECRET}
        if scope:
            given["scope"] = scope
        answer = self.http.post("/oauth2/token", given)
        assert answer.status_code == 200, answer.content
        self.token = answer.json()["access_token"]

    def call(self, method: str, path: str, data: Any = None, **headers: str) -> Any:
        """`headers` with underscores for hyphens: If_Match='"1"'."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        body = b"" if data is None else data if isinstance(data, bytes) else json.dumps(data, default=str).encode()
        kind = sent.pop("Content-Type", "application/json")
        sent.setdefault("Authorization", f"Bearer {self.token}")
        return self.http.generic(method, path, body, content_type=kind, headers=sent)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, data: Any = None, **headers: str) -> Any:
        return self.call("POST", path, data, **headers)

    def put(self, path: str, data: Any = None, **headers: str) -> Any:
        return self.call("PUT", path, data, **headers)

    def patch(self, path: str, data: Any = None, **headers: str) -> Any:
        return self.call("PATCH", path, data, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.call("DELETE", path, **headers)
