"""What people keep of a company's lists follows when it is merged into another (ORG-1)."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from portal.accounts.merging import Follows, follow
from portal.accounts.models import Company
from portal.ui.models import ListView, SavedView


def _left_in(company: Company) -> Q:
    """Who left the same list in that company, too: that counts."""
    return Q(Exists(ListView.objects.filter(company=company, user=OuterRef("user"), name=OuterRef("name"))))


def _named_in(company: Company) -> Q:
    """Who has a view of that name there, too: that counts."""
    there = SavedView.objects.filter(company=company, user=OuterRef("user"))
    return Q(Exists(there.filter(listing=OuterRef("listing"), name=OuterRef("name"))))


follow(
    Follows(
        SavedView, lambda company: SavedView.objects.filter(company=company), apart=lambda gone, kept: _named_in(kept)
    ),
    order=225,
)
follow(
    Follows(
        ListView, lambda company: ListView.objects.filter(company=company), apart=lambda gone, kept: _left_in(kept)
    ),
    order=230,
)
