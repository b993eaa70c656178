"""ISV Connect deals in the state a test needs, made by the real verbs at instants around build.NOW."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from isvconnect.models import Invoice, IsvDeal
from isvconnect.rules.values import IsvDealInput
from isvconnect.services import fee_rates
from portal.catalog.models import Plan, Solution
from portal.demo.cast import ISTANBUL, Cast
from portal.workflow.blockers import Money
from referrals.models import Referral
from tests import build, do

NOW, DAY, CONTOSO = build.NOW, build.DAY, build.CONTOSO
MANAGER = "manager@vendor.example"
TODAY = NOW.date()
TENANT = uuid.UUID("3f2504e0-4f89-41d3-9a0c-0305e82c3301")
LONG_AGO = date(2020, 1, 1)


def rates(cast: Cast, *, since: date = LONG_AGO, standard: str = "3", premium: str = "20", now: datetime = NOW) -> None:
    """Fee rates of both tags, in percent: 3 and 20 unless told otherwise."""
    for tag, percent in (("standard", standard), ("premium", premium)):
        given: dict[str, Any] = {"tag": tag, "effective_from": since, "percent": Decimal(percent)}
        fee_rates.set_rate(**given, actor=cast.actor(MANAGER), now=now)


def tagged(cast: Cast, tag: str = "premium") -> Solution:
    """Contoso's solution with this tag, with two plans: `retail` has both tags, `field` the ISV Connect tag only."""
    solution = cast.solutions["retail" if tag == "premium" else "field"]
    for code in ("basic", "full"):
        Plan.objects.get_or_create(solution=solution, code=code, defaults={"name": code.title()})
    return solution


def form(cast: Cast, **changes: Any) -> IsvDealInput:
    """A form that may be sent: three years from yesterday on, 12,000 of 15,000 EUR for the solution."""
    given: dict[str, Any] = {
        "location": cast.locations[ISTANBUL].pk,
        "customer": cast.customers["anadolu"].pk,
        "solution": tagged(cast).pk,
        "tcv": Money(Decimal(15_000), "EUR"),
        "solution_value": Money(Decimal(12_000), "EUR"),
        "deployment": "azure",
        "tenant": "customer",
        "tenant_guid": TENANT,
        "signed": TODAY - timedelta(days=1),
        "start": TODAY - timedelta(days=1),
        "end": (TODAY - timedelta(days=1)).replace(year=TODAY.year + 3) - timedelta(days=1),
        "contact_first_name": "Umut",
        "contact_last_name": "Öztürk",
        "contact_phone": "+90 212 555 01 00",
        "contact_email": "user@contoso.example",
    }
    return IsvDealInput(**{**given, **changes})


def one_year(**changes: Any) -> dict[str, Any]:
    """For form(): a contract of one year, which leads to one invoice."""
    start = TODAY - timedelta(days=1)
    return {"end": start.replace(year=start.year + 1) - timedelta(days=1), **changes}


def won(cast: Cast, **changes: Any) -> Referral:
    """A won referral of Contoso's with the banner: its solution carries both tags, it is worth 40,000 EUR."""
    return build.won(cast, **{"solutions": [tagged(cast)], **changes})


def deal(
    cast: Cast, *, referral: Referral | None = None, now: datetime = NOW, by: str = CONTOSO, **changes: Any
) -> IsvDeal:
    """Reported; from the referral, with its customer and location, if one is given."""
    if referral is not None:
        settled = {"customer": referral.engagement.customer_id, "location": referral.location_id}
        changes = {**settled, **changes}
    return do.report_isv_deal(form(cast, **changes), referral, actor=cast.actor(by), now=now)


def invoiced(cast: Cast, *, now: datetime = NOW, **changes: Any) -> IsvDeal:
    """Reported, and a day later its first invoice is issued; with `one_year()` that completes it. Needs rates()."""
    return do.issue_invoices(deal(cast, now=now, **changes), now=now + DAY)


def completed(cast: Cast, **changes: Any) -> IsvDeal:
    return invoiced(cast, **one_year(**changes))


def cancelled(cast: Cast, *, now: datetime = NOW, credit_issued: bool = False, of: IsvDeal | None = None) -> IsvDeal:
    """Cancelled by a programme manager; `of`: that deal, else one that was just reported."""
    actor = cast.actor(MANAGER)
    return do.cancel_isv_deal(
        of or deal(cast, now=now), "The sale was rescinded.", credit_issued=credit_issued, actor=actor, now=now
    )


def numbers(deal: IsvDeal) -> list[str]:
    """Of its invoices and credit notes, in the order in which they were issued."""
    return list(Invoice.objects.filter(deal=deal).order_by("pk").values_list("number", flat=True))


def again(deal: IsvDeal) -> IsvDeal:
    return IsvDeal.objects.with_context().get(pk=deal.pk)
