"""Deals in the state a test needs, made by the real verbs at instants around NOW."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import models

from dealreg.models import Registration
from dealreg.rules import RegistrationInput
from portal.catalog.models import Solution
from portal.pages.demo import do
from portal.pages.demo.cast import ISTANBUL, Cast
from portal.workflow.blockers import Money
from referrals import rules, verbs
from referrals.models import Engagement, Referral, TeamMember
from referrals.services import creation

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
#: When all of MONTHS have begun; rates are taken in no sooner (FX-1).
MONTHS_OVER = datetime(2026, 12, 31, tzinfo=UTC)
MONTHS = [date(2025 + (10 + n) // 12, (10 + n) % 12 + 1, 1) for n in range(14)]

CONTOSO, SELLER, REVIEWER = "referrals@contoso.example", "seller@vendor.example", "reviewer@vendor.example"
HELP = "ProofOfConceptOrDemo"


def member(email: str = "user@contoso.example") -> rules.Member:
    return rules.Member("Umut", "Öztürk", "+90 212 555 01 00", email)


def northwind_ready(cast: Cast) -> None:
    """Northwind gets what it lacks for the ecosystem: a solution that is ready for co-sell (REF-9)."""
    Solution.objects.filter(pk=cast.solutions["consulting"].pk).update(co_sell_ready=True, published=True)


def deal_input(cast: Cast, **changes: Any) -> verbs.NewDeal:
    """A co-sell deal of 40,000 EUR that can become eligible; `changes` are fields of DealInput."""
    base = verbs.NewDeal(
        customer=cast.customers["anadolu"],
        location=cast.locations[ISTANBUL],
        name="Plant monitoring",
        value=Money(Decimal(40_000), "EUR"),
        close_date=(NOW + 30 * DAY).date(),
        team=[member()],
        solutions=[cast.solutions["factory"]],
        help_code=HELP,
        vendor_may_view=True,
        contact=rules.Contact("Deniz Aksoy", "+90 532 555 01 01", "deniz@customer.example", consent=True),
    )
    return replace(base, **changes)


def deal(cast: Cast, *, at: datetime = NOW - 10 * DAY, by: str = CONTOSO, **changes: Any) -> Referral:
    """A new deal of Contoso, created ten days ago."""
    given = deal_input(cast, **changes)
    if given.close_date < at.date():
        given = replace(given, close_date=at.date())
    return creation.create_deal(given, actor=cast.actor(by), now=at)


def vendor_copy(referral: Referral) -> Referral:
    return Referral.objects.get(engagement=referral.engagement, company__kind="vendor")


def accept(cast: Cast, copy: Referral, *, at: datetime, by: str = SELLER) -> Referral:
    return do.accept(
        copy,
        actor=cast.actor(by),
        now=at,
        name=copy.name,
        value=copy.money,
        close_date=copy.close_date,
        team=[rules.Member("Sam", "Seller", "+44 20 555 0100", "seller@vendor.example")],
    )


def accepted(cast: Cast, *, at: datetime = NOW - 10 * DAY, **changes: Any) -> Referral:
    """A co-sell deal the vendor accepted an hour after it was created."""
    referral = deal(cast, at=at, **changes)
    accept(cast, vendor_copy(referral), at=at + timedelta(hours=1))
    return Referral.objects.get(pk=referral.pk)


def won(cast: Cast, *, at: datetime = NOW - DAY, created: datetime = NOW - 10 * DAY, **changes: Any) -> Referral:
    return do.win(accepted(cast, at=created, **changes), actor=cast.actor(CONTOSO), now=at)


def form(**changes: Any) -> RegistrationInput:
    """A one-year contract signed the day before NOW that would be approved."""
    base = RegistrationInput(
        marketplace=False,
        deployment="azure",
        term="finite",
        tcv=Money(Decimal(40_000), "EUR"),
        solution_value=Money(Decimal(30_000), "EUR"),
        signed=(NOW - DAY).date(),
        start=(NOW - DAY).date(),
        end=(NOW - DAY).date().replace(year=2027) - DAY,
        tenant="customer",
        pricing="other",
        contract_names_confirmed=True,
    )
    return replace(base, **changes)


def submitted(cast: Cast, referral: Referral, *, at: datetime = NOW, **changes: Any) -> Registration:
    registration = Registration.objects.get(referral=referral)
    return do.submit(registration, form(**changes), actor=cast.actor(CONTOSO), now=at)


def in_review(cast: Cast, *, at: datetime = NOW, **changes: Any) -> Registration:
    """A registration that waits for a reviewer, because of its size (AUTO-1)."""
    referral = won(cast, **changes)
    value = Money(Decimal(2_000_000), "EUR")
    return do.route(submitted(cast, referral, at=at, tcv=value), now=at)


def like(row: models.Model, **changes: Any) -> Any:
    """Another row with the same columns, but for these and its own ids."""
    own = {"id", "public_id", "creation_key"}
    kept = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if not f.generated}
    return type(row)(**{**{name: value for name, value in kept.items() if name not in own}, **changes})


def multiply(deal: Referral, count: int) -> list[list[Referral]]:
    """So many more engagements like the deal's, with all its copies and teams, written in bulk; copies by copy."""
    engagements = Engagement.objects.bulk_create([like(deal.engagement) for _ in range(count)])
    found = []
    for copy in deal.engagement.referrals.order_by("pk"):
        found.append(Referral.objects.bulk_create([like(copy, engagement_id=e.pk) for e in engagements]))
        team = list(copy.team.all())
        TeamMember.objects.bulk_create([like(m, referral_id=r.pk) for r in found[-1] for m in team])
    return found
