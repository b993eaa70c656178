"""Deals in the state a test needs, in short; the factories make them, by the real verbs at instants around NOW."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import factory

from dealreg.models import Registration
from dealreg.rules import RegistrationInput
from portal.catalog.models import AssessmentType, Solution
from portal.demo.cast import Cast
from referrals import rules, verbs
from referrals.models import Referral
from tests import do
from tests.factories import (
    CONTOSO,
    DAY,
    HELP,
    NOW,
    SELLER,
    DealFactory,
    FormFactory,
    NewDealFactory,
    RegistrationFactory,
    accept,
    alike,
    member,
    vendor_copy,
)

__all__ = ["CONTOSO", "DAY", "HELP", "NOW", "SELLER", "accept", "alike", "member", "vendor_copy"]

#: When all of MONTHS have begun; rates are taken in no sooner (FX-1).
MONTHS_OVER = datetime(2026, 12, 31, tzinfo=UTC)
MONTHS = [date(2025 + (10 + n) // 12, (10 + n) % 12 + 1, 1) for n in range(14)]

REVIEWER = "reviewer@vendor.example"


def northwind_ready(cast: Cast) -> None:
    """Northwind gets what it lacks for the ecosystem: a solution that is ready for co-sell (REF-9)."""
    Solution.objects.filter(pk=cast.solutions["consulting"].pk).update(co_sell_ready=True, published=True)


def deal_input(cast: Cast, **changes: Any) -> verbs.NewDeal:
    return NewDealFactory(cast=cast, **changes)


def deal(cast: Cast, **changes: Any) -> Referral:
    return DealFactory(cast=cast, **changes)


def accepted(cast: Cast, **changes: Any) -> Referral:
    return DealFactory(cast=cast, accepted=True, **changes)


def won(cast: Cast, *, at: datetime = NOW - DAY, created: datetime = NOW - 10 * DAY, **changes: Any) -> Referral:
    return DealFactory(cast=cast, won=True, won_at=at, at=created, **changes)


def blocked_plan(cast: Cast) -> Referral:
    """An assessment whose win is planned for 72 hours after NOW, and whose stage was corrected since (REF-15)."""
    private = {"help_code": rules.NO_HELP, "vendor_may_view": False, "solutions": []}
    kind, admin = AssessmentType.objects.get(code="security"), cast.actor(CONTOSO)
    deal = DealFactory(cast=cast, at=NOW, assessment=kind, assessment_location="Ankara", **private)
    for stage in (20, 40, 60, 80):
        do.set_stage(deal, stage=stage, actor=admin, now=NOW)
    do.schedule_win(deal, actor=admin, now=NOW, signed_on=NOW.date())
    return do.set_stage(deal, stage=60, actor=admin, now=NOW)


def form(**changes: Any) -> RegistrationInput:
    return FormFactory(**changes)


def submitted(cast: Cast, referral: Referral, **changes: Any) -> Registration:
    return RegistrationFactory(cast=cast, referral=referral, **changes)


def in_review(cast: Cast, *, at: datetime = NOW, **changes: Any) -> Registration:
    return RegistrationFactory(cast=cast, referral=won(cast, **changes), at=at, in_review=True)


def multiply(deal: Referral, count: int) -> list[list[Referral]]:
    """So many more engagements like the deal's, with all its copies and teams, written in bulk; copies by copy."""
    engagements = [engagement.pk for engagement in alike(deal.engagement, count)]
    found = []
    for copy in deal.engagement.referrals.order_by("pk"):
        found.append(alike(copy, count, engagement_id=factory.Iterator(engagements)))
        for person in copy.team.all():
            alike(person, count, referral_id=factory.Iterator([referral.pk for referral in found[-1]]))
    return found
