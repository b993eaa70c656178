"""The views of a list that people name, share and open it with (REF-20)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from portal.accounts.models import Membership, User
from portal.accounts.rules import Actor, may_keep
from portal.ui.models import ListView, SavedView
from portal.workflow.blockers import Blocker, RuleViolation, _

#: Of one person and list: more are found no quicker than filtered anew. It bounds a menu, and is no number of the
#: programme's.
MAX_VIEWS = 20


def views(actor: Actor) -> dict[str, list[SavedView]]:
    """What the person can open lists with, by the list's code; one query. Their own views come first, then those that
    colleagues share, by name."""
    found = defaultdict[str, list[SavedView]](list)
    visible = SavedView.objects.visible_to(actor).select_related("user")
    for view in sorted(visible, key=lambda view: (view.user_id != actor.user_id, view.name.casefold(), view.pk)):
        found[view.listing].append(view)
    return found


def may_delete(view: SavedView, actor: Actor) -> bool:
    """Whose it is; a shared one also whoever keeps the company's people (ORG-2)."""
    return view.user_id == actor.user_id or (view.is_shared and may_keep(actor))


@transaction.atomic
def save_view(listing: str, name: str, address: str, *, is_shared: bool = False, actor: Actor) -> SavedView:
    """Keep this address of the list under a name. Raises RuleViolation, and PermissionDenied for who has no company."""
    if actor.company_id is None:
        raise PermissionDenied
    _lock(actor)
    found = SavedView.objects.of_person(actor).filter(listing=listing)
    if again := found.filter(name=name, address=address, is_shared=is_shared).first():  # the button was pressed twice
        return again
    if found.count() >= MAX_VIEWS:
        message = _("You have %(most)s views of this list already. Delete one that you no longer need.")
        raise RuleViolation([Blocker("views_full", message, "REF-20", params={"most": MAX_VIEWS})])
    name = _checked(name, found)
    return SavedView.objects.create(
        user_id=actor.user_id or 0,
        company_id=actor.own_company_id,
        listing=listing,
        name=name,
        address=address,
        is_shared=is_shared,
    )


@transaction.atomic
def change_view(view: SavedView, name: str, *, is_shared: bool, actor: Actor) -> None:
    """Another name, or other readers; a view that is shared no longer opens nobody else's list.

    Raises PermissionDenied for whose it isn't, and RuleViolation.
    """
    _check_own(view, actor)
    _lock(actor)
    others = SavedView.objects.of_person(actor).filter(listing=view.listing).exclude(pk=view.pk)
    view.name, view.is_shared = _checked(name, others), is_shared
    view.save(update_fields=["name", "is_shared"])
    if not is_shared:
        ListView.objects.filter(default=view).exclude(user=view.user).update(default=None)


def put_into_view(view: SavedView, address: str, *, actor: Actor) -> None:
    """What the list shows now becomes what the view shows. Raises PermissionDenied for whose it isn't."""
    _check_own(view, actor)
    SavedView.objects.filter(pk=view.pk).update(address=address)


def delete_view(view: SavedView, *, actor: Actor) -> None:
    """Whose list opened with it finds that list as they left it. Raises PermissionDenied."""
    if not may_delete(view, actor):
        raise PermissionDenied
    view.delete()


def set_default(view: SavedView, *, on: bool, actor: Actor) -> None:
    """Whether this person's list opens with the view; nobody else's does."""
    user, company = actor.user_id or 0, actor.own_company_id
    if on:
        ListView.objects.update_or_create(
            user_id=user, company_id=company, name=view.listing, defaults={"default": view}
        )
    else:
        ListView.objects.filter(user_id=user, company_id=company, default=view).update(default=None)


def drop_private(membership_ids: Collection[int]) -> None:
    """Delete the views that these members kept to themselves; what they shared stays with the company."""
    members = Membership.objects.filter(pk__in=membership_ids, user=OuterRef("user"), company=OuterRef("company"))
    SavedView.objects.filter(Exists(members), is_shared=False).delete()


def _check_own(view: SavedView, actor: Actor) -> None:
    if view.user_id != actor.user_id:
        raise PermissionDenied


def _lock(actor: Actor) -> None:
    """Of two windows that save at once, the second sees what the first has saved."""
    User.objects.select_for_update().get(pk=actor.user_id or 0)


def _checked(name: str, others: QuerySet[SavedView]) -> str:
    """The name without superfluous spaces. Raises RuleViolation."""
    name = " ".join(name.split())
    if not any(c.isprintable() for c in name) or len(name) > SavedView.MAX_NAME:
        message = _("Give the view a name of 1 to %(most)s letters.")
        raise RuleViolation([Blocker("view_name", message, "REF-20", "name", {"most": SavedView.MAX_NAME})])
    if others.filter(name=name).exists():
        message = _("You have a view of this name already; choose another one.")
        raise RuleViolation([Blocker("view_taken", message, "REF-20", "name")])
    return name
