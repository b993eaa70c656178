"""How a person left a list: filters, order, page size and columns, until they are changed or cleared (REF-20)."""

from __future__ import annotations

from collections.abc import Sequence

from portal.accounts.rules import Actor
from portal.ui.listing.lists import Listing
from portal.ui.listing.query import ListQuery
from portal.ui.models import ListView


def list_view(listing: Listing, actor: Actor) -> ListView:
    """How the person left this list of this company; the default if they never changed it."""
    mine = {"user_id": actor.user_id, "company_id": actor.own_company_id, "name": listing.code}
    return ListView.objects.filter(**mine).first() or ListView(**mine)


def remember(view: ListView, asked: ListQuery) -> None:
    """Keep filters, order and page size until they are changed or cleared; nothing is written if nothing changed."""
    if view.query != asked.kept():
        _keep(view, query=asked.kept())


def choose_columns(listing: Listing, codes: Sequence[str], *, actor: Actor) -> None:
    """Show these columns from now on, as far as they exist; without any, the usual ones."""
    known = [column.code for column in listing.columns_chosen(codes, actor)] if codes else []
    _keep(list_view(listing, actor), columns=known)


def _keep(view: ListView, **changes: object) -> None:
    ListView.objects.update_or_create(
        user_id=view.user_id, company_id=view.company_id, name=view.name, defaults=changes
    )
