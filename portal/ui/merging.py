"""What people keep of a company's lists follows when it is merged into another (ORG-1)."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from portal.accounts.merging import Follows, follow
from portal.accounts.models import Company
from portal.ui.models import ListView


def _left_in(company: Company) -> Q:
    """Who left the same list in that company, too: that counts."""
    return Q(Exists(ListView.objects.filter(company=company, user=OuterRef("user"), name=OuterRef("name"))))


follow(
    Follows(
        ListView, lambda company: ListView.objects.filter(company=company), apart=lambda gone, kept: _left_in(kept)
    ),
    order=230,
)
