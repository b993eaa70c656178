"""The API's description (OpenAPI 3.1), and the page that draws it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from portal.api import rules
from portal.api.http import schema


@pytest.mark.parametrize("urlconf", ["portal.urls", "tests.api_urls"])
def test_the_description_is_valid_and_leaves_no_doubt(urlconf: str, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", "--urlconf", urlconf)
    assert json.loads(capsys.readouterr().out)["openapi"].startswith("3.1")


def described() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator(urlconf="tests.api_urls").get_schema(request=None, public=True)
    return found


def test_scopes_refusals_and_headers_stand_at_every_operation() -> None:
    found = described()
    get, post, patch = (found["paths"]["/v1.0/probe"][method] for method in ("get", "post", "patch"))
    assert get["security"] == [{"oauth2": [rules.READ]}]
    assert post["security"] == patch["security"] == [{"oauth2": [rules.WRITE]}]
    assert {"200", "400", "401", "403", "404", "406", "429"} == set(get["responses"])
    assert {"409", "412", "413", "415", "422"} < set(post["responses"])
    assert [p["name"] for p in post["parameters"]] == ["Idempotency-Key"]
    assert "If-Match" in [p["name"] for p in patch["parameters"]]
    flows = found["components"]["securitySchemes"]["oauth2"]["flows"]
    assert set(flows["clientCredentials"]["scopes"]) == set(rules.SCOPES)


def test_a_list_names_odatas_options(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.api_urls import Probe

    monkeypatch.setattr(Probe, "odata", True)
    names = [p["name"] for p in described()["paths"]["/v1.0/probe"]["get"]["parameters"]]
    assert set(names) == set(schema.ODATA)


def test_a_resource_stands_there_once_without_slashes() -> None:
    views = [("/v1.0/a/{id}/{0,2}", "", "GET", 1), ("/v1.0/a/{id}", "", "GET", 2), ("/engagements/v1/a", "", "GET", 3)]
    assert schema.documented(views) == [("/v1.0/a/{id}", "", "GET", 1)]


def test_everybody_may_read_it() -> None:
    answer = Client().get("/v1.0/openapi.json")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json()["info"]["title"] == "Ortak"
    assert Client().post("/v1.0/openapi.json").status_code == 405
    assert Client().get("/v1.0/docs").status_code == 200


def test_any_json_may_be_null() -> None:
    parts = SchemaGenerator().get_schema(request=None, public=True)["components"]["schemas"]
    assert parts["ReferralShape"]["properties"]["exception"] == {}
    assert parts["ReferralShape"]["properties"]["name"] == {"type": "string"}
