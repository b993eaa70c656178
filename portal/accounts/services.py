"""The verbs on companies and people, and the actor a person is in a company."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypedDict, Unpack

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import Case, Q, QuerySet, When

from portal.accounts import rules
from portal.accounts.models import AccountMessage, Company, Location, Membership, RoleGrant, User
from portal.accounts.rules import Actor, Grant
from portal.workflow.blockers import Blocker, RuleViolation, _


class WrongRole(ValueError):
    """A role of the other side of the programme was given (ORG-2)."""


def create_company(*, name: str, country: str, kind: str = Company.Kind.PARTNER) -> Company:
    return Company.objects.create(name=name, country=country.upper(), kind=kind)


def add_location(*, company: Company, name: str, city: str, country: str, mpn_id: str) -> Location:
    """A new site of a company. Raises RuleViolation for a name or a partner id that is taken (ORG-1)."""
    return _save_location(Location(company=company, name=name, city=city, country=country.upper(), mpn_id=mpn_id))


def _save_location(place: Location) -> Location:
    try:
        with transaction.atomic():
            place.save()
    except IntegrityError:
        raise RuleViolation(_location_blockers(place)) from None
    return place


def _location_blockers(place: Location) -> Iterator[Blocker]:
    """Why the database refused it. A partner id is the vendor's to give, once; whose it is nobody learns (ORG-6)."""
    others = Location.objects.exclude(pk=place.pk)
    if others.filter(company_id=place.company_id, name=place.name).exists():
        message = _("Your company has a location of this name already; choose another name.")
        yield Blocker("name_taken", message, "ORG-1", "name")
    if others.filter(mpn_id=place.mpn_id).exists():
        message = _("This partner id is in use already. Each location has its own; check it, or ask %(vendor)s.")
        yield Blocker("mpn_taken", message, "ORG-1", "mpn_id")


def receiving_location(company: Company, *, country: str) -> Location | None:
    """Where a deal for a customer in that country arrives: the company's first location there, else its first (ORG-1).

    None for a company without locations.
    """
    return nearest_first(country).filter(company=company).first()


def nearest_first(country: str) -> QuerySet[Location]:
    """Locations in the order in which a deal for a customer in that country arrives at them (ORG-4)."""
    nearest = Case(When(country=country, then=0), default=1)
    return Location.objects.order_by(nearest, "pk")


@transaction.atomic
def add_member(*, user: User, company: Company, roles: Iterable[str], locations: Iterable[Location] = ()) -> Membership:
    """Give a person roles in a company: in the named locations, or company-wide without any (ORG-1).

    Raises WrongRole for a role that doesn't exist on this company's side (ORG-2).
    """
    roles = list(roles)
    if wrong := rules.wrong_roles(roles, vendor=company.is_vendor):
        raise WrongRole(", ".join(wrong))
    membership, _created = Membership.objects.get_or_create(user=user, company=company)
    places: list[Location | None] = list(locations) or [None]
    RoleGrant.objects.bulk_create(
        [RoleGrant(membership=membership, role=role, location=place) for role in roles for place in places],
        ignore_conflicts=True,
    )
    return membership


def change_company(company: Company, *, name: str, country: str) -> Company:
    """Correct a company's name or country; which side it is on never changes."""
    fresh = Company.objects.get(pk=company.pk)
    fresh.name, fresh.country = name, country.upper()
    fresh.save(update_fields=["name", "country"])
    if fresh.is_vendor:
        cache.delete("vendor-name")
    return fresh


def change_location(location: Location, *, name: str, city: str, country: str, mpn_id: str) -> Location:
    """Correct a location; it stays its company's, and deals stay at it (ORG-4)."""
    fresh = Location.objects.get(pk=location.pk)
    fresh.name, fresh.city, fresh.country, fresh.mpn_id = name, city, country.upper(), mpn_id
    return _save_location(fresh)


class PersonDetails(TypedDict):
    """What is known of a person besides the e-mail address, with which they sign in and stand in deals' teams."""

    first_name: str
    last_name: str
    phone: str
    language: str
    time_zone: str


def create_person(*, email: str, password: str | None = None, **details: Unpack[PersonDetails]) -> User:
    """A new account; without a password the person sets one by the link that resets it."""
    return User.objects.create_user(email, password or None, **details)


def change_profile(user: User, **details: Unpack[PersonDetails]) -> User:
    """Save what a person says about themselves; their e-mail address never changes."""
    fresh = User.objects.get(pk=user.pk)
    for name, value in details.items():
        setattr(fresh, name, value)
    fresh.save(update_fields=list(details))
    return fresh


def change_person(user: User, *, actor: Actor, is_active: bool, **details: Unpack[PersonDetails]) -> User:
    """Correct a person's details, or close their account. Raises RuleViolation for the actor's own (ORG-2)."""
    if blockers := list(
        rules.lockout_blockers(actor, user_id=user.pk, company_id=actor.company_id, kept=actor.grants, active=is_active)
    ):
        raise RuleViolation(blockers)
    fresh = User.objects.get(pk=user.pk)
    for name, value in {**details, "is_active": is_active}.items():
        setattr(fresh, name, value)
    fresh.save(update_fields=[*details, "is_active"])
    return fresh


def grants_of(membership: Membership | None) -> frozenset[Grant]:
    """The roles a member holds now."""
    held = RoleGrant.objects.filter(membership=membership) if membership else ()
    return frozenset(Grant(grant.role, grant.location_id) for grant in held)


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


@transaction.atomic
def set_membership(
    *, user: User, company: Company, grants: Iterable[Grant], actor: Actor, is_active: bool = True
) -> Membership:
    """Make a person hold exactly these roles in a company, whatever they were before (ORG-1, ORG-2).

    Raises RuleViolation: a role of the other side, another company's location, the actor's own access lost, or
    nobody left who keeps the company's people.
    """
    lock_company(company.pk)
    wanted = set(grants)
    places = set(company.locations.values_list("pk", flat=True))
    blockers = [b for g in wanted for b in rules.grant_blockers(g, vendor=company.is_vendor, location_ids=places)]
    blockers += rules.lockout_blockers(actor, user_id=user.pk, company_id=company.pk, kept=wanted, active=is_active)
    blockers += rules.last_keeper_blockers(
        actor,
        company_id=company.pk,
        vendor=company.is_vendor,
        kept=wanted,
        active=is_active,
        others=_others_keep(company, user),
    )
    if blockers:
        raise RuleViolation(blockers)
    membership, _created = Membership.objects.get_or_create(user=user, company=company)
    Membership.objects.filter(pk=membership.pk).update(is_active=is_active)
    held = {Grant(grant.role, grant.location_id): grant.pk for grant in membership.grants.select_for_update()}
    RoleGrant.objects.filter(pk__in=[pk for grant, pk in held.items() if grant not in wanted]).delete()
    RoleGrant.objects.bulk_create(
        [RoleGrant(membership=membership, role=g.role, location_id=g.location_id) for g in wanted - held.keys()],
        ignore_conflicts=True,
    )
    return membership


def memberships(user: User) -> list[Membership]:
    """The companies a person can act for, by name."""
    return list(
        user.memberships.filter(is_active=True)
        .select_related("company")
        .prefetch_related("grants")
        .order_by("company__name")
    )


def actor_for(membership: Membership) -> Actor:
    """The actor a member is: their company and the roles they hold there."""
    user, company = membership.user, membership.company
    return Actor(
        kind="person",
        user_id=user.pk,
        email=user.email,
        name=user.get_full_name(),
        company_id=company.pk,
        company_name=company.name,
        is_vendor=company.is_vendor,
        language=user.language,
        grants=frozenset(Grant(g.role, g.location_id) for g in membership.grants.all()),
    )


def vendor_name() -> str:
    """The vendor company's name, asked for on every page and in every message."""
    name: str | None = cache.get("vendor-name")
    if name is None:
        vendor = Company.objects.filter(kind=Company.Kind.VENDOR).first()
        name = vendor.name if vendor else ""
        if name:
            cache.set("vendor-name", name, 60)
    return name


def people_with_role(company_id: int, roles: Iterable[str], *, location_id: int | None = None) -> list[User]:
    """The active people who hold one of the roles company-wide or, if given, at the location (F5.1)."""
    place = Q(memberships__grants__location=None)
    if location_id is not None:
        place |= Q(memberships__grants__location_id=location_id)
    return list(
        User.objects.filter(
            place,
            is_active=True,
            memberships__company_id=company_id,
            memberships__is_active=True,
            memberships__grants__role__in=list(roles),
        ).distinct()
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


def demo_accounts_exist() -> bool:
    return User.objects.filter(is_demo=True).exists()


def set_preference(user: User, **preferences: str) -> None:
    """Keep a person's language, theme or time zone."""
    for name, value in preferences.items():
        setattr(user, name, value)
    user.save(update_fields=list(preferences))
