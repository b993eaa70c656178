"""What becomes of API clients when their company is closed (ORG-2)."""

from __future__ import annotations

from collections.abc import Sequence

from portal.accounts.companies import CLOSED
from portal.api.models import ApiClient
from portal.api.services import tokens
from portal.events.models import Event
from portal.events.services import on


@on(CLOSED)
def end_tokens(events: Sequence[Event]) -> None:
    """At once; the clients stay, and get new tokens once the company is open again."""
    for client in ApiClient.objects.filter(company__in=[event.subject_id for event in events]):
        tokens.end_all(client)
