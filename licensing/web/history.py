"""What happened to licences and consents, as the deal's page and the customer's show it (LIC-5)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from portal.events.models import EventQuerySet
from portal.params import whole_number
from portal.workflow import timeline


def context(request: HttpRequest, found: EventQuerySet) -> dict[str, Any]:
    """A page of the history, and the address of the next."""
    entries, last = timeline.page(found, before=whole_number(request.GET.get("before")))
    return {"history": entries, "more_url": f"{request.path}?before={last}" if last else ""}
