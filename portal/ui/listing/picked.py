"""Which rows of a list a person ticked (REF-20)."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import QueryDict

from portal.accounts.rules import Actor
from portal.params import as_uuid
from portal.ui.listing.query import ListQuery
from portal.ui.listing.rows import in_order


def picked(sent: QueryDict, asked: ListQuery, actor: Actor, *, most: int) -> list[uuid.UUID]:
    """The ids of the rows that are meant, in the list's order where all are, as far as the person sees them."""
    if "all" in sent:
        return list(in_order(actor, asked).values_list("public_id", flat=True)[:most])
    ticked = [found for text in sent.getlist("row")[:most] if (found := as_uuid(text))]
    seen: Any = asked.listing.visible(actor).filter(public_id__in=ticked)
    return list(seen.values_list("public_id", flat=True).order_by("-pk"))
