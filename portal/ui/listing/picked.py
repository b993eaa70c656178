"""Which rows of a list a person ticked (REF-20)."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import QueryDict

from portal.accounts.rules import Actor
from portal.params import as_uuid
from portal.ui.listing.query import ListQuery
from portal.ui.listing.rows import in_order


def ticked(sent: QueryDict, *, most: int) -> list[uuid.UUID]:
    """The ids of the ticked rows; none where all that the list holds are meant."""
    texts = [] if "all" in sent else sent.getlist("row")[:most]
    return [found for text in texts if (found := as_uuid(text))]


def picked(sent: QueryDict, asked: ListQuery, actor: Actor, *, most: int) -> list[uuid.UUID]:
    """The ids of the rows that are meant, in the list's order where all are, as far as the person sees them."""
    if "all" in sent:
        return list(in_order(actor, asked).values_list("public_id", flat=True)[:most])
    seen: Any = asked.listing.visible(actor).filter(public_id__in=ticked(sent, most=most))
    return list(seen.values_list("public_id", flat=True).order_by("-pk"))
