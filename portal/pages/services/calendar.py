"""The address under which a person's calendar takes their deadlines from the portal."""

from __future__ import annotations

from datetime import datetime

from django.core.signing import Signer
from django.db import transaction
from django.db.models import QuerySet

from portal.accounts import invites, selectors
from portal.accounts.models import Membership
from portal.accounts.rules import Actor
from portal.pages.models import CalendarFeed


def calendar_token(feed: CalendarFeed) -> str:
    """What the feed's address holds: worked out whenever it is shown, and kept nowhere, as an invitation's."""
    return Signer(sep=".", salt="portal.pages.calendar").sign(str(feed.public_id))


def calendar_feed(actor: Actor) -> CalendarFeed | None:
    """The feed that the person has in this company; None without one, or if SECRET_KEY was changed since: then its
    address can't be shown any more, and a new one is made instead."""
    feed = _feeds(actor).first()
    return feed if feed and feed.token_hash == invites.digest(calendar_token(feed)) else None


def _feeds(actor: Actor) -> QuerySet[CalendarFeed]:
    own = CalendarFeed.objects.filter(
        membership__user_id=actor.user_id or 0, membership__company_id=actor.own_company_id
    )
    return own.filter(revoked_at=None)


@transaction.atomic
def renew_calendar_feed(*, mine: bool, actor: Actor, now: datetime) -> CalendarFeed:
    """A new address; the one before lets nobody in any more."""
    membership = Membership.objects.select_for_update().get(user_id=actor.user_id or 0, company_id=actor.own_company_id)
    revoke_calendar_feed(actor=actor, now=now)
    feed = CalendarFeed(membership=membership, mine=mine, created_at=now)
    feed.token_hash = invites.digest(calendar_token(feed))
    feed.save()
    return feed


def revoke_calendar_feed(*, actor: Actor, now: datetime) -> None:
    """The address lets nobody in any more; nothing happens where there is none."""
    _feeds(actor).update(revoked_at=now)


def calendar_of(token: str) -> tuple[CalendarFeed, Actor] | None:
    """The feed of an address, and its person as they are now; None for an address that was revoked or never made, and
    for a person without access or roles (ORG-2)."""
    found = CalendarFeed.objects.select_related("membership__user").filter(token_hash=invites.digest(token))
    feed = found.filter(revoked_at=None, membership__is_active=True, membership__user__is_active=True).first()
    members = selectors.memberships(feed.membership.user) if feed else []
    actors = (selectors.actor_for(member) for member in members if feed and member.pk == feed.membership_id)
    actor = next((actor for actor in actors if actor.grants), None)
    return (feed, actor) if feed and actor else None
