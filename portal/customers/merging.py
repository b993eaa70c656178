"""What a company's clients named of customers follows when it is merged into another (ORG-1, REF-5)."""

from __future__ import annotations

from portal.accounts.merging import Follows, follow
from portal.customers.models import Customer

follow(
    Follows(
        Customer,
        lambda company: Customer.objects.filter(added_by=company),
        lambda rows, kept: rows.update(added_by=kept),
        "added_by",
    ),
    order=120,
)
