"""A duplicate of a company goes into the one that stays, with all it has, in one transaction (ORG-1).

Each app adds here what of its own follows (`FOLLOWS`), or why it stays (`STAYS`); a test walks all foreign keys to
companies, so that none is forgotten. What can't follow safely refuses the merge as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.db.models.functions import Lower

from portal.accounts import rules
from portal.accounts.models import Company, Invite, Location, Membership, RoleGrant
from portal.accounts.policies import check_runs_programme
from portal.accounts.rules import Actor
from portal.events import services as events
from portal.events.models import Event
from portal.registry import Registry
from portal.workflow.blockers import Blocker, RuleViolation, _

MERGED, ABSORBED = "company.merged", "company.absorbed"
#: A request or a file under way when the company was closed has ended by then (gunicorn ends one after 30 seconds).
SETTLES = timedelta(minutes=1)
#: So many names are told of what can't follow.
NAMED = 5

#: What speaks of both companies: the duplicate, and the one that stays.
Both = Callable[[Company, Company], Iterable[Blocker]]


def _nothing(gone: Company, kept: Company) -> Iterator[Blocker]:
    yield from ()


Rows = models.QuerySet[Any]


@dataclass(frozen=True)
class Follows:
    """Rows that name the duplicate in `column`, and name the one that stays from then on.

    `of`: a company's rows. `move`: makes rows the other's, and says how many. `refuses`: why they can't be.
    `tells`: what becomes of some besides, before anything is done. `makes_room`: does that. `apart`: those that stay
    all the same.
    """

    model: type[models.Model]
    of: Callable[[Company], Rows]
    move: Callable[[Rows, Company], int] = lambda rows, kept: rows.update(company=kept)
    column: str = "company"
    refuses: Both = _nothing
    tells: Both = _nothing
    makes_room: Callable[[Company, Company, datetime], None] = lambda gone, kept, now: None
    apart: Callable[[Company, Company], Q] = lambda gone, kept: Q(pk__in=())

    @property
    def label(self) -> str:
        return f"{self.model._meta.label}.{self.column}"

    def rows(self, gone: Company, kept: Company) -> Rows:
        return self.of(gone).exclude(self.apart(gone, kept))


def follow(thing: Follows, *, order: int) -> None:
    """Add a table that follows."""
    FOLLOWS.add(thing.label, thing, order=order)


#: What follows, by the column that names the company, in the order in which it is moved.
FOLLOWS: Registry[Follows] = Registry()
#: What stays with the duplicate, by that column, and why.
STAYS: Registry[str] = Registry()


@dataclass(frozen=True)
class Part:
    """Rows of one kind, and how many of them follow."""

    model: type[models.Model]
    count: int


@dataclass(frozen=True)
class Preview:
    """What a merge would do: why it is refused, what follows, and what becomes of what both have."""

    refused: tuple[Blocker, ...]
    parts: tuple[Part, ...]
    told: tuple[Blocker, ...]


def preview(gone: Company, kept: Company, *, now: datetime) -> Preview:
    """What merge() would do; writes nothing."""
    refused = tuple(_blockers(gone, kept, now))
    parts: dict[type[models.Model], int] = {}
    for one in FOLLOWS.values():
        parts[one.model] = parts.get(one.model, 0) + one.rows(gone, kept).count()
    told = [*_standing(gone, kept), *(said for one in FOLLOWS.values() for said in one.tells(gone, kept))]
    return Preview(refused, tuple(Part(model, count) for model, count in parts.items() if count), tuple(told))


@transaction.atomic
def merge(gone: Company, kept: Company, *, actor: Actor, now: datetime) -> Company:
    """Move everything, and leave the duplicate closed with a pointer. Records `company.merged` of it and
    `company.absorbed` of the one that stays, with what followed. Returns the one that stays.

    Raises PermissionDenied (the programme's), and RuleViolation with everything that can't follow: then nothing has.
    """
    check_runs_programme(actor)
    both = Company.objects.select_for_update(no_key=True).order_by("pk").in_bulk([gone.pk, kept.pk])
    gone, kept = both[gone.pk], both[kept.pk]
    if blockers := list(_blockers(gone, kept, now)):
        raise RuleViolation(blockers)
    try:
        with transaction.atomic():
            moved = _move_all(gone, kept, now)
    except IntegrityError:
        raise RuleViolation([_COLLIDES]) from None
    gone.merged_into = kept
    gone.save(update_fields=["merged_into"])
    _record(gone, kept, moved, actor, now)
    return kept


def _move_all(gone: Company, kept: Company, now: datetime) -> dict[str, int]:
    """How many rows of each table followed."""
    moved: dict[str, int] = {}
    for one in FOLLOWS.values():
        one.makes_room(gone, kept, now)
        if count := one.move(one.rows(gone, kept), kept):
            moved[one.label] = count
    return moved


def _record(gone: Company, kept: Company, moved: dict[str, int], actor: Actor, now: datetime) -> None:
    told = {"merged": gone.pk, "name": gone.name, "into": kept.pk, "kept": kept.name, "moved": moved}
    events.record(
        [
            events.new_event(gone, MERGED, actor=actor, now=now, company_id=gone.pk, after=told),
            events.new_event(kept, ABSORBED, actor=actor, now=now, company_id=kept.pk, after=told),
        ]
    )


_COLLIDES = Blocker(
    "merge_collides",
    _("Both companies have an entry of which there can be one only. Nothing was merged; ask who runs the portal."),
    "ORG-1",
)


def _blockers(gone: Company, kept: Company, now: datetime) -> Iterator[Blocker]:
    found = list(rules.merging_blockers(_state(gone), _state(kept), same=gone.pk == kept.pk, now=now, settles=SETTLES))
    yield from found
    if not any(blocker.code in ("merged_already", "merge_itself", "vendor_stays") for blocker in found):
        for one in FOLLOWS.values():
            yield from one.refuses(gone, kept)


def _state(company: Company) -> rules.Standing:
    return rules.Standing(company.name, company.is_vendor, company.closed_at, merged=company.merged_into_id is not None)


def _standing(gone: Company, kept: Company) -> Iterator[Blocker]:
    """What the one that stays keeps as it is."""
    if gone.country != kept.country:
        message = _("The countries differ: %(gone)s and %(kept)s. The company that stays keeps its own.")
        yield Blocker("merge_country", message, "ORG-1", params={"gone": gone.country, "kept": kept.country})
    standing = (gone.top_tier_since, gone.assessments_since)
    if any(standing) and standing != (kept.top_tier_since, kept.assessments_since):
        message = _("Top tier and the approval for solution assessments don't follow: %(kept)s keeps its own.")
        yield Blocker("merge_standing", message, "ORG-8", params={"kept": kept.name})


def names(found: Iterable[Any]) -> str:
    """The first few, for a sentence."""
    known = [str(one) for one in found]
    return ", ".join(known[:NAMED]) + (" …" if len(known) > NAMED else "")


# Locations


def _same_named(gone: Company, kept: Company) -> models.QuerySet[Location]:
    return gone.locations.filter(name__in=kept.locations.values("name")).order_by("pk")


def _tells_locations(gone: Company, kept: Company) -> Iterator[Blocker]:
    if found := list(_same_named(gone, kept)):
        message = _("Both have a location of this name; the one that follows is named with its partner id: %(names)s")
        yield Blocker("merge_locations", message, "ORG-1", params={"names": names(found)})


def _renames_locations(gone: Company, kept: Company, now: datetime) -> None:
    longest = Location._meta.get_field("name").max_length or 0
    for place in _same_named(gone, kept):
        mark = f" ({place.mpn_id})"
        place.name = place.name[: longest - len(mark)] + mark
        place.save(update_fields=["name"])


follow(
    Follows(Location, lambda company: company.locations.all(), tells=_tells_locations, makes_room=_renames_locations),
    order=10,
)


# People


def _in_both(gone: Company, kept: Company) -> models.QuerySet[Membership]:
    return gone.memberships.filter(user__in=kept.memberships.values("user")).order_by("pk")


def _tells_members(gone: Company, kept: Company) -> Iterator[Blocker]:
    if found := [member.user for member in _in_both(gone, kept).select_related("user")]:
        message = _(
            "In both companies: %(names)s. They keep the roles of both, unless their access to %(kept)s was taken away."
        )
        yield Blocker("merge_members", message, "ORG-2", params={"names": names(found), "kept": kept.name})


def _gives_roles_of_both(gone: Company, kept: Company, now: datetime) -> None:
    """The roles of who may act in both go to the membership that stays."""
    own = {member.user_id: member for member in kept.memberships.filter(is_active=True)}
    for member in _in_both(gone, kept).filter(is_active=True).prefetch_related("grants"):
        if stays := own.get(member.user_id):
            given = [RoleGrant(membership=stays, role=g.role, location_id=g.location_id) for g in member.grants.all()]
            RoleGrant.objects.bulk_create(given, ignore_conflicts=True)


follow(
    Follows(
        Membership,
        lambda company: company.memberships.all(),
        tells=_tells_members,
        makes_room=_gives_roles_of_both,
        apart=lambda gone, kept: Q(user__in=kept.memberships.values("user")),
    ),
    order=20,
)


# Invitations of people


def _asked_twice(gone: Company, kept: Company) -> models.QuerySet[Invite]:
    folded = gone.invites.waiting().alias(folded=Lower("email"))
    asked = kept.invites.waiting().annotate(folded=Lower("email")).values("folded")
    return folded.filter(Q(folded__in=asked) | Q(folded__in=kept.memberships.values(folded=Lower("user__email"))))


def _tells_invites(gone: Company, kept: Company) -> Iterator[Blocker]:
    if found := [asked.email for asked in _asked_twice(gone, kept)]:
        message = _("Invited by both, or there already; the duplicate's invitation is taken back: %(names)s")
        yield Blocker("merge_invites", message, "ORG-2", params={"names": names(found)})


def _takes_invites_back(gone: Company, kept: Company, now: datetime) -> None:
    _asked_twice(gone, kept).update(revoked_at=now)


follow(
    Follows(Invite, lambda company: company.invites.all(), tells=_tells_invites, makes_room=_takes_invites_back),
    order=30,
)

# Those that went into the duplicate before


follow(
    Follows(
        Company,
        lambda company: company.absorbed.all(),
        lambda rows, kept: rows.update(merged_into=kept),
        "merged_into",
    ),
    order=40,
)
STAYS.add(f"{Event._meta.label}.company", _("What happened stays as it was written."), order=10)
STAYS.add(f"{Event._meta.label}.actor_company", _("Who acted stays as it was written."), order=20)
