"""The API's description (OpenAPI 3.1), read out of the endpoints themselves.

An endpoint says what it takes and gives in `bodies` and `answers`, or by drf-spectacular's `extend_schema`; scopes,
refusals, headers and OData's options are added here, because they are the same everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from portal.api import rules
from portal.api.http import json

FREE_FORM: Mapping[str, Any] = {"type": "object", "additionalProperties": {}}
WITH_BODY = ("POST", "PUT", "PATCH")

_TEXT: Mapping[str, Any] = {"type": "string"}
_DETAIL: Mapping[str, Any] = {
    "type": "object",
    "description": "A violated rule. A new version (412) is told by `changed`, with what each field was and is.",
    "properties": {
        "code": _TEXT,
        "target": _TEXT,
        "message": {**_TEXT, "maxLength": 1024},
        "rule": _TEXT,
    },
    "required": ["code", "target"],
}
ERROR: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {**_TEXT, "description": "Stable; clients key on it."},
                "message": {**_TEXT, "maxLength": 1024},
                "target": _TEXT,
                "innerError": {"type": ["object", "null"]},
                "details": {"type": "array", "items": _DETAIL},
            },
            "required": ["code", "message", "target", "innerError", "details"],
        }
    },
    "required": ["error"],
}
#: Every refusal that some requests meet, and which.
REFUSALS: Mapping[str, tuple[str, Callable[[Schema], bool]]] = {
    "400": ("The request can't be read, or names a path or filter that is unknown", lambda s: True),
    "401": ("No token, or one that is unknown, expired or revoked", lambda s: True),
    "403": ("Role or scope don't allow it", lambda s: True),
    "404": ("There is no such resource, or it is another company's", lambda s: True),
    "406": ("Answers are JSON", lambda s: True),
    "409": ("The wrong state, or a key that was used with another body", lambda s: s.method not in {"GET"}),
    "412": ("An old version", lambda s: s.method in {"PUT", "PATCH", "POST", "DELETE"}),
    "413": ("The body is too large", lambda s: s.method in WITH_BODY),
    "415": ("The body is not JSON", lambda s: s.method in WITH_BODY),
    "422": ("Rules are violated; all of them stand in `details`", lambda s: s.method not in {"GET"}),
    "429": ("Too many requests; `Retry-After` says when to come again", lambda s: True),
}
ODATA = {
    "$filter": "OData's: eq, ne, gt, ge, lt, le, and, or, not, in, contains, startswith, any",
    "$select": "Properties, separated by commas",
    "$orderby": "A property, `asc` or `desc`",
    "$top": "How many at most: 100 unless told, 500 at most",
    "$skip": "How many to leave out",
    "$count": "`true` adds `@odata.count`",
    "$skiptoken": "Of `@odata.nextLink`",
}


def collection_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a page of such items (F1.10)."""
    return {
        "type": "object",
        "properties": {
            "@odata.context": _TEXT,
            "@odata.count": {"type": "integer"},
            "value": {"type": "array", "items": dict(item)},
            "@odata.nextLink": {**_TEXT, "format": "uri"},
        },
        "required": ["@odata.context", "value"],
    }


class Schema(AutoSchema):
    """Describes one method of one endpoint."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is not None:
            for code, answer in operation["responses"].items():
                if code.startswith("2"):
                    answer["headers"] = {**self._headers(), **answer.get("headers", {})}
            operation["responses"] = {**self._refusals(), **operation["responses"]}
        return operation

    def get_auth(self) -> list[dict[str, Any]]:
        """The scope that the endpoint asks for (Endpoint.scopes)."""
        scheme = _component("oauth2", ResolvedComponent.SECURITY_SCHEMA, _oauth2())
        self.registry.register_on_missing(scheme)
        scope = getattr(self.view, "scopes", {}).get(self.method, "")
        return [{"oauth2": [scope] if scope else []}]

    def get_request_serializer(self) -> Any:
        if self.method not in WITH_BODY:
            return None
        found = getattr(self.view, "bodies", {}).get(self.method, FREE_FORM)
        return {kind: dict(found) for kind in self.map_parsers()} if isinstance(found, Mapping) else found

    def get_response_serializers(self) -> Any:
        given = getattr(self.view, "answers", {})
        if self.method in given:
            found = given[self.method]
            return found if _by_code(found) else {200: found}
        return {204: None} if self.method == "DELETE" else {200: dict(FREE_FORM)}

    def get_override_parameters(self) -> list[Any]:
        found = []
        if self.method in {"POST", "PATCH"}:
            text = "The same key with the same body gives the first answer again, for 24 hours"
            found.append(_parameter("Idempotency-Key", OpenApiParameter.HEADER, text))
        if self.method in {"PUT", "PATCH", "DELETE"}:
            text = "The eTag of the version that the change is for"
            found.append(_parameter("If-Match", OpenApiParameter.HEADER, text, required=self.method == "PUT"))
        if self.method == "GET" and getattr(self.view, "odata", False):
            found += [_parameter(name, OpenApiParameter.QUERY, text) for name, text in ODATA.items()]
        return found

    def _get_serializer_field_meta(self, field: Any, direction: Any) -> dict[str, Any]:
        """Any JSON may be null: told once more, null would be two of `oneOf`, which is none."""
        meta: dict[str, Any] = super()._get_serializer_field_meta(field, direction)  # type: ignore[no-untyped-call]
        if isinstance(field, serializers.JSONField):
            meta.pop("nullable", None)
        return meta

    def get_operation_id(self) -> str:
        """Method and address: `get_referrals_id`."""
        words = [word for word in re.split(r"\W+", self.path) if word and word not in {"v1", "0"}]
        return "_".join([self.method.lower(), *words])

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        """Ids are taken as text: what is none is 404."""
        return [{"in": "path", "name": name, "schema": dict(_TEXT), "required": True} for name in variables]

    def get_tags(self) -> list[str]:
        """The resource: what follows the version in the address."""
        parts = [part for part in self.path.split("/") if part and not part.startswith("{")]
        return [next((part for part in parts if part not in {"v1.0", "v1", "engagements", "webhooks"}), "api")]

    def _headers(self) -> dict[str, Any]:
        names = ["RateLimit", "RateLimit-Policy", "request-id"]
        if not getattr(self.view, "odata", False):
            names.append("ETag")
        return {name: {"schema": dict(_TEXT)} for name in names}

    def _refusals(self) -> dict[str, Any]:
        error = _component("Error", ResolvedComponent.SCHEMA, dict(ERROR))
        self.registry.register_on_missing(error)
        content = {"application/json": {"schema": error.ref}}
        return {
            code: {"description": text, "content": content} for code, (text, meets) in REFUSALS.items() if meets(self)
        }


def _component(name: str, kind: str, schema: dict[str, Any]) -> Any:
    return ResolvedComponent(name, kind, object=name, schema=schema)  # type: ignore[no-untyped-call]


def _parameter(name: str, place: Any, text: str, *, required: bool = False) -> OpenApiParameter:
    return OpenApiParameter(name, str, place, required=required, description=text)


def _by_code(found: Any) -> bool:
    """Whether it names answers by their status; else it is the one answer's schema."""
    return isinstance(found, Mapping) and bool(found) and all(str(code).isdigit() for code in found)


def _oauth2() -> dict[str, Any]:
    scopes = dict(rules.SCOPES)
    address = {"tokenUrl": "/oauth2/token", "refreshUrl": "/oauth2/token", "scopes": scopes}
    return {
        "type": "oauth2",
        "flows": {
            "clientCredentials": {"tokenUrl": "/oauth2/token", "scopes": scopes},
            "authorizationCode": {"authorizationUrl": "/oauth2/authorize", **address},
        },
    }


def documented(endpoints: Iterable[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Each resource once: not under its other addresses, and without the slashes that may follow (F1.1)."""
    found: dict[tuple[str, str], tuple[str, str, str, Any]] = {}
    for path, regex, method, view in endpoints:
        plain = re.sub(r"(/\{0,2\}|/\*|/\?|/+)$", "", path)
        if not plain.startswith("/engagements/"):
            found.setdefault((plain, method), (plain, regex, method, view))
    return list(found.values())


@cache
def document() -> bytes:
    """The description as JSON, made once by each process."""
    with translation.override("en"):
        generator: Any = SchemaGenerator()  # type: ignore[no-untyped-call]
        return json.dumps(generator.get_schema(request=None, public=True))
