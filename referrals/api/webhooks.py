"""What webhooks tell of deals: one's own copy, and the others that its page shows (ORG-6, wire.md)."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache

from portal.accounts.rules import Actor
from portal.events.models import Event
from portal.webhooks import rules, selectors
from portal.webhooks.selectors import ANNOUNCERS, FINDERS, Announcement, Resource
from portal.workflow import services as workflow
from referrals.models import Referral
from referrals.rules.sharing import knows
from referrals.selectors import participants

#: A copy begins with these.
BIRTHS = frozenset({"referral.created", "referral.received"})
#: How far the deal is shared changes on every open copy with these (referrals.verbs.copies.share).
SHARING = frozenset({"referral.shared", "referral.help_requested", "referral.partner_invited"})
#: The vendor sees a copy for the first time.
OPENING = "referral.shared"


def path(public_id: uuid.UUID) -> str:
    """Where a copy is read; Microsoft's form (F1.1)."""
    return f"/engagements/v1/referrals/{public_id}"


def of_copy(event: Event, copy: Referral, company_id: int, name: str) -> Announcement:
    return Announcement(event, company_id, name, "referral", copy.public_id, path(copy.public_id), copy.public_id)


@cache
def _seen_by_all() -> frozenset[str]:
    """The events of verbs that change what the other copies' pages show (REF-21)."""
    machine = next(machine for machine in workflow.machines() if machine.model is Referral)
    return frozenset(verb.event for verb in machine.every if getattr(verb, "seen_by_all", False))


def announce(events: Sequence[Event], companies: Collection[int]) -> Iterator[Announcement]:
    """For each change of a copy: to its owner, and to the companies whose pages show it as a card."""
    own = selectors.changes(events, Referral)
    if not own:
        return
    copies = _copies(own)
    vendors = selectors.vendors_among(companies)
    born = {(event.xid, event.subject_id) for event in own if event.verb in BIRTHS}
    for event in own:
        together = copies[event.group]
        copy = together[event.subject_id]
        if copy.company_id in companies:
            yield of_copy(event, copy, copy.company_id, rules.CREATED if event.verb in BIRTHS else rules.UPDATED)
        if event.shared or event.verb in _seen_by_all():
            yield from _to_others(event, copy, together.values(), companies, born)
            yield from _to_vendor(event, copy, together.values(), vendors)


def _copies(events: Iterable[Event]) -> Mapping[uuid.UUID | None, dict[int, Referral]]:
    """The copies of the events' engagements, by engagement and key."""
    found: dict[uuid.UUID | None, dict[int, Referral]] = defaultdict(dict)
    rows = Referral.objects.filter(engagement__public_id__in={event.group for event in events})
    for copy in rows.with_context().select_related("engagement", "company"):
        found[copy.event_group][copy.pk] = copy
    return found


def _to_others(
    event: Event,
    copy: Referral,
    together: Iterable[Referral],
    companies: Collection[int],
    born: Collection[tuple[int, int]],
) -> Iterator[Announcement]:
    """To whoever has a copy from which this one is seen; with the birth of theirs, it is new to them, too."""
    for other in together:
        if other.pk == copy.pk or other.company_id not in companies:
            continue
        if knows(other.party, copy.party):
            new = event.verb in BIRTHS or (event.xid, other.pk) in born
            yield of_copy(event, copy, other.company_id, rules.RELATED_CREATED if new else rules.RELATED_UPDATED)
        if event.verb in SHARING and (event.xid, other.pk) not in born and not other.is_closed:
            yield of_copy(event, other, other.company_id, rules.UPDATED)


def _to_vendor(
    event: Event, copy: Referral, together: Collection[Referral], vendors: Collection[int]
) -> Iterator[Announcement]:
    """To the vendor of a partner-led deal, of which it has no copy."""
    if copy.vendor_may_view and not any(other.company.is_vendor for other in together):
        new = event.verb == OPENING or event.verb in BIRTHS
        for vendor in vendors:
            yield of_copy(event, copy, vendor, rules.RELATED_CREATED if new else rules.RELATED_UPDATED)


ANNOUNCERS.add("referrals", announce, order=10)


def find(events: Sequence[Event], actor: Actor) -> Mapping[int, Resource]:
    """The events of copies that the actor sees whole, and of others' what is shared with whoever sees them as cards."""
    told = [e for e in selectors.about(events, Referral) if e.shared or e.company_id == actor.company_id]
    cards = Referral.objects.filter(pk__in=participants.cards(actor))
    foreign = [e for e in told if e.company_id != actor.company_id]
    as_cards = selectors.resources(foreign, cards, "referral", path, actor)
    return as_cards | selectors.resources(told, Referral.objects.visible_to(actor), "referral", path, actor)


FINDERS.add("referrals", find, order=10)
