"""Who people are and what they may act for, where deals arrive; and what an installation still needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.cache import cache
from django.db.models import Case, QuerySet, When

from portal import once
from portal.accounts import rules
from portal.accounts.models import Company, Location, Membership, RoleGrant, User
from portal.accounts.rules import Actor, Grant
from portal.registry import Registry
from portal.workflow.blockers import _

# Who somebody is


def memberships(user: User) -> list[Membership]:
    """The companies a person can act for, by name."""
    return list(
        user.memberships.filter(is_active=True, company__closed_at=None)
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


_OF_ACTORS = (
    *("pk", "user_id", "user__email", "user__first_name", "user__last_name", "user__language"),
    *("company_id", "company__name", "company__kind", "grants__role", "grants__location_id"),
)


def actors(members: QuerySet[Membership]) -> list[Actor]:
    """The actors these members are, by e-mail, each with all their roles, whatever roles they were filtered by. One
    query, which reads no more than an actor holds."""
    grants: dict[int, set[Grant]] = defaultdict(set)
    found: dict[int, dict[str, Any]] = {}
    rows = Membership.objects.filter(pk__in=members.values("pk")).order_by("user__email", "pk")
    for row in rows.values(*_OF_ACTORS):
        found[row["pk"]] = row
        if row["grants__role"]:
            grants[row["pk"]].add(Grant(row["grants__role"], row["grants__location_id"]))
    return [
        Actor(
            kind="person",
            user_id=row["user_id"],
            email=row["user__email"],
            name=f"{row['user__first_name']} {row['user__last_name']}".strip(),
            company_id=row["company_id"],
            company_name=row["company__name"],
            is_vendor=row["company__kind"] == Company.Kind.VENDOR,
            language=row["user__language"],
            grants=frozenset(grants[pk]),
        )
        for pk, row in found.items()
    ]


def vendor_name() -> str:
    """The vendor company's name, asked for on every page and in every message."""
    return once.answer("vendor_name", _vendor_name)


def forget_vendor_name() -> None:
    cache.delete("vendor-name")
    once.forget("vendor_name")


def _vendor_name() -> str:
    name: str | None = cache.get("vendor-name")
    if name is None:
        vendor = Company.objects.filter(kind=Company.Kind.VENDOR).first()
        name = vendor.name if vendor else ""
        if name:
            cache.set("vendor-name", name, 60)
    return name


def grants_of(membership: Membership | None) -> frozenset[Grant]:
    """The roles a member holds now."""
    held = RoleGrant.objects.filter(membership=membership) if membership else ()
    return frozenset(Grant(grant.role, grant.location_id) for grant in held)


def demo_accounts_exist() -> bool:
    return User.objects.filter(is_demo=True).exists()


# Where deals arrive, and what a company may do


def receiving_location(company: Company, *, country: str) -> Location | None:
    """Where a deal for a customer in that country arrives: the company's first location there, else its first (ORG-1).

    None for a company without locations.
    """
    return nearest_first(country).filter(company=company).first()


def nearest_first(country: str) -> QuerySet[Location]:
    """Locations in the order in which a deal for a customer in that country arrives at them (ORG-4)."""
    nearest = Case(When(country=country, then=0), default=1)
    return Location.objects.order_by(nearest, "pk")


def may_assess(actor: Actor, *, today: date) -> bool:
    """Whether the vendor has approved the actor's company for solution assessments (ORG-7)."""
    return Company.objects.filter(pk=actor.own_company_id, assessments_since__lte=today).exists()


# The README's first steps, each read from the data


@dataclass(frozen=True)
class Step:
    """One of the first steps. `page`: the name of its address. `optional`: the rest is complete without it."""

    label: str
    text: str
    page: str
    is_done: Callable[[], bool]
    optional: bool = False


@dataclass(frozen=True)
class Found:
    """A step, and whether it is done."""

    step: Step
    done: bool


#: In the order in which they are taken; each app adds its own.
STEPS: Registry[Step] = Registry()


def first_steps() -> list[Found]:
    """All of them, as long as one that is needed is not done; then none."""
    found = [Found(step, step.is_done()) for step in STEPS.values()]
    return found if any(not one.done and not one.step.optional for one in found) else []


def _holds(*roles: str) -> bool:
    """Whether somebody who can act holds each of the roles."""
    held = Membership.objects.acting().filter(grants__role__in=roles).values_list("grants__role", flat=True)
    return set(held.distinct()) >= set(roles)


STEPS.add(
    "companies",
    Step(
        _("Add a partner company"),
        _("Its name and country, and at least one location with its partner id."),
        "admin:accounts_company_add",
        lambda: Location.objects.filter(company__in=Company.objects.partners().open()).exists(),
    ),
    order=10,
)
STEPS.add(
    "people",
    Step(
        _("Add the partner's first person"),
        _("By e-mail and name, then as account admin of the company: from then on the partner keeps its own people."),
        "admin:accounts_user_add",
        lambda: _holds(rules.ACCOUNT_ADMIN),
    ),
    order=20,
)
STEPS.add(
    "staff",
    Step(
        _("Invite a seller and a reviewer"),
        _("In the portal's settings, where your own company's people are kept."),
        "people",
        lambda: _holds(rules.SELLER, rules.REVIEWER),
    ),
    order=30,
)
