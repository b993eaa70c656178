"""ISV Connect deals in every state, with fee rates, plans, invoices and credit notes, in the demo's year (ISV)."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from isvconnect import sweeps
from isvconnect.models import IsvDeal
from isvconnect.rules.values import IsvDealInput
from isvconnect.selectors.prefill import prefill
from isvconnect.services import deals, fee_rates
from isvconnect.verbs import CANCEL, ISSUE_INVOICES, Cancelling, Issuing
from portal.accounts.rules import SYSTEM, Actor
from portal.catalog import services as catalog
from portal.catalog.models import Plan
from portal.demo.cast import ANKARA, ISTANBUL, MUNICH
from portal.demo.deals import World, _registered, _won
from portal.workflow.blockers import Money
from portal.workflow.services import run
from referrals.models import Referral

_PLANS = {"retail": ("Mağaza", "Bölge", "Merkez"), "field": ("Technician", "Dispatcher"), "energy": ("Site", "Group")}


def create(world: World) -> None:
    """Direct ones and such from referrals; a banner; and one whose invoices wait for a fee rate."""
    _catalog(world)
    _rates(world)
    _direct(world)
    _from_referrals(world)
    _issue(world)
    _cancelled(world)


def _issue(world: World) -> None:
    """As the worker would have, each day on which something was due."""
    due = IsvDeal.objects.to_invoice(world.now.date()).order_by("next_due_on").values_list("next_due_on", flat=True)
    while day := due.first():
        sweeps.issue_due(now=min(world.now, datetime.combine(day, time(3, 25), tzinfo=UTC)))


def _catalog(world: World) -> None:
    """The plans of the tagged solutions; Fabrikam's energy monitor is one of them."""
    for name, plans in _PLANS.items():
        for number, plan in enumerate(plans, 1):
            Plan.objects.create(solution=world.cast.solutions[name], code=f"{name}-{number}", name=plan)


def _manager(world: World) -> Actor:
    return world.cast.actor("manager@vendor.example")


def _rates(world: World) -> None:
    """Invented, as none ships: of premium from two years ago on, and a lower one since; of standard since a year."""
    for tag, days, percent in (("premium", 900, "15"), ("premium", 120, "12.5"), ("standard", 365, "3")):
        given: dict[str, Any] = {"tag": tag, "effective_from": world.ago(days).date(), "percent": Decimal(percent)}
        fee_rates.set_rate(**given, actor=_manager(world), now=world.ago(min(days, 360)))


def contract(world: World, customer: str, value: int, *, signed: float, days: int, **changes: Any) -> IsvDealInput:
    """A contract of Contoso's, signed so many days ago, which runs for so many days."""
    day = world.ago(signed).date()
    given: dict[str, Any] = {
        "location": world.cast.locations[ISTANBUL].pk,
        "customer": world.cast.customers[customer].pk,
        "solution": world.cast.solutions["retail"].pk,
        "tcv": Money(Decimal(value), "EUR"),
        "solution_value": Money(Decimal(value) * Decimal("0.8"), "EUR"),
        "deployment": "azure",
        "tenant": "customer",
        "tenant_guid": uuid.uuid5(uuid.NAMESPACE_DNS, f"{customer}.example"),
        "signed": day,
        "start": day,
        "end": day + timedelta(days=days - 1),
        "contact_first_name": "Rüya",
        "contact_last_name": "İpekçi",
        "contact_phone": "+90 212 555 01 00",
        "contact_email": "referrals@contoso.example",
    }
    return IsvDealInput(**{**given, **changes})


def report(world: World, form: IsvDealInput, days: float, *, by: str = "referrals@contoso.example") -> IsvDeal:
    return deals.report(form, None, actor=world.cast.actor(by), now=world.ago(days))


def _direct(world: World) -> None:
    """Of today, for a year, for three, of another location, in another currency, waiting for a rate, of Fabrikam's."""
    report(world, contract(world, "ege", 42_000, signed=3, days=1096), 0.1)
    report(world, contract(world, "alpen", 9_600, signed=340, days=365), 335)
    report(world, contract(world, "nordwerk", 120_000, signed=330, days=1096), 329)
    of_ankara = {"location": world.cast.locations[ANKARA].pk, "solution": world.cast.solutions["field"].pk}
    form = contract(world, "isik", 18_000, signed=200, days=730, tenant="partner", tenant_guid=None, **of_ankara)
    report(world, form, 199, by="ankara@contoso.example")
    lira = {"tcv": Money(Decimal(1_900_000), "TRY"), "solution_value": Money(Decimal(1_450_000), "TRY")}
    report(world, contract(world, "toros", 0, signed=90, days=1461, deployment="other", **lira), 88)
    old = {"solution": world.cast.solutions["field"].pk, "start": world.ago(300).date()}
    report(world, contract(world, "thames", 25_000, signed=500, days=900, **old), 299)  # before the first rate
    energy = catalog.set_tags(
        world.cast.solutions["energy"], biz_apps="standard", actor=_manager(world), now=world.ago(90)
    )
    fabrikam: dict[str, Any] = {
        "location": world.cast.locations[MUNICH].pk,
        "solution": energy.pk,
        "contact_first_name": "Friederike",
        "contact_last_name": "Weiß",
        "contact_email": "referrals@fabrikam.example",
    }
    form = contract(world, "isar", 33_000, signed=60, days=730, **fabrikam)
    report(world, form, 58, by="referrals@fabrikam.example")


def _sold(world: World, days: float, customer: str, value: int, solution: str) -> Referral:
    return _won(world, days + 40, days, customer, value, "EUR", solutions=[world.cast.solutions[solution]])


def _from_referrals(world: World) -> None:
    """Reported after the co-sell registration; and two with the banner, one of which is to be registered as well."""
    referral = _sold(world, 70, "fjord", 80_000, "retail")
    _registered(world, referral, 69)
    form = prefill(referral, now=world.ago(60))
    settled = {"tenant": "customer", "tenant_guid": uuid.uuid5(uuid.NAMESPACE_DNS, "fjord.example")}
    known = {name: value for name, value in vars(form).items() if value not in (None, "")}
    form = IsvDealInput(**{**vars(contract(world, "fjord", 80_000, signed=70, days=730)), **known, **settled})
    deals.report(form, referral, actor=world.admin, now=world.ago(60))
    _sold(world, 5, "puget", 64_000, "retail")
    _sold(world, 4, "prairie", 21_000, "field")


def _cancelled(world: World) -> None:
    """Before it was invoiced; and afterwards, with a credit note."""
    early = report(world, contract(world, "spree", 30_000, signed=8, days=365), 0.5)
    why = "The customer's order was withdrawn before the contract took effect."
    run(early, CANCEL, Cancelling(why), actor=_manager(world), now=world.ago(0.3))
    deal = report(world, contract(world, "bogaz", 27_000, signed=45, days=730), 44)
    run(deal, ISSUE_INVOICES, Issuing(), actor=SYSTEM, now=world.ago(42))
    why = "The sale was rescinded; what was invoiced is credited."
    run(deal, CANCEL, Cancelling(why, credit_issued=True), actor=_manager(world), now=world.ago(12))
