"""Licences in the demo's year: invitations and consents in every state, plans, counts and assignments (LIC)."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal

from isvconnect.models import IsvDeal
from isvconnect.verbs import CANCEL, Cancelling
from licensing import sweeps
from licensing.models import Licences, Relationship
from licensing.rules import Consent
from licensing.services import codes, invitations, licences, links, tokens
from licensing.verbs import ASSIGN, REMOVE_PLAN, REVOKE_CONSENT, WITHDRAW_INVITATION, People, Removal, Update
from portal.catalog.models import Plan
from portal.demo import isv
from portal.demo.deals import World
from portal.workflow.blockers import Money
from portal.workflow.services import run

#: The customers' admins by customer, with the language that they read in.
ADMINS = {
    "anadolu": ("Defne Kaya", "it@anadolu.example", "tr"),
    "ege": ("Barış Ege", "it@ege.example", "tr"),
    "toros": ("Selin Toros", "it@toros.example", "tr"),
    "isar": ("Lena Isar", "it@isar.example", "en"),
}
_PLANS = (("core", "Core", True), ("pro", "Professional", True), ("classic", "Classic", False))


def create(world: World) -> None:
    """Every state of an invitation and of a consent; counts that live, and counts that are frozen."""
    _plans(world)
    _waiting(world)
    _unanswered(world)
    _agreed_only(world)
    _in_use(world)
    _taken_back(world)
    _cancelled(world)
    sweeps.expire_invitations(now=world.now)


def _plans(world: World) -> None:
    for name in ("retail", "field"):
        for code, title, offered in _PLANS:
            given = {"name": title, "offered": offered}
            Plan.objects.get_or_create(solution=world.cast.solutions[name], code=code, defaults=given)


def _plan(deal: IsvDeal, code: str) -> int:
    return Plan.objects.get(solution=deal.solution, code=code).pk


def _tenant(customer: str) -> uuid.UUID:
    """The same each time."""
    return uuid.uuid5(uuid.NAMESPACE_DNS, f"{customer}.example")


def _deal(world: World, days: float, customer: str, value: int, solution: str = "field") -> IsvDeal:
    """A closed sale of one year, reported so many days ago."""
    sold = {"solution": world.cast.solutions[solution].pk, "solution_value": Money(Decimal(value * 9 // 10), "EUR")}
    return isv.report(world, isv.contract(world, customer, value, signed=days + 2, days=365, **sold), days)


def _agreed(world: World, deal: IsvDeal, days: float, customer: str) -> Relationship:
    """The customer's admin was invited so many days ago, and agreed an hour later."""
    at, (name, email, language) = world.ago(days), ADMINS[customer]
    asked = invitations.invite(deal, actor=world.admin, now=at).invitation
    later = at + timedelta(hours=1)
    code = codes.send(asked, Consent(name, email, _tenant(customer), language), now=later)
    done = invitations.accept(asked, typed=tokens.code(code), now=later)
    assert done.relationship is not None
    return done.relationship


def _updated(
    world: World, deal: IsvDeal, days: float, relationship: Relationship | None = None, **counts: int
) -> Licences:
    pairs = tuple((_plan(deal, code), count) for code, count in counts.items())
    return licences.update(deal, Update(relationship, pairs), actor=world.admin, now=world.ago(days))


def _assigned(world: World, given: Licences, days: float, code: str, count: int) -> None:
    host = given.relationship.admin_email.partition("@")[2]
    people = People(_plan(given.deal, code), tuple(f"user{number}@{host}" for number in range(1, count + 1)))
    run(given, ASSIGN, people, actor=links.admin_of(given.relationship), now=world.ago(days))


def _waiting(world: World) -> None:
    """A link that nobody has answered yet, in place of one that was lost."""
    deal = _deal(world, 9, "isik", 18_000)
    invitations.invite(deal, actor=world.admin, now=world.ago(8))
    invitations.invite(deal, actor=world.admin, now=world.ago(3))


def _unanswered(world: World) -> None:
    """One that expired, one that was refused, one that was taken back."""
    invitations.invite(_deal(world, 50, "nordwerk", 24_000), actor=world.admin, now=world.ago(45))
    refused = invitations.invite(_deal(world, 30, "alpen", 15_000), actor=world.admin, now=world.ago(20))
    invitations.refuse(refused.invitation, now=world.ago(18))
    wrong = invitations.invite(_deal(world, 25, "puget", 31_000), actor=world.admin, now=world.ago(20)).invitation
    run(wrong, WITHDRAW_INVITATION, actor=world.admin, now=world.ago(19))


def _agreed_only(world: World) -> None:
    """A customer who agreed, and has no licences yet."""
    _agreed(world, _deal(world, 6, "isar", 22_000), 5, "isar")


def _in_use(world: World) -> None:
    """Plans that grew, people who work with them, and a plan that was removed."""
    deal = _deal(world, 80, "anadolu", 64_000, "retail")
    given = _updated(world, deal, 76, _agreed(world, deal, 78, "anadolu"), core=30, pro=5)
    _assigned(world, given, 70, "core", 12)
    _updated(world, deal, 40, core=40)
    _assigned(world, given, 30, "pro", 2)
    run(given, REMOVE_PLAN, Removal(_plan(deal, "pro"), confirmed=2), actor=world.admin, now=world.ago(10))


def _taken_back(world: World) -> None:
    """Counts that are frozen because the customer took the consent back."""
    deal = _deal(world, 60, "ege", 27_000)
    relationship = _agreed(world, deal, 58, "ege")
    given = _updated(world, deal, 57, relationship, core=15)
    _assigned(world, given, 50, "core", 9)
    run(relationship, REVOKE_CONSENT, actor=links.admin_of(relationship), now=world.ago(12))


def _cancelled(world: World) -> None:
    """Counts that are frozen because the deal was cancelled."""
    deal = _deal(world, 44, "toros", 19_000)
    given = _updated(world, deal, 41, _agreed(world, deal, 42, "toros"), pro=8)
    _assigned(world, given, 40, "pro", 3)
    manager = world.cast.actor("manager@vendor.example")
    run(deal, CANCEL, Cancelling("The customer's sale was rescinded."), actor=manager, now=world.ago(15))
