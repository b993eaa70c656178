"""What of a company's solutions follows when it is merged into another (ORG-1): all, with their ids and tags."""

from __future__ import annotations

from portal.accounts.merging import Follows, follow
from portal.catalog.models import Solution

follow(
    Follows(
        Solution,
        lambda company: company.solutions.all(),
        lambda rows, kept: rows.update(publisher=kept),
        "publisher",
    ),
    order=110,
)
