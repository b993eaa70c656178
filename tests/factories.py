"""What tests are made of, by factory-boy: plain rows, copies in bulk, and deals and registrations by their verbs.

Nothing here writes the row of a deal or a registration past its verbs, but for copies of one that they made.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import factory
from django.db import models

from dealreg.models import Registration
from dealreg.rules import RegistrationInput
from portal.accounts.models import Company, Location, Membership, RoleGrant, User
from portal.catalog.models import Solution
from portal.customers.models import Customer
from portal.demo.cast import ISTANBUL, Cast
from portal.workflow.blockers import Money
from referrals import rules, verbs
from referrals.models import Referral
from referrals.services import creation
from tests import do

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
CONTOSO, SELLER = "referrals@contoso.example", "seller@vendor.example"
HELP = "ProofOfConceptOrDemo"


# Plain rows


class CompanyFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Company

    name = factory.Sequence(lambda n: f"Company {n}")
    country = "TR"


def add_member(
    *, user: User, company: Company, roles: Iterable[str], locations: Iterable[Location | None] = ()
) -> Membership:
    """A member with these roles, in the locations or company-wide, beside those they hold."""
    member, _created = Membership.objects.get_or_create(user=user, company=company)
    grants = [
        RoleGrant(membership=member, role=role, location=at) for at in (list(locations) or [None]) for role in roles
    ]
    RoleGrant.objects.bulk_create(grants, ignore_conflicts=True)
    return member


class PersonFactory(factory.django.DjangoModelFactory):
    """Somebody with an account, and no company yet."""

    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"person{n}@contoso.example")
    first_name = "Pat"
    last_name = factory.Sequence(lambda n: f"Person {n}")
    password = "!"


class CustomerFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Customer

    name = factory.Sequence(lambda n: f"Customer {n}")
    country = "TR"
    import_key = factory.LazyAttribute(lambda customer: f"key:{customer.name}")
    search_text = factory.LazyAttribute(lambda customer: customer.name.lower())


class SolutionFactory(factory.django.DjangoModelFactory):
    """In the market, and ready for co-sell."""

    class Meta:
        model = Solution

    code = factory.Sequence(lambda n: f"SOL-{n}-TST")
    name = factory.Sequence(lambda n: f"Solution {n}")
    publisher = factory.SubFactory(CompanyFactory)
    published = co_sell_ready = azure_ip = True


# Copies in bulk


def alike(row: models.Model, count: int, **changes: Any) -> list[Any]:
    """So many new rows with the same columns, but for these and its own ids; a change may be a factory's declaration,
    which gives every row another value."""
    own = {f.attname for f in row._meta.concrete_fields if f.primary_key or f.unique or f.generated}
    own |= {"creation_key"}  # unique together with the company
    kept = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if f.attname not in own}
    rows = factory.build_batch(type(row), count, FACTORY_CLASS=factory.Factory, **{**kept, **changes})
    return type(row)._default_manager.bulk_create(rows)


# Deals and registrations


class NewDealFactory(factory.Factory):
    """What creates a co-sell deal of 40,000 EUR, ten days ago, that can become eligible."""

    class Meta:
        model = verbs.NewDeal
        exclude = ("cast", "at")

    cast: Cast
    at = NOW - 10 * DAY
    customer = factory.LazyAttribute(lambda deal: deal.cast.customers["anadolu"])
    location = factory.LazyAttribute(lambda deal: deal.cast.locations[ISTANBUL])
    name = "Plant monitoring"
    value = Money(Decimal(40_000), "EUR")
    close_date = factory.LazyAttribute(lambda deal: max(NOW + 30 * DAY, deal.at).date())
    team = factory.LazyFunction(lambda: [member()])
    solutions = factory.LazyAttribute(lambda deal: [deal.cast.solutions["factory"]])
    help_code = HELP
    vendor_may_view = True
    contact = rules.Contact("Deniz Aksoy", "+90 532 555 01 01", "deniz@customer.example", consent=True)


class DealFactory(NewDealFactory):
    """A deal of Contoso's; `accepted` by the vendor an hour after its creation; `won` as well, at `won_at`."""

    class Meta:
        model = Referral
        exclude = ()

    class Params:
        accepted = factory.Trait(accepted_at=factory.LazyAttribute(lambda deal: deal.at + HOUR))
        won = factory.Trait(accepted=True, won_at=NOW - DAY)

    by = CONTOSO
    customer = factory.LazyAttribute(
        lambda deal: registering(deal.cast) if deal.won_at else deal.cast.customers["anadolu"]
    )
    accepted_at: datetime | None = None
    won_at: datetime | None = None

    @classmethod
    def _create(
        cls,
        model_class: type[Referral],
        *_args: Any,
        cast: Cast,
        at: datetime,
        by: str,
        accepted_at: datetime | None,
        won_at: datetime | None,
        **given: Any,
    ) -> Referral:
        deal = creation.create_deal(verbs.NewDeal(**given), actor=cast.actor(by), now=at)
        if accepted_at:
            accept(cast, vendor_copy(deal), at=accepted_at)
            deal = model_class.objects.get(pk=deal.pk)
        return do.win(deal, actor=cast.actor(by), now=won_at) if won_at else deal


class FormFactory(factory.Factory):
    """A one-year contract signed the day before NOW that would be approved."""

    class Meta:
        model = RegistrationInput

    marketplace = False
    deployment = "azure"
    term = "finite"
    tcv = Money(Decimal(40_000), "EUR")
    solution_value = Money(Decimal(30_000), "EUR")
    signed = start = (NOW - DAY).date()
    end = (NOW - DAY).date().replace(year=2027) - DAY
    tenant = "customer"
    pricing = "other"
    contract_names_confirmed = True


class RegistrationFactory(FormFactory):
    """Filed for a won deal; `routed`, too; `in_review` because of its size (AUTO-1)."""

    class Meta:
        model = Registration

    class Params:
        in_review = factory.Trait(routed=True, tcv=Money(Decimal(2_000_000), "EUR"))

    cast: Cast
    at = NOW
    by = CONTOSO
    routed = False
    referral = factory.LazyAttribute(lambda filed: DealFactory(cast=filed.cast, won=True))

    @classmethod
    def _create(
        cls,
        model_class: type[Registration],
        *_args: Any,
        cast: Cast,
        referral: Referral,
        at: datetime,
        by: str,
        routed: bool,
        **form: Any,
    ) -> Registration:
        opened = model_class.objects.get(referral=referral)
        filed = do.submit(opened, RegistrationInput(**form), actor=cast.actor(by), now=at)
        return do.routed(filed, now=at) if routed else filed


def registering(cast: Cast) -> Customer:
    """A customer that the vendor manages: another one for each won deal, as two sales to one are a reason (AUTO-5)."""
    first = cast.customers["anadolu"]
    if not Referral.objects.filter(substatus=rules.WON, engagement__customer=first).exists():
        return first
    return CustomerFactory(name=first.name, managed=True, import_key=f"another:{Customer.objects.count()}")


def member(email: str = "user@contoso.example") -> rules.Member:
    return rules.Member("Umut", "Öztürk", "+90 212 555 01 00", email)


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
