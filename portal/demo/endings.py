"""Registrations that were withdrawn, left unanswered, retracted or revalidated (FLOW), in the demo's year."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from dealreg import sweeps as registrations
from dealreg.models import Registration
from dealreg.rules.revalidation import fiscal_year_end
from dealreg.services import marketplace
from dealreg.services.registration import decide
from dealreg.verbs import FAIL_UNANSWERED, REVALIDATE, WITHDRAW, NewValue
from portal.accounts.rules import SYSTEM
from portal.demo.deals import DAY, World, _close, _registered, _won, sell
from portal.policy.rules import Policy
from portal.workflow.services import run


def create(world: World) -> None:
    """Withdrawn, left unanswered, retracted, and a pay-as-you-go sale that grew."""
    back: dict[str, Any] = {"reason_code": "evidence_missing", "comment": "We need the signed order form."}
    withdrawn = _registered(world, _won(world, 75, 60, "nordwerk", 1_150_000, "EUR"), 58)
    withdrawn = decide(withdrawn, "require_action", actor=world.reviewer, now=world.ago(50), **back)
    run(withdrawn, WITHDRAW, actor=world.admin, now=world.ago(44))
    silent = _registered(world, _won(world, 120, 100, "thames", 1_100_000, "GBP"), 98)
    silent = decide(silent, "require_action", actor=world.reviewer, now=world.ago(90), **back)
    silent = run(silent, FAIL_UNANSWERED, actor=SYSTEM, now=world.ago(30))
    _close(silent, now=world.ago(29))
    slip = _registered(world, _won(world, 33, 8, "isar", 1_500_000, "EUR"), 7)
    slip = decide(
        slip, "fail_review", actor=world.reviewer, now=world.ago(1.5),
        reason_code="duplicate_registration", comment="Registered in spring.",
    )  # fmt: skip
    manager = world.cast.actor("manager@vendor.example")
    decide(slip, "retract", actor=manager, now=world.ago(1), comment="The one in spring was for another plant.")
    _revalidated(world)
    _marketplace(world)


def _revalidated(world: World) -> None:
    """Passed, closed, and filed again at more than a million: all in one fiscal year (FLOW-6)."""
    days, policy = 9, Policy()
    if fiscal_year_end(world.ago(days).date(), policy) != fiscal_year_end(world.ago(2).date(), policy):
        days += 9
    first, last = world.ago(150).date(), world.ago(days + 1).date()
    deal = _won(world, 200, days + 1, "nordwerk", 90_000, "EUR")
    grown = _registered(world, deal, days, pricing="payg", signed=first, start=first, end=last)
    grown = decide(grown, "pass_review", actor=world.reviewer, now=world.ago(days - 2), validated_by="figures")
    grown = _close(grown, now=world.ago(days - 3.5))
    value = NewValue(tcv=Decimal(1_400_000), solution_value=Decimal(1_000_000), end=last)
    run(grown, REVALIDATE, value, actor=world.admin, now=world.ago(days - 5))


def _marketplace(world: World) -> None:
    """Marketplace sales: one whose transaction never came, one that nobody registered, and one booked wrongly."""
    late = _registered(
        world,
        _won(world, 150, 130, "alpen", 66_000, "CHF", solutions=[world.cast.solutions["retail"]]),
        129,
        marketplace=True,
        marketplace_date=world.ago(125).date(),
    )
    assert late.marketplace_until is not None
    registrations.match_marketplace(now=late.marketplace_until)
    _close(Registration.objects.get(pk=late.pk), now=late.marketplace_until + DAY)
    sell(world.cast, "MP-23950", "puget", day=world.ago(12).date(), now=world.ago(11))
    wrong = sell(world.cast, "MP-23951", "puget", day=world.ago(12).date(), now=world.ago(11))
    manager = world.cast.actor("manager@vendor.example")
    marketplace.void(wrong, "Booked twice: it is MP-23950.", actor=manager, now=world.ago(10))
