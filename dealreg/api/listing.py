"""A page of a list, as OData's options ask for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api import odata
from portal.api.http.endpoint import collection
from referrals.api import wire


def page(
    request: Request,
    resource: odata.Resource,
    rows: QuerySet[Any, Any],
    shown: Callable[[Mapping[str, Any]], dict[str, Any]],
) -> Response:
    """One query for the rows, and one more for a count that was asked for. Raises QueryError."""
    query = odata.read(request.query_params, resource)
    found = query.apply(rows)
    items = [shown(row) for row in found.rows]
    if query.select:
        items = [{name: item[name] for name in query.select} for item in items]
    context, link = wire.url(f"v1.0/$metadata#{resource.name}"), found.next_link(request._request)
    return collection(items, context=context, count=found.count, next_link=link)
