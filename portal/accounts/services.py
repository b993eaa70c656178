"""The verbs on companies, their locations, people and roles, each with its event (ORG-2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypedDict, TypeVar, Unpack

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models, transaction

from portal.accounts import rules
from portal.accounts.models import AccountMessage, Company, Location, Membership, RoleGrant, User
from portal.accounts.policies import check_runs_programme, may_change
from portal.accounts.rules import Actor, Grant
from portal.accounts.selectors import forget_vendor_name, grants_of
from portal.events import services as events
from portal.folding import fold
from portal.workflow.blockers import Blocker, RuleViolation, _

Row = TypeVar("Row", bound=models.Model)


def check_allowed(actor: Actor, company_id: int) -> None:
    """Raises PermissionDenied for whoever doesn't keep the company's people, roles and locations (ORG-2)."""
    if not may_change(actor, company_id):
        raise PermissionDenied


def _change(
    row: Row,
    values: Mapping[str, Any],
    verb: str,
    *,
    company_id: int | None,
    actor: Actor,
    now: datetime,
    named: Callable[[Row], dict[str, str]] = lambda _row: {},
) -> Row:
    """Save these columns, and record those that really changed. `named`: what the event says of the row besides."""
    fresh = type(row)._default_manager.get(pk=row.pk)
    before = events.snapshot(fresh)
    for name, value in values.items():
        setattr(fresh, name, value)
    fresh.save(update_fields=list(values))
    was, is_now = events.changes(before, events.snapshot(fresh))
    if is_now:
        after = {**is_now, **named(fresh)}
        events.record_one(fresh, verb, actor=actor, now=now, company_id=company_id, before=was, after=after)
    return fresh


# Companies and their locations


def _as_kept(given: Mapping[str, Any]) -> dict[str, Any]:
    """Countries by their code in capitals."""
    return {name: value.upper() if name == "country" else value for name, value in given.items()}


@transaction.atomic
def create_company(
    *, name: str, country: str, actor: Actor, now: datetime, kind: str = Company.Kind.PARTNER, confirmed: bool = False
) -> Company:
    """A new company of the programme. Raises RuleViolation for a second one of this name and country, as long as
    nobody `confirmed` that it is another (ORG-1)."""
    _check_company(name, country, confirmed=confirmed)
    company = Company.objects.create(name=name, country=country.upper(), kind=kind)
    after = {"name": company.name, "country": company.country, "kind": company.kind}
    events.record_one(company, "company.added", actor=actor, now=now, company_id=company.pk, after=after)
    return company


@transaction.atomic
def change_company(company: Company, *, actor: Actor, now: datetime, confirmed: bool = False, **given: Any) -> Company:
    """Correct what is given of a company, or give or take its standing: top tier, approved for solution assessments,
    each since a day (ORG-7, ORG-8). Which side it is on never changes. Raises PermissionDenied (the programme's), or
    RuleViolation where another company has its new name and country and nobody `confirmed` that."""
    check_runs_programme(actor)
    if {"name", "country"} & given.keys():
        name, country = given.get("name", company.name), given.get("country", company.country)
        _check_company(name, country, known=company.pk, confirmed=confirmed)
    changed = _change(company, _as_kept(given), "company.changed", company_id=company.pk, actor=actor, now=now)
    if changed.is_vendor:
        forget_vendor_name()
    return changed


def company_blockers(name: str, country: str, *, known: int | None = None) -> Iterator[Blocker]:
    """What has to be confirmed before a company (that with the number `known`, or a new one) has this name and country
    (ORG-1). One that keeps its own is asked about nothing; one that was merged into another counts as that."""
    others = list(Company.objects.filter(country=country.upper(), merged_into=None).values_list("pk", "name"))
    held = next((other for pk, other in others if pk == known), None)
    if held is not None and fold(held) == fold(name):
        return
    if taken := next((other for pk, other in others if pk != known and fold(other) == fold(name)), None):
        message = _(
            "There is a company “%(name)s” in this country already. If this is another one, give it a name that tells "
            "them apart, or confirm below that both are meant."
        )
        yield Blocker("company_known", message, "ORG-1", "name", {"name": taken})


def _check_company(name: str, country: str, *, known: int | None = None, confirmed: bool) -> None:
    """One company after the other gets its name, so that of two of one name at once the second is asked about."""
    list(Company.objects.vendor_row().select_for_update(no_key=True))
    if not confirmed and (blockers := list(company_blockers(name, country, known=known))):
        raise RuleViolation(blockers)


@transaction.atomic
def add_location(
    *, company: Company, name: str, city: str, country: str, mpn_id: str, actor: Actor, now: datetime
) -> Location:
    """A new site of a company. Raises RuleViolation for a name or a partner id that is taken (ORG-1)."""
    check_allowed(actor, company.pk)
    place = Location(company=company, name=name, city=city, country=country.upper(), mpn_id=mpn_id)
    try:
        with transaction.atomic():
            place.save()
    except IntegrityError:
        raise RuleViolation(_location_blockers(place)) from None
    events.record_one(
        place, "location.added", actor=actor, now=now, company_id=company.pk, after=events.snapshot(place)
    )
    return place


@transaction.atomic
def change_location(place: Location, *, actor: Actor, now: datetime, **given: str) -> Location:
    """Correct what is given of it; it stays its company's, and deals stay at it (ORG-4). Raises RuleViolation."""
    check_allowed(actor, place.company_id)
    values = _as_kept(given)
    who: dict[str, Any] = {"company_id": place.company_id, "actor": actor, "now": now}
    try:
        with transaction.atomic():
            return _change(place, values, "location.changed", named=lambda fresh: {"name": fresh.name}, **who)
    except IntegrityError:
        taken = Location(pk=place.pk, company_id=place.company_id, **values)
        raise RuleViolation(_location_blockers(taken)) from None


def _location_blockers(place: Location) -> Iterator[Blocker]:
    """Why the database refused it. A partner id is the vendor's to give, once; whose it is nobody learns (ORG-6)."""
    others = Location.objects.exclude(pk=place.pk)
    if others.filter(company_id=place.company_id, name=place.name).exists():
        message = _("Your company has a location of this name already; choose another name.")
        yield Blocker("name_taken", message, "ORG-1", "name")
    if others.filter(mpn_id=place.mpn_id).exists():
        message = _("This partner id is in use already. Each location has its own; check it, or ask %(vendor)s.")
        yield Blocker("mpn_taken", message, "ORG-1", "mpn_id")


# People


class PersonDetails(TypedDict):
    """What is known of a person besides the e-mail address, with which they sign in and stand in deals' teams."""

    first_name: str
    last_name: str
    phone: str
    language: str
    time_zone: str


@transaction.atomic
def create_person(
    *, email: str, password: str | None, actor: Actor, now: datetime, **details: Unpack[PersonDetails]
) -> User:
    """A new account, of no company yet; without a password the person sets one by the link that resets it."""
    person = create_account(email=email, password=password, **details)
    events.record_one(person, "person.added", actor=actor, now=now, company_id=None, after={"person": str(person)})
    return person


def create_account(*, email: str, password: str | None, **details: Unpack[PersonDetails]) -> User:
    return User.objects.create_user(email, password or None, **details)


@transaction.atomic
def change_profile(user: User, *, actor: Actor, now: datetime, **values: Any) -> User:
    """Save what a person says about themselves; their e-mail address never changes."""
    who: dict[str, Any] = {"company_id": None, "actor": actor, "now": now}
    return _change(user, values, "person.changed", named=lambda fresh: {"person": str(fresh)}, **who)


def change_person(
    user: User, *, actor: Actor, now: datetime, is_active: bool, **details: Unpack[PersonDetails]
) -> User:
    """Correct a person's details, or close their account. Raises RuleViolation for the actor's own (ORG-2)."""
    if blockers := list(
        rules.lockout_blockers(actor, user_id=user.pk, company_id=actor.company_id, kept=actor.grants, active=is_active)
    ):
        raise RuleViolation(blockers)
    return change_profile(user, actor=actor, now=now, is_active=is_active, **details)


# Members


def checked_grants(grants: Iterable[Grant], *, vendor: bool) -> frozenset[Grant]:
    """The roles as a company gives them to its people. Raises RuleViolation for none at all (ORG-1, ORG-2)."""
    wanted = rules.plain_grants(grants)
    if blockers := list(rules.role_blockers(wanted, vendor=vendor)):
        raise RuleViolation(blockers)
    return wanted


def lock_company(company_id: int) -> Company:
    """Changes of one company's people come one after the other; nothing else of the company waits for them."""
    return Company.objects.select_for_update(no_key=True).get(pk=company_id)


def _others_keep(company: Company, user: User) -> bool:
    """Whether somebody else keeps the company's people, and can sign in to do it."""
    keepers = RoleGrant.objects.filter(
        role=rules.keeper_role(vendor=company.is_vendor),
        membership__company=company,
        membership__is_active=True,
        membership__user__is_active=True,
    )
    return keepers.exclude(membership__user=user).exists()


def roles_of(company: Company, grants: Iterable[Grant]) -> list[dict[str, str | None]]:
    """Roles as events keep them: with the location's name of that day."""
    names = dict(company.locations.values_list("pk", "name"))
    held = [(grant.role, names.get(grant.location_id) if grant.location_id else None) for grant in grants]
    return [{"role": role, "location": place} for role, place in sorted(held, key=lambda h: (h[0], h[1] or ""))]


@transaction.atomic
def set_membership(
    *, user: User, company: Company, grants: Iterable[Grant], actor: Actor, now: datetime, is_active: bool = True
) -> Membership:
    """Make a person hold exactly these roles in a company, or no access at all (ORG-1, ORG-2).

    Whoever is deactivated loses access at once; what they did stays recorded as theirs. Raises RuleViolation: a role
    of the other side, another company's location, the actor's own access lost, or nobody left who keeps the
    company's people.
    """
    check_allowed(actor, company.pk)
    lock_company(company.pk)
    wanted = set(grants)
    if blockers := list(_membership_blockers(user, company, wanted, actor, active=is_active)):
        raise RuleViolation(blockers)
    before = Membership.objects.filter(user=user, company=company).first()
    was = {"active": before is not None and before.is_active, "roles": roles_of(company, grants_of(before))}
    membership, _created = Membership.objects.update_or_create(
        user=user, company=company, defaults={"is_active": is_active}
    )
    held = {Grant(grant.role, grant.location_id): grant.pk for grant in membership.grants.select_for_update()}
    RoleGrant.objects.filter(pk__in=[pk for grant, pk in held.items() if grant not in wanted]).delete()
    give(membership, wanted - held.keys())
    if not is_active:  # nobody comes back by a link who was just deactivated
        company.invites.waiting().filter(email=user.email.lower()).update(revoked_at=now)
    is_now = {"active": is_active, "roles": roles_of(company, wanted)}
    after = {"person": str(user), "roles": is_now["roles"]}
    for verb in _what_changed(was, is_now, new=before is None):
        what: dict[str, Any] = {"company_id": company.pk, "before": {"roles": was["roles"]}, "after": after}
        events.record_one(membership, verb, actor=actor, now=now, **what)
    return membership


def _membership_blockers(
    user: User, company: Company, wanted: set[Grant], actor: Actor, *, active: bool
) -> Iterator[Blocker]:
    yield from location_and_role_blockers(company, wanted)
    yield from rules.lockout_blockers(actor, user_id=user.pk, company_id=company.pk, kept=wanted, active=active)
    others, vendor = _others_keep(company, user), company.is_vendor
    yield from rules.last_keeper_blockers(
        actor, company_id=company.pk, vendor=vendor, kept=wanted, active=active, others=others
    )


def location_and_role_blockers(company: Company, wanted: Iterable[Grant]) -> Iterator[Blocker]:
    """Which of the roles don't exist on the company's side, or are for another company's location (ORG-1, ORG-2)."""
    places = set(company.locations.values_list("pk", flat=True))
    for grant in wanted:
        yield from rules.grant_blockers(grant, vendor=company.is_vendor, location_ids=places)


def give(membership: Membership, grants: Iterable[Grant]) -> None:
    """Add roles to those that the member holds."""
    RoleGrant.objects.bulk_create(
        [RoleGrant(membership=membership, role=g.role, location_id=g.location_id) for g in grants],
        ignore_conflicts=True,
    )


def _what_changed(was: dict[str, Any], is_now: dict[str, Any], *, new: bool) -> Iterator[str]:
    if new:
        yield "member.added"
        return
    if was["roles"] != is_now["roles"]:
        yield "member.roles_changed"
    if was["active"] != is_now["active"]:
        yield "member.reactivated" if is_now["active"] else "member.deactivated"


@transaction.atomic
def change_roles(membership: Membership, grants: Iterable[Grant], *, actor: Actor, now: datetime) -> Membership:
    """Give a member other roles, and leave the rest as it is. Raises RuleViolation."""
    company = lock_company(membership.company_id)
    wanted = checked_grants(grants, vendor=company.is_vendor)
    active = Membership.objects.get(pk=membership.pk).is_active
    return set_membership(user=membership.user, company=company, grants=wanted, actor=actor, now=now, is_active=active)


@transaction.atomic
def set_active(membership: Membership, *, active: bool, actor: Actor, now: datetime) -> Membership:
    """Take a member's access away, or give it back with the roles they had. Raises RuleViolation."""
    company = lock_company(membership.company_id)
    return set_membership(
        user=membership.user,
        company=company,
        grants=grants_of(membership),
        actor=actor,
        now=now,
        is_active=active,
    )


#: So many messages may wait that one network address asked for; a flood of invented ones is not kept.
MAX_WAITING = 100


def leave_message(kind: AccountMessage.Kind, *, email: str, address: str = "", tries: int = 0, now: datetime) -> None:
    """Keep what the holder of an account is to be mailed; the same statements whether there is such an account or not.

    One of a kind waits for each e-mail address.
    """
    if address and AccountMessage.objects.filter(address=address).count() >= MAX_WAITING:
        return
    message = AccountMessage(kind=kind, email=email.lower(), address=address, tries=tries, created_at=now)
    AccountMessage.objects.bulk_create([message], ignore_conflicts=True)


def set_preference(user: User, **preferences: str) -> None:
    """Keep a person's language, theme or time zone."""
    for name, value in preferences.items():
        setattr(user, name, value)
    user.save(update_fields=list(preferences))
