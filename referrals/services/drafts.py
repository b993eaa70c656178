"""Drafts of new deals: every step is saved on the server as it was typed (REF-5..9).

A draft's id becomes the creation key of its deal, so that a form that is sent late finds the deal instead.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import uuid6
from django.core import signing
from django.db import transaction
from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare

from portal.accounts.rules import Actor
from portal.customers.models import Customer
from referrals.models import Draft, Referral

#: What each step's form holds, by step, as it was typed; `team` and `invitations` are lists.
Data = dict[str, Any]


class DraftGone(Exception):
    """This actor has no such draft. If it has become a deal that the actor may see, `referral` is that deal."""

    def __init__(self, referral: Referral | None = None) -> None:
        self.referral = referral
        super().__init__()


class WrittenElsewhere(Exception):
    """Another tab has saved the draft since this one loaded it."""


def new(actor: Actor, *, team: Sequence[dict[str, str]], now: datetime) -> Draft:
    """An unsaved draft; it is stored when something in it is saved. Its author is on the team from the start."""
    key = uuid6.uuid7()
    return Draft(
        public_id=key,
        creation_key=key,
        company_id=actor.own_company_id,
        author_id=actor.user_id or 0,
        data={"team": list(team)},
        created_at=now,
        updated_at=now,
    )


def token(public_id: uuid.UUID, actor: Actor) -> str:
    """A signature that lets this person store a draft under this id. Ids of others look like unknown ones (ORG-6)."""
    return _signer().sign(f"{public_id}:{actor.user_id}:{actor.company_id}").rsplit(":", 1)[1]


def _signer() -> signing.Signer:
    return signing.Signer(salt="referrals.draft")


def get(public_id: uuid.UUID, actor: Actor) -> Draft:
    """The actor's own draft. Raises DraftGone."""
    return _one(Draft.objects.visible_to(actor), public_id, actor)


def lock(public_id: uuid.UUID, actor: Actor) -> Draft:
    """The actor's own draft, locked until the transaction ends. Raises DraftGone."""
    return _one(Draft.objects.visible_to(actor).select_for_update(), public_id, actor)


def _one(drafts: QuerySet[Draft], public_id: uuid.UUID, actor: Actor) -> Draft:
    if draft := drafts.filter(public_id=public_id).first():
        return draft
    own = Referral.objects.visible_to(actor)
    raise DraftGone(own.created_with(public_id, company_id=actor.own_company_id).first())


@transaction.atomic
def keep(
    public_id: uuid.UUID,
    change: Callable[[Data], Data],
    *,
    actor: Actor,
    now: datetime,
    given: str = "",
    base: str | None = None,
) -> Draft:
    """Save what was typed, and create the draft if necessary.

    `given` is the draft's token. `base` is the stamp of the draft that the page loaded; automatic saving passes it, so
    that it never overwrites what another tab saved. Raises DraftGone, WrittenElsewhere.
    """
    try:
        draft = lock(public_id, actor)
    except DraftGone as gone:
        if gone.referral is not None or not _may_begin(public_id, actor, given):
            raise
        if base:  # discarded in another tab: what saves itself doesn't bring a part of it back
            raise WrittenElsewhere from None
        draft = _begin(public_id, actor, now=now)
    else:
        if base is not None and base != stamp(draft):
            raise WrittenElsewhere
    draft.data, draft.updated_at = change(draft.data), max(now, draft.updated_at)
    draft.save()
    return draft


def stamp(draft: Draft) -> str:
    """Identifies the saved state of a draft that a page shows; empty before the first save."""
    return draft.updated_at.isoformat() if draft.pk else ""


def _may_begin(public_id: uuid.UUID, actor: Actor, given: str) -> bool:
    return bool(given) and constant_time_compare(given, token(public_id, actor))


def _begin(public_id: uuid.UUID, actor: Actor, *, now: datetime) -> Draft:
    """Create the draft and lock it. If two requests come at once, the second waits and gets the same draft."""
    defaults = {"company_id": actor.own_company_id, "author_id": actor.user_id, "creation_key": public_id}
    Draft.objects.get_or_create(public_id=public_id, defaults={**defaults, "created_at": now, "updated_at": now})
    return lock(public_id, actor)


def discard(public_id: uuid.UUID, actor: Actor) -> None:
    """Delete the draft. Raises DraftGone."""
    get(public_id, actor).delete()


def close(draft: Draft) -> None:
    """Delete the draft, which has become a deal."""
    draft.delete()


@dataclass(frozen=True)
class Begun:
    """One of the actor's drafts, as lists show it."""

    draft: Draft
    name: str
    customer: str


def begun(actor: Actor) -> list[Begun]:
    """The actor's drafts, the latest first; two queries."""
    found = list(Draft.objects.visible_to(actor).order_by("-updated_at"))
    chosen = {draft.pk: _first(draft.data, "customer", "customer") for draft in found}
    named = Customer.objects.filter(public_id__in=[key for key in chosen.values() if is_id(key)])
    customers = {str(customer.public_id): customer.name for customer in named}
    return [Begun(d, _first(d.data, "deal", "name").strip(), customers.get(chosen[d.pk], "")) for d in found]


def _first(data: Data, step: str, name: str) -> str:
    return str((data.get(step, {}).get(name) or [""])[0])


def is_id(text: str) -> bool:
    """Whether the text has the form of a public id."""
    try:
        return bool(uuid.UUID(text))
    except ValueError:
        return False
